"""Reading a callable's arguments, and fitting declared inputs to them by name, then by order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

from gradcheck.callables import signature_of
from gradcheck.errors import UsageError


@dataclass(frozen=True)
class Arguments:
    """What a callable takes: names in order, those it must be given, and whether it takes more."""

    names: tuple[str, ...] = ()
    required: frozenset[str] = frozenset()
    keyword_only: frozenset[str] = frozenset()
    more: bool = True
    options: bool = False  # whether it takes any name

    @property
    def positional(self) -> tuple[str, ...]:
        return tuple(name for name in self.names if name not in self.keyword_only)


def arguments(function: Callable[..., Any], skip: int = 0) -> Arguments:
    """The arguments of `function`, less the first `skip`; anything goes where none can be read."""
    try:
        parameters = list(signature_of(function).parameters.values())[skip:]
    except (TypeError, ValueError):
        return Arguments()
    plain = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    return Arguments(
        tuple(p.name for p in plain),
        frozenset(p.name for p in plain if p.default is p.empty),
        frozenset(p.name for p in plain if p.kind is p.KEYWORD_ONLY),
        any(p.kind is p.VAR_POSITIONAL for p in parameters),
        any(p.kind is p.VAR_KEYWORD for p in parameters),
    )


def without(takes: Arguments, name: str) -> Arguments:
    """The same arguments, less one that is given in another way."""
    return Arguments(
        tuple(n for n in takes.names if n != name),
        takes.required - {name},
        takes.keyword_only - {name},
        takes.more,
        takes.options,
    )


def fit(
    names: Iterable[str], takes: Arguments, owner: str, others: Collection[str] = ()
) -> dict[str, str]:
    """Input name -> argument name: equal names first, the rest by order.

    others: names that are no arguments (parameters of a module). Raises UsageError for an input
    that finds no place and for an argument that needs one.
    """
    names = [name for name in names if name not in others or name in takes.names]
    taken = {name: name for name in names if name in takes.names}
    free = iter([name for name in takes.positional if name not in taken])
    extra = 0
    for name in names:
        if name in taken:
            continue
        slot = next(free, None)
        if slot is None and takes.more:
            slot, extra = f"*{extra}", extra + 1
        if slot is None and takes.options:
            slot = name
        if slot is None:
            place = ", ".join(takes.names) or "no arguments"
            raise UsageError(f"{owner} takes {place}: there is no place for input {name!r}")
        taken[name] = slot
    missing = [n for n in takes.names if n in takes.required and n not in taken.values()]
    if missing:
        example = ", ".join(f'"{n}": "batch features"' for n in missing)
        raise UsageError(f"{owner} needs {missing[0]!r}: add it to the inputs, as in {{{example}}}")
    return taken


def call(function: Callable[..., Any], takes: Arguments, values: dict[str, Any]) -> Any:
    """Call with values by argument name: by position as far as there is no gap, then by name."""
    by_position, by_name = [], {}
    gap = False
    for name in takes.names:
        if name not in values:
            gap = True
        elif gap or name in takes.keyword_only:
            by_name[name] = values[name]
        else:
            by_position.append(values[name])
    if takes.options:
        by_name |= {n: v for n, v in values.items() if n not in takes.names and n[0] != "*"}
    extra = [values[f"*{k}"] for k in range(len(values)) if f"*{k}" in values]
    return function(*by_position, *extra, **by_name)
