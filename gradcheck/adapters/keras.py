"""Keras 3 layers on the torch or JAX backend: weights become inputs, the gradient is autograd's."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gradcheck.adapters import jax, nested, probing, torch_tensors
from gradcheck.adapters.keras_copies import copy_of, full_precision
from gradcheck.adapters.recipes import recipe_of
from gradcheck.adapters.signatures import arguments, call, fit, without
from gradcheck.adapters.torch_autograd import Autograd, tensors
from gradcheck.adapters.torch_hooks import Hooks
from gradcheck.adapters.torch_trials import find_declaration
from gradcheck.errors import UsageError
from gradcheck.evaluation import describe
from gradcheck.inputs import Input, array
from gradcheck.subject import Subject

NAME = "a Keras 3 layer, model or loss"
OPTIONS = frozenset(("train",))


def knows(obj: Any) -> bool:
    keras = sys.modules.get("keras")
    layer = getattr(getattr(keras, "layers", None), "Layer", None)
    return layer is not None and (isinstance(obj, layer) or _is_loss(obj))


def adapt(obj: Any, inputs: Mapping[str, Any] | None = None, train: bool | None = None) -> Subject:
    """A Subject of a copy of the layer in float64, built on the shapes of its inputs.

    inputs: of call, by name or in order. train: what `training` is given, where call takes it.
    Raises UsageError on a backend other than torch and JAX, and where shapes must be given.
    """
    backend = _backend()
    if _is_loss(obj):
        return _of_loss(obj, inputs)
    layer = Running(obj, train)
    if inputs is None:
        inputs = layer.found()
    declared, build = nested.declare(inputs, layer.owner)
    layer.places = fit(inputs, layer.takes, f"{layer.owner}.call")
    layer.data, layer.nest = declared, build
    dims = layer.build()
    parameters = {
        name: array(" ".join(map(str, value.shape))) for name, value in layer.weights.items()
    }
    whole: dict[str, Input] = {**declared, **parameters}
    fields: dict[str, Any] = {
        "name": layer.owner, "dims": dims, "kinks": "autodiff", "traits": layer.traits(),
        "recipe": recipe_of(obj),
    }  # fmt: skip
    if backend == "jax":
        return jax.from_run(layer.run, whole, **fields)
    hooks = layer.hooks()
    differentiable = [n for n, item in whole.items() if item.differentiable]
    autograd = Autograd(layer.run, differentiable, hooks=hooks)
    fields |= {"backend": "torch", "remarks": hooks.remarks}
    return Subject(forward=autograd.forward, vjp=autograd.vjp, inputs=whole, **fields)


def _is_loss(obj: Any) -> bool:
    return isinstance(obj, sys.modules["keras"].losses.Loss)


def _of_loss(obj: Any, inputs: Mapping[str, Any] | None) -> Subject:
    """A Subject of a loss object, which computes in a dtype of its own: here in float64."""
    made = object.__new__(type(obj))
    vars(made).update(vars(obj))
    made._dtype_policy = sys.modules["keras"].dtype_policies.get("float64")
    made._dtype = "float64"

    def loss(y_true: Any, y_pred: Any) -> Any:
        with full_precision():
            return made(y_true, y_pred)

    if _backend() == "torch":
        subject = torch_tensors.from_function(loss, inputs, recipe_of(obj))
    else:
        subject = jax.adapt(loss, inputs).but(recipe=recipe_of(obj))
    return subject.but(name=type(obj).__name__)


def _backend() -> str:
    name = str(sys.modules["keras"].backend.backend())
    if name not in ("torch", "jax"):
        raise UsageError(f"keras runs on {name!r} here: set KERAS_BACKEND to 'torch' or 'jax'")
    return name


class Running:
    """A float64 copy of a layer, called with its weights from outside."""

    def __init__(self, obj: Any, train: bool | None) -> None:
        self.owner = type(obj).__name__
        self.obj, self.train = obj, train
        takes = without(arguments(obj.call), "training")
        # Keras takes tensors alone by position; what a call is given by name may be anything.
        self.takes = replace(takes, keyword_only=frozenset(takes.names[1:]))
        self.places: dict[str, str] = {}
        self.data: dict[str, Input] = {}
        self.nest: nested.Build = dict
        self.layer = copy_of(obj)
        self.weights: dict[str, Any] = {}

    def build(self) -> dict[str, tuple[int, int]]:
        """Call the layer once so that it has weights; sizes it was built for are pinned."""
        names = probing.names_of(self.data)
        # Leading axes of Keras layers are free: try with one set of sizes, pin what must be.
        sizes = probing.first_sizes(names, {}, 3)
        if self.obj.built:
            self._load()
            known = {n for v in self.obj.weights for n in v.shape}
            return probing.pinned(self._runs, names, known)
        values = self._native(probing.numbers(self.data, sizes))
        try:
            with full_precision():
                call(self.layer, self.takes, self._arguments(values))
        except Exception as error:  # whatever a layer raises at inputs it does not take
            shapes = ", ".join(f"{n}: {tuple(v.shape)}" for n, v in values.items() if _is_array(v))
            raise UsageError(
                f"{self.owner}: call raised {describe(error)} at inputs of shapes {shapes}"
            ) from error
        self._load()
        pins = {n: s for n, s in sizes.items() if not self._runs({**sizes, n: s + 1})}
        return {name: (size, size) for name, size in pins.items()}

    def traits(self) -> set[str]:
        """Keras layers that draw hold the state of their generators as variables."""
        draws = any("seed" in v.path for v in self.layer.non_trainable_variables)
        return {"autograd", "stochastic"} if draws and self.train else {"autograd"}

    def hooks(self) -> Hooks:
        """Those of the layer's own weights, which are parameters of torch."""
        own = self.obj.trainable_variables if self.obj.built else []
        return Hooks({name: v.value for name, v in zip(self.weights, own, strict=False)})

    def _load(self) -> None:
        if self.obj.built and not self.layer.built:
            shape = getattr(self.obj, "_build_shapes_dict", None) or {}
            self.layer.build(**shape)
        if self.obj.built:
            self.layer.set_weights(self.obj.get_weights())
        self.weights = _named(self.layer.trainable_variables)

    def _runs(self, sizes: Mapping[str, int]) -> bool:
        if not probing.fits(self.data, sizes):
            return False
        values = self._native(probing.numbers(self.data, sizes))
        return probing.succeeds(
            self.run, {**values, **{n: v.value for n, v in self.weights.items()}}
        )

    def run(self, values: Mapping[str, Any]) -> Any:
        """Call the layer at these inputs and weights; its own variables keep their values."""
        trainable = [values[name] for name in self.weights]
        others = [v.value for v in self.layer.non_trainable_variables]
        extra = {} if self.train is None else {"training": bool(self.train)}

        def stateless(*args: Any, **kwargs: Any) -> Any:
            return self.layer.stateless_call(trainable, others, *args, **kwargs, **extra)[0]

        with full_precision():
            return call(stateless, self.takes, self._arguments(values))

    def _arguments(self, values: Mapping[str, Any]) -> dict[str, Any]:
        data = {name: values[name] for name in self.data}
        return {self.places[name]: value for name, value in self.nest(data).items()}

    def _native(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return tensors(values) if _backend() == "torch" else jax.to_jax(values)

    def found(self) -> Mapping[str, Any]:
        """Shapes of the inputs, by trial on spare copies."""
        names = [n for n in self.takes.names if n in self.takes.required]
        names = names or list(self.takes.positional[:1])
        known = {n for v in self.obj.weights for n in v.shape} if self.obj.built else set()

        def tried(values: Mapping[str, Any]) -> Any:
            return call(copy_of(self.obj), self.takes, dict(values))

        declared = find_declaration(tried, names, known) if _backend() == "torch" else None
        if declared is None:
            example = ", ".join(f'"{n}": "batch features"' for n in names or ["x"])
            raise UsageError(f"{self.owner}: give the shapes of its inputs: inputs={{{example}}}")
        found: Mapping[str, Any] = declared
        return found


def _is_array(value: Any) -> bool:
    return hasattr(value, "shape")


def _named(variables: list[Any]) -> dict[str, Any]:
    """`dense_3/kernel` is `kernel`, with dots where layers are nested; all of it where two are."""
    short = [v.path.split("/", 1)[-1].replace("/", ".") for v in variables]
    if len(set(short)) < len(short):
        short = [v.path.replace("/", ".") for v in variables]
    return dict(zip(short, variables, strict=True))
