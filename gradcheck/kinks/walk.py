"""Kinks crossed one by one on a half turn around the point."""

from __future__ import annotations

import dataclasses
import math
from functools import cached_property
from itertools import pairwise

import numpy as np
from scipy.optimize import lsq_linear

from gradcheck.kinks.neighbourhood import DELTA, Neighbourhood, Way
from gradcheck.kinks.sides import NAMED, Sides

WALKS = 3
# Gradients asked for on a half turn: four or five a kink.
MOST = 1000
# Where so many times nothing but a slow turn is found, there is a cone, and no end of that.
SMOOTH = 128
# Turns: closer kinks count as one; where one is expected it is looked for that far to either side.
NARROW, BESIDE = 1e-4, 2.0**-16
# Numbers that move, beyond which their gradients would fill the memory: the watched are kept alone.
TOLD = 2**17
Place = tuple[float, np.ndarray]
# Lengths further apart than those of a random pattern, which go from 2^-5 to 1.
UNEVEN = 2.0**-6


def in_some_walk(around: Neighbourhood, sides: Sides) -> bool:
    """Whether the claim lies on one of a few walks."""
    for salt in range(WALKS):
        turn = half_turn_of(around, sides, salt)
        if turn.allows(sides):
            return True
        if turn.crowded:
            return False
    return False


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


def half_turn_of(around: Neighbourhood, sides: Sides, salt: int) -> HalfTurn:
    """One from a random way over another."""
    first, second = around.pattern(100 + salt), around.pattern(200 + salt)
    turn = HalfTurn(around, first, second, sides.tolerance)
    turn.size = max(turn.size, float(np.max(np.abs(sides.probes), initial=0.0)))
    # What else moves goes by DELTA too, and the gradient with it.
    others = len(around.moving) > len(around.watched)
    if others:
        turn.tolerance = sides.tolerance + 16 * DELTA * float(np.max(np.abs(turn.start), initial=0))
    return turn


def crowded(around: Neighbourhood, sides: Sides) -> bool:
    """Whether all inputs together meet more kinks than a half turn tells apart."""
    together = dataclasses.replace(around, moving=around.case.live)
    return half_turn_of(together, sides, 0).crowded


class HalfTurn:
    """The way from `first` over `second` to minus `first`, on which every kink is crossed once.

    The gradient of a piecewise smooth function jumps along the normal of the kink that is crossed,
    so one jump between two turns is where the way has nothing of it. Two of them, and those of a
    claim that is no gradient, are parted by bisection.
    """

    def __init__(
        self, around: Neighbourhood, first: Way, second: Way, tolerance: np.ndarray
    ) -> None:
        told = around.freedom <= TOLD
        self.whole = dataclasses.replace(around, watched=around.moving) if told else around
        self.part, self.unit = self.whole.part(around.watched)
        self.first, self.second, self.tolerance = first, second, tolerance
        self.ends = (self.whole.flattened(first), self.whole.flattened(second)) if told else None
        self.left, self.smooth, self.size = MOST, 0, 0.0
        self.begin = self._at(0.0)

    @property
    def start(self) -> np.ndarray:
        """The watched claim at the first way."""
        return self._watched(self.begin)

    def allows(self, sides: Sides) -> bool:
        """Whether claim = start + sum alpha_k jump_k, alpha in [0, 1]."""
        if not self.jumps:
            return False
        steps = np.stack(self.jumps, axis=1)
        if not np.all(np.isfinite(steps)):
            return False
        wanted = sides.claim - self.start
        fitted = lsq_linear(steps, wanted, bounds=(0.0, 1.0))
        left = np.abs(steps @ fitted.x - wanted)
        limit = NAMED * np.max(np.abs(steps)) + sides.firm
        return bool(np.all((left <= limit) | sides.edge))

    @property
    def crowded(self) -> bool:
        """Whether there are more kinks than could be told apart: not so where a cone turns."""
        return bool(self.jumps) and self.left <= 0 and self.smooth < len(self.jumps) / 2

    @cached_property
    def jumps(self) -> list[np.ndarray]:
        """Of the watched claim, as many as were found."""
        found: list[np.ndarray] = []
        pending = [(self.begin, self._at(math.pi), True)]
        while pending and self.left > 0 and self.smooth < SMOOTH:
            low, high, guess = pending.pop()
            if self._same(low, high):
                continue
            if high[0] - low[0] < NARROW:
                found.append(self._jump(low, high))
                self.smooth += self._slight(low, high)
                continue
            guessed = self._crossing(low, high) if guess else []
            inner = guessed or [self._at((low[0] + high[0]) / 2)]
            if guessed and self._between(low, inner[0], inner[1], high):
                found.append(self._jump(low, high))
                continue
            pending += [(a, b, not guessed) for a, b in pairwise([low, *inner, high])]
        return found

    def _at(self, turn: float) -> Place:
        self.left -= 1
        combine, second = self.whole.case.backend.combine, self.second
        shares = [math.cos(turn), math.sin(turn)]
        way = {name: combine(shares, [v, second[name]]) for name, v in self.first.items()}
        place = turn, self.whole.gradient(DELTA / 2, way)
        self.size = max(self.size, float(np.max(np.abs(self._watched(place)), initial=0.0)))
        return place

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

    def _between(self, low: Place, before: Place, behind: Place, high: Place) -> bool:
        """Whether all that changes from low to high does so between the two places inside."""
        outside = self._same(low, before) and self._same(behind, high)
        return outside and not self._same(before, behind)

    def _same(self, a: Place, b: Place) -> bool:
        return bool(np.all(np.abs(self._jump(a, b)) <= self.tolerance))

    def _slight(self, a: Place, b: Place) -> bool:
        """Whether the claim changes by no more than the way does: it turns, and does not jump."""
        return bool(np.max(np.abs(self._jump(a, b))) <= 8 * NARROW * self.size)

    def _jump(self, a: Place, b: Place) -> np.ndarray:
        return np.asarray(self._watched(b) - self._watched(a))

    def _watched(self, place: Place) -> np.ndarray:
        return np.asarray(place[1][self.part] / self.unit)
