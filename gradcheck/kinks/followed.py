"""The claim along the ways that the claim itself points: what it may have been taken from.

Of a tie of many, random patterns show few. A claim that takes one of them, or an order, or one of
the eigenvectors there are, points at what it took: that way lies its own side.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator

import numpy as np

from gradcheck.kinks.hull import spanned
from gradcheck.kinks.neighbourhood import DELTA, UNTIED, Neighbourhood, Way
from gradcheck.kinks.sides import Sides
from gradcheck.kinks.verified import VERIFIED, side_seen
from gradcheck.oracles.finite_difference import SKIPPED, fresh

# So many entries that were not seen to jump are tried alone.
FEW = 8


def followed(around: Neighbourhood, sides: Sides) -> Sides:
    """The sides with those along the claim added, as far as they are gradients."""
    rows = list(sides.probes)
    for way in _ways(around):
        for sign in (1.0, -1.0):
            row = around.gradient(sign * DELTA / 2, way)
            if np.all(np.isfinite(row)) and side_seen(around, way, sign) <= VERIFIED:
                rows.append(row)
    return dataclasses.replace(sides, probes=np.stack(rows))


def unseen(around: Neighbourhood, sides: Sides) -> bool:
    """Whether only what was not seen speaks against the claim: in a tie of more than were tried.

    Of the entries that never jumped and yet are claimed to, a few are tried by themselves.
    """
    dark = sides.outside & (sides.high - sides.low <= sides.tolerance)
    if not dark.any() or (sides.outside & ~dark).any():
        return not sides.outside.any() and not spanned(sides)
    tried = np.random.default_rng(around.seed).permutation(np.flatnonzero(dark))[:FEW]
    rows = list(sides.probes)
    for entry in tried:
        way = around.single(int(entry))
        rows += [around.gradient(sign * DELTA / 2, way) for sign in (1.0, -1.0)]
    fuller = dataclasses.replace(sides, probes=np.stack(rows))
    return bool(np.all(np.isfinite(fuller.probes)) and not fuller.outside[tried].any())


def _ways(around: Neighbourhood) -> Iterator[Way]:
    """Along the claim, and along those at cotangents 1, 2, 3, ... and back: the outputs' order."""
    yield _untied(around, around.case.claim)
    backend, problem = around.case.backend, around.case.problem
    like = [backend.to_numpy(u) for u in around.case.cotangent]
    for step in (1, -1):
        ranks = [np.arange(1, u.size + 1)[::step].reshape(u.shape).astype(u.dtype) for u in like]
        given = tuple(backend.from_numpy(np.ascontiguousarray(r)) for r in ranks)
        try:
            yield _untied(around, problem.vjp(given, fresh(problem)))
        except SKIPPED:
            return


def _untied(around: Neighbourhood, claim: Way) -> Way:
    backend, way = around.case.backend, {}
    for name, v in around.pattern(600).items():
        g, random = backend.to_numpy(claim[name]), backend.to_numpy(v)
        size = float(np.max(np.abs(g), initial=0.0))
        size = size if 0.0 < size < math.inf else math.inf
        moved = np.where(random == 0, 0, g / size) * around.units[name] + UNTIED * random
        way[name] = backend.from_numpy(np.asarray(moved, dtype=random.dtype))
    return way
