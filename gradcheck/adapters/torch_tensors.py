"""Functions on torch tensors, compiled or not: the gradient is autograd's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any

from gradcheck.adapters import nested, probing
from gradcheck.adapters.signatures import Arguments, arguments, call, fit
from gradcheck.adapters.torch_autograd import (
    Autograd,
    require_torch,
)
from gradcheck.adapters.torch_second import second_of
from gradcheck.adapters.torch_trials import accepts, find_declaration, seen
from gradcheck.errors import UsageError
from gradcheck.inputs import Constant, Input
from gradcheck.subject import Subject

Run = Callable[[dict[str, Any]], Any]  # by argument name
RECOMPILES = 10_000


def from_function(function: Any, inputs: Mapping[str, Any] | None, recipe: str | None) -> Subject:
    """A Subject of a plain, compiled or built-in function on tensors."""
    takes = arguments(function)
    compiled = hasattr(function, "_torchdynamo_orig_callable")

    def run(values: dict[str, Any]) -> Any:
        with unlimited_recompiles() if compiled else nullcontext():
            return call(function, takes, values)

    return subject_of(
        run,
        takes,
        inputs,
        name=getattr(function, "__name__", type(function).__name__),
        kinks="autodiff",
        recipe=recipe,
        traits={"autograd"},
    )


def unlimited_recompiles() -> Any:
    """A context in which torch.compile compiles for every shape, rather than fall back to eager."""
    torch = require_torch()
    names = ("recompile_limit", "accumulated_recompile_limit")
    own = {name: RECOMPILES for name in names if hasattr(torch._dynamo.config, name)}
    return torch._dynamo.config.patch(**own)


def subject_of(
    run: Run,
    takes: Arguments,
    inputs: Mapping[str, Any] | None,
    *,
    name: str,
    claim: type[Autograd] = Autograd,
    pushes: bool = False,
    **fields: Any,
) -> Subject:
    """A Subject of `run`, called with values by argument name; inputs by name or in order.

    pushes: whether it has a forward mode of its own, to be held against the gradient.
    Raises UsageError where the shapes of the inputs must be given.
    """
    if inputs is None:
        inputs = _found(run, takes, name)
    declared, build = nested.declare(inputs, name)
    places = fit(inputs, takes, name)

    def called(values: Mapping[str, Any]) -> Any:
        return run({places[n]: value for n, value in build(values).items()})

    dims = probing.pinned(
        lambda sizes: accepts(called, declared, sizes), probing.names_of(declared), _sizes(declared)
    )
    fields |= seen(called, declared, dims).fields(fields.get("traits", ()))
    autograd = claim(called, [n for n, item in declared.items() if item.differentiable])
    return Subject(
        name=name,
        forward=autograd.forward,
        vjp=autograd.vjp,
        later=autograd.later,
        jvp=autograd.jvp if pushes else None,
        inputs=declared,
        dims=dims,
        second=second_of(autograd, declared, dims),
        second_offered=True,
        backend="torch",
        **fields,
    )


def _sizes(declared: Mapping[str, Input]) -> set[int]:
    """Sizes written as numbers in the shapes, and those of constant arrays."""
    shown = {n for item in declared.values() for n in item.shape.sizes(_any_size(item), ())}
    constants = [i.value for i in declared.values() if isinstance(i, Constant)]
    return shown | {n for value in constants for n in getattr(value, "shape", ())}


def _any_size(item: Input) -> dict[str, int]:
    return dict.fromkeys(item.shape.names, 0)


def _found(run: Run, takes: Arguments, name: str) -> Mapping[str, Any]:
    names = [n for n in takes.names if n in takes.required] or list(takes.positional[:1])
    if not names and takes.more:
        names = ["*0"]
    found = find_declaration(lambda values: run(dict(values)), names, ()) if names else None
    if found is None:
        example = ", ".join(f'"{n}": "batch features"' for n in takes.names or ["x"])
        raise UsageError(f"{name}: no shape it takes was found: give inputs={{{example}}}")
    return {"x" if n == "*0" else n: shape for n, shape in found.items()}
