"""Numbers that a NumPy layer compares its inputs with: thresholds, guards at one value, knots.

Forward and vjp run once on arrays that note what they, and whatever is made of them, are compared
with. No search finds `x == 0.3`, where a gradient is wrong at that number alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from gradcheck.case import Case
from gradcheck.evaluation import ClaimRaised, ForwardRaised
from gradcheck.subject import Subject

ORDER = ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")
COMPARING = frozenset((*ORDER, "maximum", "minimum", "fmax", "fmin", "clip"))
WITHIN = frozenset((np.isclose, np.allclose, np.searchsorted, np.digitize, np.interp))
# A longer array that is compared with is data, not a constant.
FEW = 8


def compared(case: Case) -> dict[str, list[float]]:
    """By input, the constants that it, or what is computed from it, is compared with."""
    notes: dict[str, list[float]] = {name: [] for name in case.subject.differentiable}
    if case.subject.backend != "numpy":
        return notes
    try:
        case.evaluator.raw_forward(_watched(case.subject, case.fresh(), notes))
        cotangents = tuple(map(case.copied, case.cotangents))
        case.evaluator.vjp(case.packed(cotangents), _watched(case.subject, case.fresh(), notes))
    except (ForwardRaised, ClaimRaised):
        return notes  # it takes no subclass of an array: what was noted until then
    return {name: list(dict.fromkeys(found)) for name, found in notes.items()}


def _watched(
    subject: Subject, arrays: Mapping[str, Any], notes: dict[str, list[float]]
) -> dict[str, Any]:
    return {
        name: _watching(value, frozenset((name,)), notes) if name in notes else value
        for name, value in arrays.items()
    }


class Watching(np.ndarray):
    """An array that notes the constants it is compared with, and makes others of its kind."""

    names: frozenset[str]
    notes: dict[str, list[float]]

    def __array_finalize__(self, made_from: Any) -> None:
        self.names = getattr(made_from, "names", frozenset())
        self.notes = getattr(made_from, "notes", {})

    def __getitem__(self, key: Any) -> Any:
        return _watching(super().__getitem__(key), self.names, self.notes)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if ufunc.__name__ in COMPARING and method == "__call__":
            self._note(inputs)
        if "out" in options:
            options["out"] = tuple(map(_plain, options["out"]))
        names = frozenset().union(*(x.names for x in inputs if isinstance(x, Watching)))
        made = getattr(ufunc, method)(*map(_plain, inputs), **options)
        if isinstance(made, tuple):
            return tuple(_watching(part, names, self.notes) for part in made)
        return _watching(made, names, self.notes)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function in WITHIN:
            self._note(args)
        made = super().__array_function__(function, types, args, kwargs)
        return _watching(made, self.names, self.notes)

    def _note(self, operands: Iterable[Any]) -> None:
        operands = list(operands)
        watched = [x for x in operands if isinstance(x, Watching)]
        numbers = [float(c) for x in operands for c in _constants(x)]
        for name in frozenset().union(*(x.names for x in watched)):
            self.notes[name] += [c for c in numbers if math.isfinite(c)]


def _constants(operand: Any) -> list[float]:
    if isinstance(operand, Watching) or not isinstance(
        operand, int | float | list | np.ndarray | np.generic
    ):
        return []
    array = np.asarray(operand)
    return list(array.ravel()) if array.dtype.kind in "fiu" and array.size <= FEW else []


def _watching(value: Any, names: frozenset[str], notes: dict[str, list[float]]) -> Any:
    """Floating point arrays and numbers, as arrays that watch; anything else as it is."""
    if not isinstance(value, np.ndarray | np.generic) or value.dtype.kind != "f":
        return _plain(value)
    made = np.asarray(value).view(Watching)
    made.names, made.notes = names, notes
    return made


def _plain(value: Any) -> Any:
    return value.view(np.ndarray) if isinstance(value, Watching) else value
