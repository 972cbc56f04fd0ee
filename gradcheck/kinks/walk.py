"""Kinks crossed one by one on a half turn around the point."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
from scipy.optimize import lsq_linear

from gradcheck.kinks.neighbourhood import DELTA, Neighbourhood, Way
from gradcheck.kinks.sides import NAMED, Sides

WALKS = 3
# Lengths further apart than those of a random pattern, which go from 2^-5 to 1.
UNEVEN = 2.0**-6


def in_walk(around: Neighbourhood, sides: Sides, salt: int, most: int = 400) -> bool:
    """Whether claim = start + sum alpha_k jump_k, alpha in [0, 1], along a half turn.

    Every kink through the point is crossed once on the way from w to -w.
    """
    first, second = around.pattern(100 + salt), around.pattern(200 + salt)
    start = around.gradient(DELTA / 2, first)
    # What else moves goes by DELTA too, and the gradient with it.
    others = len(around.moving) > len(around.watched)
    moving = 16 * DELTA * float(np.max(np.abs(start), initial=0.0)) if others else 0.0
    jumps = half_turn(around, first, second, sides.tolerance + moving, most)
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
    around: Neighbourhood, first: Way, second: Way, tolerance: np.ndarray, most: int = 400
) -> list[np.ndarray]:
    """The jumps of the watched claim on the way from `first` over `second` to minus `first`."""
    combine = around.case.backend.combine

    def at(turn: float) -> np.ndarray:
        w = {
            name: combine([math.cos(turn), math.sin(turn)], [v, second[name]])
            for name, v in first.items()
        }
        return around.gradient(DELTA / 2, w)

    return _jumps(at, (0.0, at(0.0)), (math.pi, at(math.pi)), tolerance, most)


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


def _jumps(
    at: Callable[[float], np.ndarray],
    start: tuple[float, np.ndarray],
    stop: tuple[float, np.ndarray],
    tolerance: np.ndarray,
    most: int,
) -> list[np.ndarray]:
    """The jumps of the claim between two turns, each isolated by bisection."""
    found: list[np.ndarray] = []
    pending = [(start, stop)]
    while pending and most > 0:
        (a, g), (b, h) = pending.pop()
        if np.all(np.abs(h - g) <= tolerance):
            continue
        if b - a < 1e-4:
            found.append(h - g)
            continue
        middle = ((a + b) / 2, at((a + b) / 2))
        most -= 1
        pending += [((a, g), middle), (middle, (b, h))]
    return found
