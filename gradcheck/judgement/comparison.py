"""How one claim and one line agree, as plain data."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gradcheck.judgement.problem import Level
from gradcheck.oracles import finite_difference as fd
from gradcheck.oracles import noise

# Below the smallest normal number nothing is resolved, nor need be.
NORMAL = 2.0**-1022
# By so much less noise than at wider steps a level is no more precise, but suspicious.
QUIETER = 2.0**8


@dataclass(frozen=True)
class Claimed:
    """What a claim says along a direction.

    value: <g, v>. weight: Euclidean norm of g v, entry by entry: the size that matters, because
    random signs add in quadrature. roundoff: that of an honest claim. slack: error the adapter
    declares.
    """

    value: float
    weight: float
    roundoff: float
    slack: float = 0.0

    @property
    def margin(self) -> float:
        return self.roundoff + self.slack


@dataclass(frozen=True)
class Comparison:
    """How a claim and a line agree.

    tolerance: the smallest difference that would not pass. reference: what it is relative to, the
    claim's weight, or a small share of the outputs' where the claim is zero. bend: how much the
    line bends at the point, of order 1 at a kink. doubtful: the claim is the slope of a fine
    staircase, which may as well be rounding inside the function: neither right nor wrong.
    """

    agreed: bool
    expected: float
    returned: float
    error: float
    tolerance: float
    weight: float
    reference: float
    levels: tuple[Level, ...] = ()
    scans: tuple[fd.Scan, ...] = ()
    bend: float = 0.0
    doubtful: bool = False

    @property
    def rough(self) -> bool:
        """Whether even the finest level is all noise: genuine, or a wave too fast for it."""
        finest = min(self.scans, key=lambda scan: scan.step, default=None)
        if finest is None:
            return False
        jump = finest.jump
        if jump == math.inf:  # f(x) is zero: beside what the function reaches at any step
            jump = finest.eta / (max(scan.rise for scan in self.scans) or math.inf)
        return jump > noise.COARSE / 8

    @property
    def unresolved(self) -> bool:
        """Whether the finest level is all noise, and its step too wide for the slope claimed."""
        finest = min(self.scans, key=lambda scan: scan.step, default=None)
        return bool(finest and self.rough and 8 * finest.step * abs(self.returned) > finest.eta)

    @property
    def contested(self) -> bool:
        """Whether smaller steps than the chosen one side with the claim, sharply and together.

        A wide step may span a switch (a softmax that changes its winner, a constant row under a
        norm) and look calm. Levels at which most outputs have ceased to move do not count, unless
        all that rounding may hide of them is small beside the disagreement.
        """
        chosen = next((level.step for level in self.levels if level.chosen), 0.0)
        most = max((scan.changed for scan in self.scans), default=0)
        near = self.residual / 64
        rounding = 64 * max((scan.rounding for scan in self.scans), default=0.0)
        siding = [
            scan
            for scan in self.scans
            if scan.step < chosen
            and (2 * scan.changed >= most or (scan.changed and rounding < near * scan.step))
            and max(abs(scan.high - self.returned), abs(scan.high - scan.low)) < near
        ]
        return len(siding) >= 2 or self._smooth_rounding(chosen)

    def _smooth_rounding(self, chosen: float) -> bool:
        """Whether wider steps side with the claim, and the chosen one is quiet for want of noise.

        Between points as near as that an ill-conditioned solve rounds alike: its noise, the same
        at every wider step, turns into a slope of its own.
        """
        eta = next((scan.eta for scan in self.scans if scan.step == chosen and scan.changed), 0.0)
        near = self.residual / 64
        wider = [
            scan
            for scan in self.scans
            if scan.step > chosen
            and scan.jump <= noise.COARSE  # more is no rounding: a slope that wider steps miss
            and scan.eta > QUIETER * eta > 0.0
            and max(abs(scan.high - self.returned), abs(scan.high - scan.low)) < near
        ]
        return len(wider) >= 2

    @property
    def residual(self) -> float:
        return abs(self.expected - self.returned)

    @property
    def resolution(self) -> float:
        """Smallest relative error that would have been seen; inf where nothing would."""
        if self.tolerance <= NORMAL:
            return 0.0
        return self.tolerance / self.reference if self.reference > 0.0 else math.inf
