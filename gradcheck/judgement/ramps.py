"""Slopes that last for less than any step: of x / max(|x|, 1e-12) at 0, after a kink.

Numbers that are exactly 0 have no rounding of their own, and can be moved by next to nothing. Where
forward's outputs follow the claims there, and the claim at the point is one of those or between
them, it is right, whatever wider steps see beyond the guard.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gradcheck.judgement.case import Case, hide
from gradcheck.judgement.problem import Judgement, unsettled
from gradcheck.kinks import Neighbourhood, flat
from gradcheck.kinks.followed import untied
from gradcheck.kinks.neighbourhood import Way
from gradcheck.oracles.finite_difference import SKIPPED

# Guards from 1e-8 to 1e-12, their products and squares: narrower than where sides are asked.
LENGTHS = tuple(2.0**-k for k in range(30, 110, 4))
PATTERNS = 12
# Midpoints of the way out, over which the claims are averaged.
MIDPOINTS = (np.arange(8) + 0.5) / 8
# A ramp bends little over some such length. It need not be told to more than this: a claim that is
# less wrong than that at zero alone is left undecided there.
FOLLOWED = 2.0**-5
REASON = "it varies at zero over less than any step, as the claim says"


def undecided(case: Case, name: str, judged: Callable[[Case, str], Judgement]) -> Judgement | None:
    """Undecided where the claim is right next to zero, if it is not wrong for the other entries."""
    zeros = _zeros(case, name)
    if not zeros.any() or not _followed(case, name, zeros):
        return None
    rest = hide(case, name, zeros)
    if not rest.hidden[name].all():
        there = judged(rest, name)
        if there.verdict not in ("correct", "inconclusive"):
            return there
    return unsettled(name, REASON)


def _zeros(case: Case, name: str) -> np.ndarray:
    """Entries that are 0, and free to move both ways."""
    x, domain = case.backend.to_numpy(case.x(name)), case.problem.domains.get(name)
    low = domain is not None and domain.low is not None and domain.low >= 0
    high = domain is not None and domain.high is not None and domain.high <= 0
    if low or high:
        return np.zeros(x.shape, dtype=bool)
    return np.asarray((x == 0) & ~case.hidden[name] if name in case.hidden else x == 0)


def _followed(case: Case, name: str, zeros: np.ndarray) -> bool:
    """Whether forward follows the claims on every way from zero, and they enclose the claim."""
    around = Neighbourhood(case, (name,), case.draw(name, 80))
    where = np.repeat(zeros.reshape(-1), around.claim.size // zeros.size)
    low, high = np.full(around.claim.shape, np.inf), np.full(around.claim.shape, -np.inf)
    ways = [around.pattern(900 + salt, positive=not salt) for salt in range(PATTERNS)]
    for anyhow in (*ways, untied(around, case.claim)):
        v = case.backend.to_numpy(anyhow[name])
        for sign in (1.0, -1.0):
            way = {name: case.backend.from_numpy(np.where(zeros, sign * v, 0).astype(v.dtype))}
            seen = next(filter(len, (_claims(case, around, way, t) for t in LENGTHS)), None)
            if seen is None:
                return False
            low, high = np.minimum(low, seen.min(axis=0)), np.maximum(high, seen.max(axis=0))
    slack = FOLLOWED * np.max(np.maximum(np.abs(low), np.abs(high))[where])
    between = (low - slack <= around.claim) & (around.claim <= high + slack)
    return bool(np.all(between[where]))


def _claims(case: Case, around: Neighbourhood, way: Way, length: float) -> np.ndarray:
    """The claims along a way so long; none where forward does not follow them."""
    nothing = np.zeros((0, around.claim.size))
    try:
        rows = np.stack([around.gradient(length * share, way) for share in MIDPOINTS])
        line = case.line(way)
        change = line.difference(length)
    except SKIPPED:
        return nothing
    if change is None or not np.all(np.isfinite(rows)):
        return nothing
    said = rows @ flat(case.backend.to_numpy(next(iter(way.values()))))
    steady = np.ptp(said) <= FOLLOWED * np.max(np.abs(said))
    off = abs(line.project(change) / length - float(np.mean(said)))
    sharp = off <= FOLLOWED * float(np.max(np.abs(said)))
    return rows if steady and sharp else nothing
