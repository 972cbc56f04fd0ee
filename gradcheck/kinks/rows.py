"""The outputs one by one.

A kink that several outputs share, or a tie that one output breaks one way and another another way:
each output's gradient is then a generalised one of that output, and their sum, which is what a VJP
returns, need not be one of the sum. No automatic differentiation promises more than the rows.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck.judgement.case import Case
from gradcheck.kinks.neighbourhood import DELTA, Neighbourhood
from gradcheck.oracles.finite_difference import SKIPPED

MOST_ROWS = 32
PAIRS = 4
# A smooth output bends by DELTA f'' / f'; its rounding over DELTA is 2^-52 / 2^-20.
BENT = 2.0**-10
ROUNDED = 2.0**-46


def bent_outputs(around: Neighbourhood) -> list[np.ndarray]:
    """By output, True where it is not linear near the point: its own kink lies there."""
    found = [np.zeros(around.case.backend.shape(y), dtype=bool) for y in around.case.base]
    for salt in range(PAIRS):
        try:
            _mark_bends(around, salt, found)
        except SKIPPED:
            continue
    return found


def _mark_bends(around: Neighbourhood, salt: int, found: list[np.ndarray]) -> None:
    """Compare f(x + v + w) - f(x) with f(x + v) - f(x) and f(x + w) - f(x); w = -v, and another."""
    case, backend = around.case, around.case.backend
    v, w = around.pattern(400 + salt), around.pattern(500 + salt)

    def change(a: float, b: float) -> list[np.ndarray]:
        way = {name: backend.combine([a, b], [v[name], w[name]]) for name in v}
        outputs = case.problem.forward(around.point(DELTA / 4, way))
        changes = (backend.subtract(y, y0) for y, y0 in zip(outputs, case.base, strict=True))
        return [backend.to_numpy(d) for d in changes]

    one, back, other, both = change(1, 0), change(-1, 0), change(0, 1), change(1, 1)
    for k, y in enumerate(case.base):
        size = np.maximum(np.abs(one[k]), np.abs(other[k]))
        bend = np.maximum(np.abs(one[k] + back[k]), np.abs(one[k] + other[k] - both[k]))
        found[k] |= bend > BENT * size + ROUNDED * np.abs(backend.to_numpy(y))


def countable(bent: list[np.ndarray]) -> bool:
    """Whether every bent output can be taken by itself."""
    return sum(int(where.sum()) for where in bent) <= MOST_ROWS


def rows(case: Case, bent: list[np.ndarray]) -> Iterator[Case]:
    """The case at the cotangent of one bent output each, or of some; then, if of all, at the rest.

    The cotangents sum to the case's own where the bent outputs are countable.
    """
    places = [(k, int(i)) for k, where in enumerate(bent) for i in np.flatnonzero(where)]
    chosen = np.random.default_rng(case.seed).permutation(len(places))[:MOST_ROWS]
    for place in chosen:
        yield _only(case, [_one(where, places[place], k) for k, where in enumerate(bent)])
    if countable(bent):
        yield _only(case, [~where for where in bent])


def _one(where: np.ndarray, place: tuple[int, int], k: int) -> np.ndarray:
    kept = np.zeros(where.shape, dtype=bool)
    if k == place[0]:
        kept.reshape(-1)[place[1]] = True
    return kept


def _only(case: Case, kept: list[np.ndarray]) -> Case:
    """The case with the cotangent zero but where kept."""
    backend = case.backend
    cotangent = tuple(
        backend.select(backend.from_numpy(keep.astype(np.float64)), u)
        for keep, u in zip(kept, case.cotangent, strict=True)
    )
    return case.asked(cotangent)
