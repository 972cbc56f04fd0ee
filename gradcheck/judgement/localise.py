"""Which entries of a gradient are wrong: bisection along a direction.

The residual of a part is measured; its sibling's is the parent's less that, and measured too
where the subtraction would not say. About k log2(n) measurements for k wrong entries.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, field

import numpy as np

from gradcheck.judgement.case import Case, masked
from gradcheck.judgement.compare import PAIR, clear, pair, pair_error
from gradcheck.judgement.comparison import Comparison
from gradcheck.judgement.jacobian import numerical_gradient
from gradcheck.judgement.problem import WrongEntry
from gradcheck.oracles import finite_difference as fd
from gradcheck.oracles.directions import Placed
from gradcheck.oracles.estimate import settle

MOST_ENTRIES, FEWEST_ENTRIES = 12, 4
# Evaluations: some dozen entries among a million; an entry or two at the least; numbers moved.
MOST_TESTS = 1200
FEWEST_TESTS = 160
WORK = 10**9
# A residual inferred by subtraction is believed from this multiple of the tolerance on.
BELIEVED = 4.0


@dataclass
class Search:
    """Residuals of index ranges of one input, the largest first.

    order: the flat indices that the direction moves. clear: whether the failure is so large that
    single pairs of evaluations show it. tests: evaluations spent.
    """

    case: Case
    name: str
    placed: Placed
    order: np.ndarray
    step: float
    clear: bool
    tests: int = 0
    found: dict[int, float] = field(default_factory=dict)

    def measure(self, start: int, stop: int) -> tuple[float, float]:
        """Residual over order[start:stop], and what it must exceed."""
        keep = np.zeros(self.case.size(self.name), dtype=bool)
        keep[self.order[start:stop]] = True
        v = {self.name: masked(self.case.backend, self.placed.direction, keep)}
        line = self.case.line(v, self.placed.stencil, self.placed.reach)
        said = self.case.said(v)
        if self.clear:
            value, _ = pair(line, PAIR)
            if math.isfinite(value):
                self.tests += 2
                return value - said.value, pair_error(line, said)
        self.tests += 8
        scan = fd.scan(line, self.step)
        if scan is None:
            return math.inf, 0.0
        estimate = settle(line, [scan])
        return estimate.value - said.value, estimate.error + said.margin

    @property
    def most(self) -> int:
        """Evaluations that may be spent: fewer where one moves many millions of numbers."""
        moved = sum(self.case.size(name) for name in self.case.problem.names)
        return max(FEWEST_TESTS, min(MOST_TESTS, WORK // max(1, moved)))

    def run(self, residual: float, tolerance: float) -> dict[int, float]:
        """Flat indices of the wrong entries and their residuals, the largest first."""
        heap = [(-abs(residual), 0, len(self.order), residual, tolerance)]
        enough = MOST_ENTRIES if self.most == MOST_TESTS else FEWEST_ENTRIES
        while heap and len(self.found) < enough and self.tests < self.most:
            _, start, stop, whole, bound = heapq.heappop(heap)
            if stop - start == 1:
                self.found[int(self.order[start])] = abs(whole)
                continue
            for part in self._halves(start, stop, whole, bound):
                heapq.heappush(heap, part)
        return self.found

    def _halves(
        self, start: int, stop: int, whole: float, bound: float
    ) -> list[tuple[float, int, int, float, float]]:
        middle = (start + stop) // 2
        left, left_bound = self.measure(start, middle)
        right, right_bound = whole - left, max(bound, left_bound)
        if abs(right) < BELIEVED * right_bound:
            right, right_bound = self.measure(middle, stop)
        parts = [(start, middle, left, left_bound), (middle, stop, right, right_bound)]
        return [
            (-abs(value), low, high, value, limit)
            for low, high, value, limit in parts
            if abs(value) > limit
        ]


def wrong_entries(
    case: Case, name: str, placed: Placed, result: Comparison
) -> tuple[WrongEntry, ...] | None:
    """The entries that the failed comparison is made of, largest difference first.

    None where each of them, measured by itself and in its own units, agrees with the claim, and
    sharply enough to have seen its share of the failure.
    """
    backend = case.backend
    moved = np.flatnonzero(backend.to_numpy(placed.direction).reshape(-1))
    step = next((level.step for level in result.levels if level.chosen), 2.0**-14)
    search = Search(case, name, placed, moved, step, clear(result))
    found = search.run(result.expected - result.returned, result.tolerance)
    if not found and search.clear:  # too small a part of f(x) for pairs
        search = Search(case, name, placed, moved, step, clear=False)
        found = search.run(result.expected - result.returned, result.tolerance)
    if not found:
        return ()
    indices = list(found)
    values, errors = numerical_gradient(
        case.problem, name, case.cotangent, indices, outputs=case.base, deep=True
    )
    claims = backend.gather(case.claim[name], np.array(indices))
    lengths = np.abs(backend.gather(placed.direction, np.array(indices)))
    gaps = np.abs(values - claims)
    if np.all((gaps <= errors) & (4 * errors * lengths < np.array(list(found.values())))):
        return None
    shape = backend.shape(case.x(name))
    entries = [
        WrongEntry(
            tuple(int(k) for k in np.unravel_index(index, shape)) if shape else (),
            complex(value) if np.iscomplexobj(values) else float(value),
            complex(said) if np.iscomplexobj(claims) else float(said),
        )
        for index, value, error, said in zip(indices, values, errors, claims, strict=True)
        if not abs(value - said) <= error
    ]
    return tuple(sorted(entries, key=lambda e: -_gap(e)))


def _gap(entry: WrongEntry) -> float:
    gap = abs(entry.expected - entry.returned)
    return gap if math.isfinite(gap) else math.inf
