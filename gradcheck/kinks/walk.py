"""Kinks crossed one by one on a half turn around the point."""

from __future__ import annotations

import dataclasses
import math
from itertools import pairwise

import numpy as np
from scipy.optimize import lsq_linear

from gradcheck.kinks.neighbourhood import DELTA, Neighbourhood, Way
from gradcheck.kinks.sides import NAMED, Sides

WALKS, MOST = 3, 400
# Turns: closer kinks count as one; where one is expected it is looked for that far to either side.
NARROW, BESIDE = 1e-4, 2.0**-16
# Numbers that move, beyond which their gradients would fill the memory: the watched are kept alone.
TOLD = 2**17
Place = tuple[float, np.ndarray]
# Lengths further apart than those of a random pattern, which go from 2^-5 to 1.
UNEVEN = 2.0**-6


def in_walk(around: Neighbourhood, sides: Sides, salt: int) -> bool:
    """Whether claim = start + sum alpha_k jump_k, alpha in [0, 1], along a half turn.

    Every kink through the point is crossed once on the way from w to -w.
    """
    first, second = around.pattern(100 + salt), around.pattern(200 + salt)
    start = around.gradient(DELTA / 2, first)
    # What else moves goes by DELTA too, and the gradient with it.
    others = len(around.moving) > len(around.watched)
    moving = 16 * DELTA * float(np.max(np.abs(start), initial=0.0)) if others else 0.0
    jumps = half_turn(around, first, second, sides.tolerance + moving)
    if not jumps:
        return False
    steps = np.stack(jumps, axis=1)
    if not np.all(np.isfinite(steps)):
        return False
    wanted = sides.claim - start
    fitted = lsq_linear(steps, wanted, bounds=(0.0, 1.0))
    left = np.abs(steps @ fitted.x - wanted)
    limit = NAMED * np.max(np.abs(steps)) + sides.firm
    return bool(np.all((left <= limit) | sides.edge))


def half_turn(
    around: Neighbourhood, first: Way, second: Way, tolerance: np.ndarray
) -> list[np.ndarray]:
    """The jumps of the watched claim on the way from `first` over `second` to minus `first`."""
    return _Turn(around, first, second, tolerance, MOST).jumps()


def in_some_walk(around: Neighbourhood, sides: Sides) -> bool:
    """Whether the claim lies on one of a few walks."""
    return any(in_walk(around, sides, salt) for salt in range(WALKS))


def in_joint_walk(around: Neighbourhood, sides: Sides) -> bool:
    """Whether the claim lies on a walk of all the inputs together.

    Kinks which the watched input alone can only cross together are then crossed one by one. The
    chain rule through a relu picks a side for each; what it returns is right. A bias of 1e-9 cannot
    cross, in its own units, what weights of 1 have crossed: then all go as far as the weights.
    """
    names = around.case.live
    together = dataclasses.replace(around, moving=names)
    if in_some_walk(together, sides):
        return True
    lengths = [together.unit(name) for name in names]
    uneven = min(lengths) < UNEVEN * max(lengths)
    return uneven and in_some_walk(dataclasses.replace(together, level=True), sides)


class _Turn:
    """A half turn, on which each jump is looked for where its normal says that it is.

    The gradient of a piecewise smooth function jumps along the normal of the kink that is crossed,
    so one jump between two turns is where the way has nothing of it. Two of them, and those of a
    claim that is no gradient, are parted by bisection.
    """

    def __init__(
        self, around: Neighbourhood, first: Way, second: Way, tolerance: np.ndarray, most: int
    ) -> None:
        told = around.freedom <= TOLD
        self.whole = dataclasses.replace(around, watched=around.moving) if told else around
        self.part, self.unit = self.whole.part(around.watched)
        self.first, self.second, self.tolerance, self.most = first, second, tolerance, most
        self.ends = (self.whole.flattened(first), self.whole.flattened(second)) if told else None

    def jumps(self) -> list[np.ndarray]:
        found: list[np.ndarray] = []
        pending = [(self._at(0.0), self._at(math.pi), True)]
        while pending and self.most > 0:
            low, high, guess = pending.pop()
            if self._same(low, high):
                continue
            if high[0] - low[0] < NARROW:
                found.append(self._jump(low, high))
                continue
            guessed = self._crossing(low, high) if guess else []
            inner = guessed or [self._at((low[0] + high[0]) / 2)]
            if guessed and self._same(low, inner[0]) and self._same(inner[1], high):
                found.append(self._jump(low, high))
                continue
            places = [low, *inner, high]
            pending += [(a, b, not guessed) for a, b in pairwise(places)]
        return found

    def _at(self, turn: float) -> tuple[float, np.ndarray]:
        self.most -= 1
        combine, second = self.whole.case.backend.combine, self.second
        shares = [math.cos(turn), math.sin(turn)]
        way = {name: combine(shares, [v, second[name]]) for name, v in self.first.items()}
        return turn, self.whole.gradient(DELTA / 2, way)

    def _crossing(self, low: Place, high: Place) -> list[Place]:
        """Just before and just behind where the way has nothing of what lies between."""
        if self.ends is None:
            return []
        normal = high[1] - low[1]
        along, across = (float(normal @ end) for end in self.ends)
        turn = math.atan2(-along, across) % math.pi
        if not low[0] < turn - BESIDE or not turn + BESIDE < high[0]:
            return []
        return [self._at(turn - BESIDE), self._at(turn + BESIDE)]

    def _same(self, a: Place, b: Place) -> bool:
        return bool(np.all(np.abs(self._jump(a, b)) <= self.tolerance))

    def _jump(self, a: Place, b: Place) -> np.ndarray:
        return np.asarray((b[1] - a[1])[self.part] / self.unit)
