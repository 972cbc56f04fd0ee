"""What forward says close by: whether the sides are gradients, and whether it jumps."""

from __future__ import annotations

import math

import numpy as np

from gradcheck.judgement.case import replaced
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


def verified(around: Neighbourhood, target: float = VERIFIED) -> bool:
    """Whether the watched claim on the sides is the derivative there, along the way out.

    target: the relative error that must have been seen.
    """
    ways = (around.pattern(0, positive=True), around.pattern(1))
    return all(side_verified(around, w, sign, target) for w in ways for sign in (1.0, -1.0))


def side_verified(around: Neighbourhood, w: Way, sign: float, target: float = VERIFIED) -> bool:
    """The same along one way out."""
    return all(
        any(_verified_at(around, name, sign * out, w, target) for out in (OUT, OUT / 32))
        for name in around.watched
    )


def _verified_at(around: Neighbourhood, name: str, step: float, w: Way, target: float) -> bool:
    case, backend, out = around.case, around.case.backend, abs(step)
    places = around.place(step, w)
    try:
        moved = case.at(replaced(case.problem, places))
    except SKIPPED:
        return False
    if not math.isfinite(backend.max_abs(moved.claim[name])):
        return False
    way = backend.combine([1.0 / out, -1.0 / out], [places[name], case.x(name)])
    result = moved.compare(moved.line({name: way}, reach=out / 2))
    if not result.agreed:
        result = widened(result, honest(moved, name, way))
    return result.agreed and result.resolution <= target


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
