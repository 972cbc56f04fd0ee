"""A failure against the claims along its line: what bends within one step has no one slope there.

The integral of a right claim is the change of the function (the fundamental theorem of calculus),
over however wide a step and across kinks. So where noise asks for steps wider than what there is to
see (a kink among inputs of 1e-9, a gate that shuts within a thousandth), it can still be told
whether the claim is wrong there, or the one number that the step gives.
"""

from __future__ import annotations

import math

import numpy as np

from gradcheck.judgement.allowed import permitted
from gradcheck.judgement.case import Case, claimed_at
from gradcheck.judgement.comparison import Comparison
from gradcheck.judgement.problem import Level
from gradcheck.kinks.neighbourhood import DELTA, EXACT
from gradcheck.oracles import finite_difference as fd
from gradcheck.oracles.directions import Placed
from gradcheck.oracles.noise import SAFETY

# Midpoints over the whole stencil; every third is a midpoint of a third as many, and the
# difference is the error of the sum.
MIDPOINTS = 255
# Share of a disagreement that the claims must change by to explain it, and that their mean must be
# good to.
EXPLAINS, GOOD = 0.5, 0.25
# A claim that wavers by a good part of the disagreement, and all along the line, is rounded, not
# bent. (One jump among the midpoints is fourteen times what it adds to their roughness.)
NOISY, FEW = 8.0, 32
NEAR = (-DELTA, -EXACT, EXACT, DELTA)


def bends(case: Case, name: str, placed: Placed, result: Comparison) -> bool:
    """Whether the claims along the line account for all that contradicts the claim.

    Within the smallest step that contradicts it they then change by as much as the disagreement,
    their mean is what the function changes by, and the claim is no other than those beside it or
    one that a kink allows.
    """
    level = _contradicting(result)
    if level is None:
        return False
    off, nodes = abs(level.estimate - result.returned), placed.stencil.nodes
    low, high = level.step * min(nodes), level.step * max(nodes)
    line = case.line({name: placed.direction}, placed.stencil, placed.reach)
    near = _slopes(case, line, np.array([t for t in NEAR if low <= t <= high]))
    seen = _slopes(case, line, np.array([low, high]))
    if not np.ptp([*near, *seen, result.returned]) > EXPLAINS * off:
        return False
    apart = max(result.returned - np.max(near), np.min(near) - result.returned)
    if apart > GOOD * off and not permitted(case, name):
        return False
    middles = (np.arange(MIDPOINTS) + 0.5) / MIDPOINTS
    slopes = _slopes(case, line, low + (high - low) * middles)
    ends = line.difference(low), line.difference(high)
    if ends[0] is None or ends[1] is None or rounded(slopes, off):
        return False
    changed = (line.project(ends[1]) - line.project(ends[0])) / (high - low)
    mean, error = float(np.mean(slopes)), abs(float(np.mean(slopes) - np.mean(slopes[1::3])))
    # Two values that far apart are less noisy than the derivative that the whole stencil gives.
    noise = level.noise / placed.stencil.amplification * level.step * math.sqrt(2) / (high - low)
    return bool(error <= GOOD * off and abs(mean - changed) <= SAFETY * noise + error)


def rounded(slopes: np.ndarray, off: float) -> bool:
    """Whether what is no trend in the claims is noise: large, and in more than a few places."""
    if not np.all(np.isfinite(slopes)):
        return True
    seconds = np.diff(slopes, 2)
    largest = float(np.max(np.abs(seconds), initial=0.0))
    if off > NOISY * math.sqrt(float(np.mean(seconds**2)) / 6) or largest == 0.0:
        return False
    shares = (seconds / largest) ** 2
    return bool(np.sum(shares) ** 2 > FEW * np.sum(shares**2))


def _contradicting(result: Comparison) -> Level | None:
    """The level of the smallest step, of those to be looked into, that contradicts the claim."""
    against = [
        level
        for level in result.levels
        if 4 * level.step >= EXACT
        and abs(level.estimate - result.returned) > SAFETY * level.noise + level.truncation
    ]
    return min(against, key=lambda level: level.step, default=None)


def _slopes(case: Case, line: fd.Line, places: np.ndarray) -> np.ndarray:
    """<claim, direction> at places along the line; NaN where forward or vjp raises."""
    backend, found = case.backend, []
    for t in places:
        try:
            claim = claimed_at(case.problem, case.cotangent, line.moved(float(t)))
        except fd.SKIPPED:
            found.append(math.nan)
            continue
        found.append(math.fsum(backend.product(claim[n], v)[0] for n, v in line.direction.items()))
    return np.array(found)
