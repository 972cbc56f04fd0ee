"""The regions that the kinks around a point cut out, visited one after another.

A chain rule that takes one side at each kink returns the gradient of one region. Where kinks act
on each other, as those of two layers do, that gradient is no sum of jumps along one way through,
and among 2^k regions a few random places seldom lie in the right one.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from gradcheck.kinks.hull import beyond
from gradcheck.kinks.neighbourhood import DELTA, UNTIED, Neighbourhood, Way
from gradcheck.kinks.sides import Sides
from gradcheck.kinks.verified import VERIFIED, way_seen
from gradcheck.kinks.walk import HalfTurn

STARTS, SWEEPS = 4, 3
# Gradients asked for: fewer where one is of many numbers.
MOST, WORK = 1000, 10**8
# How far one input goes when others are to decide.
LITTLE = 2.0**-10
# How often what lacks is looked for, and how far each time from straight on: as little as parts a
# tie, and as far as leaves the corner of a cone.
ROUNDS, ASTRAY = 16, (UNTIED, 0.125, 0.5)


def in_some_region(around: Neighbourhood, sides: Sides) -> bool:
    """Whether the claim is the gradient of a region that the inputs can reach, or between such.

    From a random place one thing is changed at a time, as long as that comes nearer to the claim:
    how one input goes, or the side of one kink.
    """
    search = _Search.of(around, sides)
    for salt in range(STARTS):
        search.begin(salt)
        search.turn_inputs(salt)
        turned = search.best
        search.cross_kinks(salt)
        if search.best < turned:
            search.turn_inputs(salt)
        if search.best <= 1.0:
            return way_seen(search.whole, search.way) <= VERIFIED
    return search.closed(sides)


@dataclass
class _Search:
    """whole: all inputs move and all are watched. part: where in it the entries of `sides` are.

    tolerance: of every entry in `whole`. unit: that of what `sides` watch, in theirs. rows: the
    gradients seen, as `sides` has them; left: how many more may be. way, best: the place that is
    nearest so far, and how near: at most 1 where its gradient is the claim.
    """

    whole: Neighbourhood
    part: np.ndarray
    tolerance: np.ndarray
    unit: float
    rows: list[np.ndarray]
    left: int
    way: Way = field(default_factory=dict)
    best: float = np.inf

    @classmethod
    def of(cls, around: Neighbourhood, sides: Sides) -> _Search:
        names = around.case.live
        whole = dataclasses.replace(around, watched=names, moving=names)
        part, unit = whole.part(around.watched)
        # What else moves goes by DELTA too, and the gradient with it.
        moving = 16 * DELTA * float(np.max(np.abs(whole.claim), initial=0.0))
        tolerance = np.full(part.shape, moving)
        tolerance[part] += unit * sides.firm
        return cls(whole, part, tolerance, unit, list(sides.probes), min(MOST, WORK // part.size))

    @cached_property
    def claim(self) -> np.ndarray:
        return np.asarray(self.whole.claim[self.part])

    def begin(self, salt: int) -> None:
        self.best = np.inf
        self._tried(self.whole.pattern(100 + salt))

    def _tried(self, way: Way) -> bool:
        """Whether a way is the best so far; it is gone then."""
        self.left -= 1
        if self.left < 0:
            return False
        row = self.whole.gradient(DELTA / 2, way)[self.part]
        if not np.all(np.isfinite(row)):
            return False
        self.rows.append(row / self.unit)
        off = np.abs(row - self.claim) / self.tolerance[self.part]
        worst = float(np.max(off, initial=0.0))
        gap = worst if worst <= 1.0 else 1.0 + float(np.sum(off))
        if gap >= self.best:
            return False
        self.way, self.best = way, gap
        return True

    def turn_inputs(self, salt: int) -> None:
        """One input after another: all of it up or down, or as it was; far, or hardly."""
        combine = self.whole.case.backend.combine
        up, other = self.whole.pattern(200, positive=True), self.whole.pattern(200 + salt)
        for _ in range(SWEEPS):
            before = self.best
            for name in self.whole.moving:
                for sign, way in ((1.0, up), (-1.0, up), (1.0, other)):
                    for size in (sign, sign * LITTLE):
                        self._tried({**self.way, name: combine([size], [way[name]])})
            if self.best <= 1.0 or not self.best < before:
                return

    def cross_kinks(self, salt: int) -> None:
        """One kink after another.

        The gradient of a piecewise smooth function jumps along the normal of the kink crossed: the
        jumps on a half turn say on which side of each a way lies, and how to the other side.
        """
        if self.left <= 0:
            return
        normals = self._normals(salt)
        inside = np.linalg.pinv(normals)
        signs = np.sign(normals @ self.whole.flattened(self.way))
        for _ in range(SWEEPS):
            before = self.best
            for k in range(len(signs)):
                turned = np.where(np.arange(len(signs)) == k, -signs, signs)
                to = inside @ turned
                possible = np.all(np.sign(normals @ to) == turned)
                if possible and self._tried(self.whole.within(to)):
                    signs = turned
            if self.best <= 1.0 or not self.best < before:
                return

    def closed(self, sides: Sides) -> bool:
        """Whether the gradients seen have the claim between them, or others further that way.

        Of the gradients around a maximum that along a way goes furthest that way, around a minimum
        the one from behind: so where the claim lies beyond all that was seen, there it is looked.
        """
        self.left = max(self.left, min(2 * ROUNDS * len(ASTRAY), WORK // self.part.size))
        for turn in range(ROUNDS):
            away = beyond(dataclasses.replace(sides, probes=np.stack(self.rows)))
            if away is None:
                return True
            size = float(np.max(np.abs(away)))
            if not 0.0 < size < np.inf:
                return False
            ahead = np.zeros(self.part.shape)
            ahead[self.part] = away / size
            for k, share in enumerate(ASTRAY):
                other = self.whole.flattened(self.whole.pattern(2000 + len(ASTRAY) * turn + k))
                for sign in (1.0, -1.0):
                    self._tried(self.whole.within(sign * ahead + share * other))
        return beyond(dataclasses.replace(sides, probes=np.stack(self.rows))) is None

    def _normals(self, salt: int) -> np.ndarray:
        """A row for each kink crossed on the half turn from the best way."""
        other = self.whole.pattern(300 + salt)
        jumps = HalfTurn(self.whole, self.way, other, self.tolerance).jumps
        rows = [jump / np.linalg.norm(jump) for jump in jumps if np.all(np.isfinite(jump))]
        return np.stack(rows) if rows else np.zeros((0, self.part.size))
