"""Kinks at constants hidden in the code, found and not guessed: examples right at them.

Along a line on which all entries of an input are equal, the claim of a threshold, a clip or a
piecewise formula jumps. Bisection leads to the two neighbouring floats between which it does: one
of them is the constant. Where NumPy code compares its inputs with a number, that is tried itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from gradcheck.case import Case
from gradcheck.compared import compared
from gradcheck.evaluation import ClaimRaised, Evaluator, ForwardRaised
from gradcheck.examples import Example, arrays_of, canonical
from gradcheck.inputs import Array
from gradcheck.subject import Subject
from gradcheck.values import inside

# Where constants usually lie: half units around zero, small margins, large cutoffs. A little off,
# so that no constant is met by chance.
OFF = 1.0 + 2.0**-7
GRID = tuple(
    float(sign * OFF * size)
    for sign in (-1.0, 1.0)
    for size in (1e-8, 1e-6, 1e-4, 1e-2, *np.arange(0.25, 8.25, 0.5), 12, 17, 24, 40, 90, 1000)
)
MOST, MOST_NAMED = 2, 4  # constants an input: found, and named by the code
TINY = 1e-100
# A smooth gradient changes by as little from a constant to its neighbours, a guard by all.
NEAR, NOTICED = 2.0**-20, 2.0**-10
SECONDS = 0.25
BESIDE = 2.0**-6
CLEARLY = 4  # digits
# Change over the smaller change beside it: 1 or so where a gradient is smooth.
SUDDEN = 4.0
# Halvings from one node of the grid to two neighbouring floats, zero between them not counted.
HALVINGS = 70
# Share of the change that a half must keep, and after how many halvings curvature shows.
KEPT, SOON = 0.9, 6
ROUNDING = 2.0**-30


def corners(subject: Subject, evaluator: Evaluator, seed: int) -> Iterator[Example]:
    """Examples with one input at a constant where its gradient jumps: all entries, and some.

    Looks as long as calls of the subject have taken less than a quarter of a second.
    """
    starts = list(canonical(subject, seed))
    if not starts:
        return
    named = compared(_case(subject, evaluator, starts[0]))
    small = [e for e in starts if all(size == 1 for _, size in e.sizes)][:1]
    for name, item in subject.inputs.items():
        if name not in subject.differentiable or not _free(item) or evaluator.seconds > SECONDS:
            continue
        line = _Line(subject, evaluator, starts[0], name)
        found = [_written(*pair) for pair in _jumps(line)]
        known = {value for constants in found for value in constants}
        for constants in (*found, *_named(line.some(), named[name], known)):
            for start in (*small, starts[0]):
                yield from (_at(start, name, (value,)) for value in constants)
            yield _at(starts[0], name, (*constants, None))
            # And beside it: what begins there goes on.
            low, high, gap = constants[0], constants[-1], BESIDE * abs(constants[0])
            yield _at(starts[0], name, tuple(inside(item, (low - gap, high + gap))))


def _named(line: _Line, constants: Iterable[float], known: set[float]) -> list[tuple[float]]:
    """Of the numbers that the code compares an input with, those at which its claim is not what
    it is beside them: a guard at one value jumps nowhere else, and no bisection meets it."""
    found: list[tuple[float]] = []
    for constant in constants:
        for value in inside(line.item, (constant, -constant)):
            if abs(value) < TINY or value in known or len(found) == MOST_NAMED:
                continue
            known.add(value)
            here = line(value)
            beside = inside(line.item, (value * (1 - NEAR), value * (1 + NEAR)))
            if any(_differ(here, line(t), line.floor) for t in beside):
                found.append((value,))
    return found


def _differ(a: np.ndarray, b: np.ndarray, floor: float) -> bool:
    """Whether an entry changes by more than any but a steep gradient does over so little."""
    if a.shape != b.shape:
        return True
    sizes = np.maximum(np.abs(a), np.abs(b))
    return not np.all(np.abs(a - b) <= NOTICED * sizes + floor)


def _written(low: float, high: float) -> tuple[float, ...]:
    """The one that somebody would write, 0.3 and not 0.30000000000000004; both where unclear.

    Beside a kink by one ulp no declared convention holds, and nobody could tell.
    """
    lengths = len(repr(low)), len(repr(high))
    if abs(lengths[0] - lengths[1]) < CLEARLY:
        return low, high
    return (low,) if lengths[0] < lengths[1] else (high,)


def _at(start: Example, name: str, among: tuple[float | None, ...]) -> Example:
    fills = ((n, replace(how, among=among) if n == name else how) for n, how in start.fills)
    return replace(start, fills=tuple(fills))


def _free(item: Any) -> bool:
    if not isinstance(item, Array) or item.complex or item.values is not None:
        return False
    return item.domain is None or item.domain.onto is None


def _jumps(line: _Line) -> list[tuple[float, float]]:
    """Pairs of neighbouring floats between which the claim jumps; zero, which is always tried,
    is left out."""
    nodes = [(t, line(t)) for t in sorted(inside(line.item, GRID))]
    changes = [_apart(a[1], b[1]) for a, b in pairwise(nodes)]
    found = []
    for k, (low, high) in enumerate(pairwise(nodes)):
        beside = [changes[j] for j in (k - 1, k + 1) if 0 <= j < len(changes)]
        if changes[k] > SUDDEN * min(beside, default=0.0) + line.floor and math.isfinite(
            changes[k]
        ):
            pair = _bisected(line, low, high, changes[k])
            if pair is not None and min(map(abs, pair)) > TINY:
                found.append(pair)
    return found[:MOST]


def _case(subject: Subject, evaluator: Evaluator, start: Example) -> Case:
    return Case(subject, start, arrays_of(subject, start), evaluator.backend, evaluator)


class _Line:
    """The claim for one input as a function of the value that all its entries have, or some."""

    def __init__(self, subject: Subject, evaluator: Evaluator, start: Example, name: str) -> None:
        self.case, self.name = _case(subject, evaluator, start), name
        item = subject.inputs[name]
        assert isinstance(item, Array)
        self.item = item
        self.floor = 0.0
        self.where = np.ones(self.case.numbers[name].shape, dtype=bool)

    def some(self) -> _Line:
        """The same with every second entry left as it is: all alike, a normalised row is zero."""
        self.where.reshape(-1)[1::2] = False
        self.floor = 0.0
        return self

    def __call__(self, t: float) -> np.ndarray:
        """Flat; NaN where forward or vjp raises."""
        values = np.where(self.where, t, self.case.numbers[self.name])
        try:
            gradient = self._gradient({**self.case.numbers, self.name: values})
        except (ClaimRaised, ForwardRaised, KeyError, TypeError, ValueError):
            return np.full(1, math.nan)
        finite = gradient[np.isfinite(gradient)]
        self.floor = max(self.floor, ROUNDING * float(np.max(np.abs(finite), initial=0.0)))
        return gradient

    def _gradient(self, numbers: Mapping[str, Any]) -> np.ndarray:
        case = replace(self.case, example=Example((), seed=self.case.example.seed), numbers=numbers)
        claim = case.claim[self.name]
        return np.asarray(case.backend.to_numpy(claim), dtype=float).reshape(-1)


def _bisected(
    line: _Line, low: tuple[float, np.ndarray], high: tuple[float, np.ndarray], jump: float
) -> tuple[float, float] | None:
    """The neighbouring floats of a jump; None where the change is spread out."""
    for halving in range(HALVINGS):
        middle = (low[0] + high[0]) / 2
        if middle in (low[0], high[0]):
            return low[0], high[0]
        here = (middle, line(middle))
        first, second = _apart(low[1], here[1]), _apart(here[1], high[1])
        low, high = (low, here) if first > second else (here, high)
        if halving >= SOON and not max(first, second) > KEPT * jump:
            return None
        jump = min(jump, max(first, second)) if halving < SOON else jump
    return None


def _apart(a: np.ndarray, b: np.ndarray) -> float:
    if a.shape != b.shape:
        return math.nan
    return float(np.max(np.abs(a - b), initial=0.0))
