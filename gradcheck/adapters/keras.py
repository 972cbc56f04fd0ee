"""Keras 3 layers on the torch or JAX backend: weights become inputs, the gradient is autograd's."""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

from gradcheck.adapters import jax, nested, probing
from gradcheck.adapters.recipes import recipe_of
from gradcheck.adapters.signatures import arguments, call, fit, without
from gradcheck.adapters.torch_autograd import Autograd, find_declaration, tensors
from gradcheck.errors import UsageError
from gradcheck.inputs import Input, array
from gradcheck.subject import Subject

NAME = "a Keras 3 layer"
OPTIONS = frozenset(("train",))


def knows(obj: Any) -> bool:
    keras = sys.modules.get("keras")
    layer = getattr(getattr(keras, "layers", None), "Layer", None)
    return layer is not None and isinstance(obj, layer)


def adapt(obj: Any, inputs: Mapping[str, Any] | None = None, train: bool | None = None) -> Subject:
    """A Subject of a copy of the layer in float64, built on the shapes of its inputs.

    inputs: of call, by name or in order. train: what `training` is given, where call takes it.
    Raises UsageError on a backend other than torch and JAX, and where shapes must be given.
    """
    backend = _backend()
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
    autograd = Autograd(layer.run, [n for n, item in whole.items() if item.differentiable])
    return Subject(
        forward=autograd.forward, vjp=autograd.vjp, inputs=whole, backend="torch", **fields
    )


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
        self.takes = without(arguments(obj.call), "training")
        self.places: dict[str, str] = {}
        self.data: dict[str, Input] = {}
        self.nest: nested.Build = dict
        self.layer = _copy(obj)
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
        with _full_precision():
            call(self.layer, self.takes, self._arguments(values))
        self._load()
        pins = {n: s for n, s in sizes.items() if not self._runs({**sizes, n: s + 1})}
        return {name: (size, size) for name, size in pins.items()}

    def traits(self) -> set[str]:
        """Keras layers that draw hold the state of their generators as variables."""
        draws = any("seed" in v.path for v in self.layer.non_trainable_variables)
        return {"autograd", "stochastic"} if draws and self.train else {"autograd"}

    def _load(self) -> None:
        if self.obj.built and not self.layer.built:
            shape = getattr(self.obj, "_build_shapes_dict", None) or {}
            self.layer.build(**shape)
        if self.obj.built:
            self.layer.set_weights(self.obj.get_weights())
        self.weights = {_short(v.path): v for v in self.layer.trainable_variables}

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

        with _full_precision():
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
            return call(_copy(self.obj), self.takes, dict(values))

        declared = find_declaration(tried, names, known) if _backend() == "torch" else None
        if declared is None:
            example = ", ".join(f'"{n}": "batch features"' for n in names or ["x"])
            raise UsageError(f"{self.owner}: give the shapes of its inputs: inputs={{{example}}}")
        found: Mapping[str, Any] = declared
        return found


def _copy(obj: Any) -> Any:
    """An unbuilt float64 copy from the layer's configuration, or a deep copy where it has none."""
    try:
        made = type(obj).from_config(obj.get_config())
    except Exception:  # noqa: BLE001 - a layer of the user's need not be serialisable
        made = copy.deepcopy(obj)
    for part in made._flatten_layers():
        part.dtype_policy = "float64"
    return made


@contextmanager
def _full_precision() -> Iterator[None]:
    """Keep float64 in float64: Keras's promotion rules make float32 of it, as JAX's do."""
    with jax.x64() if _backend() == "jax" else nullcontext():
        yield from _unnarrowed()


def _unnarrowed() -> Iterator[None]:
    rules = getattr(
        sys.modules.get("keras.src.backend.common.dtypes"), "BIT64_TO_BIT32_DTYPE", None
    )
    if not isinstance(rules, dict) or "float64" not in rules:
        yield
        return
    narrowed = rules.pop("float64")
    try:
        yield
    finally:
        rules["float64"] = narrowed


def _short(path: str) -> str:
    """`dense_3/kernel` -> `kernel`; inner layers keep their names, with dots."""
    return path.split("/", 1)[-1].replace("/", ".")
