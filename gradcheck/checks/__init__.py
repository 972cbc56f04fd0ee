"""The laws of a VJP, one a file: add yours here with one line."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib import import_module

from gradcheck.checks.base import Check
from gradcheck.errors import UsageError

# In the order they run: stage by stage, cheap before dear.
MODULES = (
    "forward",
    "contract",
    "repeat",
    "side_effects",
    "gradient",
    "linearity",
    "twin",
    "layouts",
    "masks",
    "batch",
    "partial",
    "forward_mode",
    "second_order",
    "precision",
    "devices",
)


@cache
def all_checks() -> dict[str, Check]:
    """Every check by name, in the order they run."""
    found = [import_module(f"gradcheck.checks.{module}").CHECK for module in MODULES]
    return {check.name: check for check in found}


def select(names: Iterable[str] | None) -> list[Check]:
    """The checks of these names; an unknown one is an error that lists the known."""
    known = all_checks()
    if names is None:
        return list(known.values())
    if isinstance(names, str):
        names = [names]
    wanted = list(names)
    for name in wanted:
        if name not in known:
            raise UsageError(f"checks: unknown check {name!r}; known: {', '.join(known)}")
    return [check for name, check in known.items() if name in wanted]
