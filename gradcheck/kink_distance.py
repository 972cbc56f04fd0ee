"""How far from an example the nearest kink lies: the coverage that random points never show.

The subject's own gradient is asked along one random line through the point, in the units of each
input, at powers of ten. A smooth gradient changes ten times less at a tenth of the way; where it
does not, bisection tells a jump from mere curvature.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.evaluation import ClaimRaised, ForwardRaised
from gradcheck.judgement.problem import Domain
from gradcheck.oracles import directions

if TYPE_CHECKING:
    from gradcheck.case import Case

AT, NONE = "at the kink", "none within 1"
DECADES = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
# Change over the change of the decade before: 10 where a gradient is smooth, 100 where its first
# derivative vanishes at the point.
SUDDEN = 30.0
# After so many halvings a change is a jump, or smooth only below a millionth of the way.
HALVINGS = 20
JUMP = 0.25
# A gradient's own rounding, of its largest entry.
ROUNDING = 2.0**-36


def distance(case: Case) -> str:
    """A power of ten in units of the inputs' scale, or NONE. 14 calls of vjp if all is smooth."""
    found = [_along(case, sign) for sign in (1.0, -1.0)]
    nearest = min(found)
    return (
        NONE if nearest == math.inf else f"{nearest:.0e}".replace("e-0", "e-").replace("e+00", "")
    )


def _along(case: Case, sign: float) -> float:
    ways = {name: _way(case, name, sign) for name in case.subject.differentiable}
    places = [(t, _gradient(case, ways, t)) for t in (0.0, *DECADES)]
    floor = ROUNDING * max(_largest(gradient) for _, gradient in places)
    change = 0.0
    for low, high in pairwise(places):
        now = _apart(low[1], high[1])
        if not math.isfinite(now):
            return math.inf
        if now > SUDDEN * change + floor and _jumps(case, ways, low, high):
            return high[0]
        change = now
    return math.inf


def _jumps(
    case: Case,
    ways: Mapping[str, Any],
    low: tuple[float, np.ndarray],
    high: tuple[float, np.ndarray],
) -> bool:
    """Whether most of the change between the two happens at one place."""
    largest = _apart(low[1], high[1])
    for _ in range(HALVINGS):
        t = (low[0] + high[0]) / 2
        middle = (t, _gradient(case, ways, t))
        first, second = _apart(low[1], middle[1]), _apart(middle[1], high[1])
        largest = max(largest, first, second)
        if not max(first, second) > JUMP * largest:
            return False
        low, high = (low, middle) if first > second else (middle, high)
    return True


def _way(case: Case, name: str, sign: float) -> Any:
    """A random direction in the input's units, turned back where it would leave the domain."""
    backend, x = case.backend, case.arrays[name]
    v = directions.random_direction(backend, x, case.example.seed + 104729)
    wanted, point = sign * backend.to_numpy(v), backend.to_numpy(x)
    domain = case.domains().get(name)
    if domain is not None:
        wanted = np.where(_outside(point + wanted, domain), -wanted, wanted)
        wanted = np.where(_outside(point + wanted, domain), 0.0, wanted)
    return backend.from_numpy(np.asarray(wanted, dtype=point.dtype))


def _outside(values: np.ndarray, domain: Domain) -> np.ndarray:
    low = -math.inf if domain.low is None else domain.low
    high = math.inf if domain.high is None else domain.high
    return np.asarray((values <= low) | (values >= high))


def _gradient(case: Case, ways: Mapping[str, Any], t: float) -> np.ndarray:
    """All gradients side by side, at the point moved by t; NaN where vjp or forward raises."""
    point = case.fresh()
    for name, way in ways.items():
        point[name] = case.backend.add_scaled(point[name], t, way)
    try:
        claim = case.claim if t == 0.0 else case.vjp(case.cotangents, point)
    except (ClaimRaised, ForwardRaised):
        return np.full(1, math.nan)
    parts = [case.backend.to_numpy(claim[name]).reshape(-1) for name in ways]
    return np.concatenate([np.empty(0), *parts])


def _largest(gradient: np.ndarray) -> float:
    return float(np.max(np.abs(gradient[np.isfinite(gradient)]), initial=0.0))


def _apart(a: np.ndarray, b: np.ndarray) -> float:
    if a.shape != b.shape:
        return math.nan
    with np.errstate(invalid="ignore"):
        return float(np.max(np.abs(a - b), initial=0.0))
