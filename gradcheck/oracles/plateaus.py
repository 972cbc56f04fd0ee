"""Outputs that stand still: rounding inside the function, or a function that is a staircase.

A float32 program does not move over steps below 2^-24 of its input; neither does `round`. In the
first case the still levels say nothing, in the second they are the derivative.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gradcheck.judgement.problem import Arrays
from gradcheck.oracles.finite_difference import SKIPPED, Line, Scan
from gradcheck.oracles.noise import COARSE

# A staircase whose treads are at least this wide, in units of the input's scale, is one by
# intent: float32 inside stands still over 2^-25 only.
WIDE = 2.0**-17
# Jumps of a few ulp are the rounding of float64 itself.
ULPS = 2.0**-46
# Treads of a quantiser, in units of the input's scale: 16 times those of float32, and of float64
# where numbers are 2^32 times larger inside.
NARROW = 2.0**-20
# How much larger inputs are where a number format's treads are looked for, and by how much at
# least: a tread is then that much wider, and as many fewer steps are taken.
LARGER, TELLING = 2.0**20, 3.0
# Steps of each output over a distance, and samples there: four a step, so that few are missed.
STEPS, SAMPLES = 8, 64


def still(scans: Sequence[Scan]) -> list[Scan]:
    """The levels at which most of the outputs that ever move do not."""
    active = max((scan.changed for scan in scans), default=0)
    return [scan for scan in scans if scan.changed < active / 2]


def moving(scans: Sequence[Scan]) -> list[Scan]:
    """The others."""
    frozen = still(scans)
    return [scan for scan in scans if scan not in frozen]


def staircase(scans: Sequence[Scan], unit: float) -> bool:
    """Whether the still levels are treads, to be believed. unit: length of a step of 1.

    Where the input is tiny, rounding that is fine beside 1 looks like wide treads: there a tread
    must be wide beside 1 as well.
    """
    frozen = still(scans)
    if not frozen:
        return False
    height = quantum(scans)
    tread = max(scan.step for scan in frozen)
    if tread * min(unit, 1.0) < WIDE and unit < 1.0:
        return False
    return height > COARSE or (tread >= WIDE and height > ULPS)


def trusted(scans: Sequence[Scan], unit: float) -> tuple[list[Scan], bool]:
    """The levels to estimate from, and whether those that stand still are treads.

    Where the others move by far less than the jumps, the function slopes there, and a level at
    which nothing moves is rounding.
    """
    if not staircase(scans, unit):
        return moving(scans), False
    if _slopes(still(scans), quantum(scans)):
        return [scan for scan in scans if scan.changed], True
    return list(scans), True


def _slopes(scans: Sequence[Scan], height: float) -> bool:
    """Whether still levels move by less than a tread's height: on a staircase they move by it."""
    movers = [scan for scan in scans if scan.changed]
    return sum(scan.jump < height / 64 for scan in movers) >= 2


def quantum(scans: Sequence[Scan]) -> float:
    """Height of the jumps over the largest output, at the finest level that moves."""
    movers = [scan for scan in moving(scans) if scan.changed]
    return min(movers, key=lambda scan: scan.step).jump if movers else 0.0


def quantised(line: Line, scans: Sequence[Scan]) -> bool | None:
    """Whether treads too fine to tell by their size belong to a quantiser, such as round(x, 3).

    The treads of a number format grow with the numbers, those of a quantiser do not: where the
    inputs are much larger (or smaller, if their domain ends) the outputs take as many steps over
    the same distance. None where the domain leaves no room to tell; False where nothing steps.
    """
    frozen = still(scans)
    if not frozen:
        return False
    here, active = line.moved(0.0), max(scan.changed for scan in scans)
    width, taken = 4 * max(scan.step for scan in frozen), 0
    while taken < STEPS * active and width < 1.0:
        width *= 2
        taken = _steps_taken(line, here, width)
    if width < STEPS * NARROW or not taken:
        return False
    for factor in (LARGER, TELLING, 1 / TELLING, 1 / LARGER):
        point = _times(line, factor)
        if _inside(line, point, width):
            return taken < 2 * _steps_taken(line, point, width) < 4 * taken
    return None


def _times(line: Line, factor: float) -> Arrays:
    """The point with the moving inputs so many times larger."""
    combine = line.problem.backend.combine
    return {
        n: combine([factor], [x]) if n in line.direction else x for n, x in line.moved(0.0).items()
    }


def _inside(line: Line, point: Arrays, width: float) -> bool:
    """Whether the domains hold so wide a step about a point."""
    to_numpy = line.problem.backend.to_numpy
    for name, v in line.direction.items():
        domain = line.problem.domains.get(name)
        if domain is None:
            continue
        x, reach = to_numpy(point[name]), width * np.abs(to_numpy(v))
        low = domain.low is None or bool(np.all(x - reach >= domain.low))
        if not low or (domain.high is not None and not np.all(x + reach <= domain.high)):
            return False
    return True


def _steps_taken(line: Line, point: Arrays, width: float) -> int:
    """How often an output changes by more than rounding between samples around a point."""
    backend, count = line.problem.backend, 0
    before: list[np.ndarray] = []
    for k in range(SAMPLES + 1):
        t = width * (k / SAMPLES - 0.5)
        moved = {
            n: backend.add_scaled(x, t, line.direction[n]) if n in line.direction else x
            for n, x in point.items()
        }
        try:
            now = [backend.to_numpy(y) for y in line.problem.forward(moved)]
        except SKIPPED:
            return 0
        if not all(np.all(np.isfinite(y)) for y in now):
            return 0
        for a, b in zip(before, now, strict=False):
            count += int(np.sum(np.abs(a - b) > ULPS * np.max(np.abs(a), initial=0.0)))
        before = now
    return count
