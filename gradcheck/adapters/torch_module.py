"""torch.nn.Module: its parameters become inputs, the gradient is autograd's."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from gradcheck.adapters import nested, probing
from gradcheck.adapters.recipes import evaluable, recipe_of
from gradcheck.adapters.signatures import Arguments, arguments, call, fit
from gradcheck.adapters.torch_autograd import (
    STATE_DTYPE,
    Autograd,
    loaded_torch,
    require_torch,
    tensors,
)
from gradcheck.adapters.torch_hooks import Hooks
from gradcheck.adapters.torch_packed import packing, unpacked
from gradcheck.adapters.torch_second import second_of
from gradcheck.adapters.torch_tensors import unlimited_recompiles
from gradcheck.adapters.torch_trials import accepts, find_declaration, seen
from gradcheck.errors import UsageError
from gradcheck.inputs import Input, array
from gradcheck.subject import Subject

NAME = "a torch.nn.Module"
OPTIONS = frozenset(("train", "parameters", "frozen"))


def knows(obj: Any) -> bool:
    torch = loaded_torch()
    return torch is not None and isinstance(obj, torch.nn.Module)


def adapt(obj: Any, inputs: Mapping[str, Any] | None = None, **options: Any) -> Subject:
    """A Subject of a module; the module itself is not touched.

    What torch.nn.DataParallel holds is taken out of it: torch calls no copy of that one.

    Every parameter that requires a gradient is an input of its own name; buffers and frozen
    parameters keep their values, and are restored before every evaluation. inputs: of forward, by
    name or in order; a parameter may be declared too (bounds). train: True or False for a mode
    other than the module's own. An input may be a PackedSequence: its numbers are tried, at its own
    lengths. parameters, frozen: names that are, or are not, inputs.
    Raises UsageError where the shapes of the inputs must be given.
    """
    obj = obj.module if isinstance(obj, require_torch().nn.DataParallel) else obj
    module = Running(obj, options)
    if inputs is None:
        inputs = _found(module)
    inputs, packed = unpacked(inputs)
    declared, build = nested.declare(inputs, module.owner)
    data = {n: i for n, i in declared.items() if n not in module.state or n in module.takes.names}
    given = {n: v for n, v in inputs.items() if n not in module.state or n in module.takes.names}
    module.build = packing(build, packed)
    module.places = fit(given, module.takes, f"{module.owner}.forward", module.state)
    module.materialise(data)
    sizes = {n for value in module.state.values() for n in value.shape}
    dims = probing.pinned(
        lambda chosen: accepts(module.run, data, chosen), probing.names_of(data), sizes
    )
    parameters = {n: declared.get(n) or _declared(module.state[n]) for n in module.parameters}
    whole: dict[str, Input] = {**data, **parameters}
    names = [n for n, item in whole.items() if item.differentiable]
    hooks = Hooks({n: p for n, p in obj.named_parameters() if n in module.parameters})
    autograd = Autograd(module.run, names, module.within, hooks)
    return Subject(
        name=module.owner,
        forward=autograd.forward,
        vjp=autograd.vjp,
        later=autograd.later,
        inputs=whole,
        dims=dims,
        second=second_of(autograd, whole, dims),
        second_offered=True,
        owned=frozenset(parameters),
        kinks="autodiff",
        **seen(module.run, whole, dims).fields({"autograd"}, hooks.remarks),
        backend="torch",
        recipe=recipe_of(obj) or (None if hooks else evaluable(obj, "torch.nn")),
    )


class Running:
    """A copy of a module, called with parameters and buffers from outside."""

    def __init__(self, obj: Any, options: Mapping[str, Any]) -> None:
        self.owner = type(getattr(obj, "_orig_mod", obj)).__name__
        self.module = _copy(obj)
        self.compiled = hasattr(obj, "_orig_mod")
        if options.get("train") is not None:
            self.module.train(bool(options["train"]))
        self.options = options
        self.takes: Arguments = arguments(obj.forward)
        self.places: dict[str, str] = {}
        self.build: nested.Build = dict
        self._held: dict[Any, dict[str, Any]] = {}
        self._read_state()

    def _read_state(self) -> None:
        torch = require_torch()
        own = dict(self.module.named_parameters())
        buffers = dict(self.module.named_buffers())
        self.state: dict[str, Any] = {**own, **buffers}
        for option in ("parameters", "frozen"):
            for name in self.options.get(option) or ():
                if name not in own:
                    known = ", ".join(own) or "none"
                    raise UsageError(f"{self.owner}: {option} names {name!r}; it has: {known}")
        wanted, frozen = self.options.get("parameters"), self.options.get("frozen") or ()
        self.parameters = [
            name
            for name, value in own.items()
            if (name in wanted if wanted is not None else value.requires_grad)
            and name not in frozen
        ]
        self.lazy = any(
            isinstance(p, torch.nn.parameter.UninitializedTensorMixin) for p in own.values()
        )
        if self.lazy:
            self.state = {}
        self._find_spots()

    def _find_spots(self) -> None:
        """Where the module keeps each parameter and buffer, at every place of a shared one.

        Found once: torch.func.functional_call looks for them in every call, which takes longer
        than the forward of a small module.
        """
        names = {id(value): name for name, value in self.state.items()}
        self.spots = [
            (members, key, names[id(value)])
            for part in self.module.modules()
            for members in (part._parameters, part._buffers)
            for key, value in members.items()
            if id(value) in names
        ]
        if missing := names.keys() - {id(members[key]) for members, key, _ in self.spots}:
            name = names[missing.pop()]
            raise UsageError(f"{self.owner}: none of its modules keeps its parameter {name!r}")

    def materialise(self, data: Mapping[str, Input]) -> None:
        """Let lazy modules see their first input, so that their parameters have shapes."""
        if not self.lazy:
            return
        sizes = probing.first_sizes(probing.names_of(data), {}, 3)
        values = tensors(probing.numbers(data, sizes))
        self.module.double()
        self._call(self.module, self._arguments(values))
        self._read_state()

    def run(self, values: Mapping[str, Any]) -> Any:
        """Call the module at these inputs; parameters not among them keep their values."""
        own = self._arguments(values)
        with unlimited_recompiles() if self.compiled else nullcontext():
            return self.within(values, lambda: self._call(self.module, own))

    def within(self, values: Mapping[str, Any], call: Callable[[], Any]) -> Any:
        """Call while the module holds these parameters, as in training it does in a backward.

        A checkpoint runs parts of the module again there, and a ctx may hold the module itself.
        """
        state = self._at(require_torch(), values)
        held = [members[key] for members, key, _ in self.spots]
        for members, key, name in self.spots:
            members[key] = state[name]
        try:
            return call()
        finally:
            for (members, key, _), own in zip(self.spots, held, strict=True):
                members[key] = own

    def _at(self, torch: Any, values: Mapping[str, Any]) -> dict[str, Any]:
        """Parameters and buffers of the module at these inputs."""
        state = self._state(torch, _dtype(torch, values, self.state))
        return state | {name: values[name] for name in self.parameters if name in values}

    def _arguments(self, values: Mapping[str, Any]) -> dict[str, Any]:
        data = self.build(values)
        return {self.places[n]: value for n, value in data.items() if n in self.places}

    def _call(self, forward: Any, own: dict[str, Any]) -> Any:
        return call(forward, self.takes, own)

    def _state(self, torch: Any, dtype: Any) -> dict[str, Any]:
        """Buffers and parameters in one precision; buffers fresh, as the module may write them."""
        narrow = getattr(torch, STATE_DTYPE.get() or "float64")
        if (dtype, narrow) not in self._held:
            self._held[dtype, narrow] = {
                name: _cast(_cast(value.detach(), narrow), dtype)
                for name, value in self.state.items()
            }
        parameters = set(self.parameters)
        return {
            name: value if name in parameters else value.clone()
            for name, value in self._held[dtype, narrow].items()
        }


def _copy(module: Any) -> Any:
    """A copy whose plain tensor attributes are float64; the module itself where it cannot be."""
    torch = require_torch()
    try:
        made = copy.deepcopy(module)
    except RuntimeError:  # tensors in a graph cannot be copied
        return module
    for part in made.modules():
        for name, value in list(vars(part).items()):
            if isinstance(value, torch.Tensor) and value.is_floating_point():
                setattr(part, name, value.double())
    return made


def _cast(value: Any, dtype: Any) -> Any:
    if value.is_floating_point():
        return value.to(dtype)
    return value


def _dtype(torch: Any, values: Mapping[str, Any], state: Mapping[str, Any]) -> Any:
    """The precision of this evaluation: that of its floating point inputs."""
    for value in values.values():
        if isinstance(value, torch.Tensor) and value.is_floating_point():
            return value.dtype
    return torch.float64


def _declared(value: Any) -> Input:
    return array(" ".join(map(str, value.shape)), complex=value.is_complex())


def _found(module: Running) -> Mapping[str, Any]:
    """Shapes of the inputs, by trial. Raises UsageError that shows what to write."""
    names: Sequence[str] = [n for n in module.takes.names if n in module.takes.required]
    names = names or list(module.takes.positional[:1])
    module.places = {name: name for name in names}
    sizes = {n for value in module.state.values() for n in value.shape}
    found = find_declaration(module.run, names, sizes) if names and not module.lazy else None
    if found is None:
        example = ", ".join(f'"{n}": "batch features"' for n in names or ["x"])
        raise UsageError(
            f"{module.owner}: no shape that its forward takes was found: give inputs={{{example}}}"
        )
    inputs: Mapping[str, Any] = found
    return inputs
