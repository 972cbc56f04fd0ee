"""Outputs that stand still: rounding inside the function, or a function that is a staircase.

A float32 program does not move over steps below 2^-24 of its input; neither does `round`. In the
first case the still levels say nothing, in the second they are the derivative.
"""

from __future__ import annotations

from collections.abc import Sequence

from gradcheck.oracles.finite_difference import Scan
from gradcheck.oracles.noise import COARSE

# A staircase whose treads are at least this wide, in units of the input's scale, is one by
# intent: float32 inside stands still over 2^-25 only.
WIDE = 2.0**-17
# Jumps of a few ulp are the rounding of float64 itself.
ULPS = 2.0**-46


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
