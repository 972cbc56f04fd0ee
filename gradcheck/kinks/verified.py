"""What forward says close by: whether the sides are gradients, and whether it jumps."""

from __future__ import annotations

import math

import numpy as np

from gradcheck.judgement.case import Case, replaced
from gradcheck.judgement.confirm import honest, widened
from gradcheck.kinks.neighbourhood import DELTA, Neighbourhood, Way
from gradcheck.oracles.finite_difference import SKIPPED

# Where a side is verified: further out, so that a whole stencil fits between it and the kink.
# Along w itself no kink through the point is crossed.
OUT = 2.0**-12
# Resolution at which a side counts as verified.
VERIFIED = 1e-5
# At which it is not contradicted at least, where noise lets no line see more.
FAINTLY = 2.0**-6
# Share of the larger outputs that a jump must exceed: less is rounding.
VISIBLE = 2.0**-40


def seen(around: Neighbourhood) -> float:
    """How well the watched claim on the sides is known to be the derivative there, on the way out.

    The coarsest relative error that would have been seen; inf where forward contradicts a side.
    """
    worst = 0.0
    for w in (around.pattern(0, positive=True), around.pattern(1)):
        for sign in (1.0, -1.0):
            worst = max(worst, side_seen(around, w, sign))
            if worst == math.inf:
                return worst
    return worst


def side_seen(around: Neighbourhood, w: Way, sign: float) -> float:
    """The same along one way out."""
    return max(_side_seen(around, name, w, sign) for name in around.watched)


def _side_seen(around: Neighbourhood, name: str, w: Way, sign: float) -> float:
    best = math.inf
    for out in (OUT, OUT / 32):
        best = min(best, _seen_at(around, name, sign * out, w))
        if best <= VERIFIED:
            break
    return best


def _seen_at(around: Neighbourhood, name: str, step: float, w: Way) -> float:
    try:
        moved, ways = _left(around, step, w)
    except SKIPPED:
        return math.inf
    if not math.isfinite(moved.backend.max_abs(moved.claim[name])):
        return math.inf
    way = ways[name]
    result = moved.compare(moved.line({name: way}, reach=abs(step) / 2))
    if not result.agreed:
        result = widened(result, honest(moved, name, way))
    return result.resolution if result.agreed else math.inf


def way_seen(around: Neighbourhood, w: Way) -> float:
    """The same where all that moves goes on together: no kink through the point is crossed."""
    best = math.inf
    for out in (OUT, OUT / 32):
        try:
            moved, ways = _left(around, out, w)
        except SKIPPED:
            continue
        result = moved.compare(moved.line(ways, reach=out / 2))
        best = min(best, result.resolution if result.agreed else math.inf)
    return best


def _left(around: Neighbourhood, step: float, w: Way) -> tuple[Case, Way]:
    """The case at a place some way out, and how each input came there."""
    case, combine = around.case, around.case.backend.combine
    places, out = around.place(step, w), abs(step)
    ways = {n: combine([1.0 / out, -1.0 / out], [x, case.x(n)]) for n, x in places.items()}
    return case.at(replaced(case.problem, places)), ways


def jumps(around: Neighbourhood) -> bool:
    """Whether forward itself leaps at the point: there is no derivative, whatever is claimed.

    It then moves about as far over an ulp as over DELTA.
    """
    case = around.case
    height = VISIBLE * max((case.backend.max_abs(y) for y in case.base), default=0.0)
    w = around.pattern(0, positive=True)
    least = around.least(w)
    for sign in (1.0, -1.0):
        far, near = (_moved_by(around, sign * s, v) for s, v in ((DELTA, w), (1.0, least)))
        if near > max(0.5 * far, height):
            return True
    return False


def _moved_by(around: Neighbourhood, step: float, w: dict[str, np.ndarray]) -> float:
    """How far some output moves over a step; NaN where forward raises."""
    case, backend = around.case, around.case.backend
    try:
        outputs = case.problem.forward(around.point(step, w))
    except SKIPPED:
        return math.nan
    changes = [backend.subtract(y, y0) for y, y0 in zip(outputs, case.base, strict=True)]
    return max((backend.max_abs(d) for d in changes), default=0.0)
