"""One derivative from the levels of a line, with its error."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gradcheck.judgement.problem import Level
from gradcheck.oracles import noise, stencils
from gradcheck.oracles.finite_difference import HALF_ULP, Line, Scan

# Steps of a creep shrink by less than this from level to level: those of a root, 2^-2.5, do not
# agree with any claim, and a smooth function's shrink by 2^-5 at least. And at most so slowly.
CREEPING = 2.0**-3
SLOWEST = 0.99
# Four nodes of this step reach beyond the input's own scale.
WIDE = 0.5


@dataclass(frozen=True)
class Estimate:
    """A derivative with its error, and the levels it was chosen from."""

    value: float
    error: float
    levels: tuple[Level, ...]

    @property
    def step(self) -> float:
        return next((level.step for level in self.levels if level.chosen), math.nan)


def settle(line: Line, scans: list[Scan], staircase: bool = False) -> Estimate:
    """One estimate from the scans of a line, with Lepski's choice of the step.

    staircase: levels at which no output moves are good to the rounding of the outputs.
    """
    if not scans:
        return Estimate(math.nan, math.inf, ())
    rounding = max(scan.rounding for scan in scans)
    frozen = not any(scan.changed for scan in scans)
    whole = line.half_ulp * line.weight(line.base)
    exact = staircase or frozen
    if frozen:  # what may have been rounded away inside is then unknown: as for outputs of order 1
        whole = max(whole, HALF_ULP * line.loudness)
    ordered = sorted(scans, key=lambda scan: -scan.step)
    levels = [
        Level(s.step, s.high, _truncation(line, ordered, i), _floored(s, rounding, whole, exact))
        for i, s in enumerate(ordered)
    ]
    still = [not staircase and _still(ordered, i, rounding) for i in range(len(ordered))]
    jumping = [scan.jump > noise.COARSE for scan in ordered]
    settled = noise.settle(levels, still, jumping, line.stencil.amplification)
    chosen = noise.choose(settled)
    marked = tuple(
        Level(level.step, level.estimate, level.truncation, level.noise, i == chosen)
        for i, (level, _) in enumerate(settled)
    )
    return Estimate(settled[chosen][0].estimate, settled[chosen][1], marked)


def _truncation(line: Line, scans: list[Scan], i: int) -> float:
    """How far two orders differ; at a wide step, how far the next smaller step differs too.

    Wider than the input's own scale a function may saturate, or a wave alias: both orders then
    agree on what is no derivative. From one side, how far there may still be to go.
    """
    own = abs(scans[i].high - scans[i].low)
    if line.stencil is not stencils.central():
        # A wider step is no nearer to the end than a smaller one.
        own = max(own, *(_still_to_go(line, scans, k) for k in range(i, len(scans))))
    if scans[i].step < WIDE or i + 1 == len(scans):
        return own
    return max(own, abs(scans[i].high - scans[i + 1].high))


def _still_to_go(line: Line, scans: list[Scan], i: int) -> float:
    """What is left of a creep towards the derivative: x^1.05 has it at 0, and x / (1 - log x).

    Quotients that change by steps which hardly shrink while h shrinks by 32 have as far to go as
    their geometric series says; both orders are blind to it, for at every h they see the same.
    """
    if i < 3:
        return 0.0
    steps = np.diff([scan.high for scan in scans[i - 3 : i + 1]])
    noise = max(scans[i].eta, scans[i].rounding) / scans[i].step
    ratios = steps[1:] / np.where(steps[:-1] == 0, math.inf, steps[:-1])
    creeping = np.all((ratios > CREEPING) & (ratios < 1.0 / SLOWEST))
    if not creeping or abs(steps[-1]) < 2 * line.stencil.amplification * noise:
        return 0.0
    ratio = min(float(ratios[-1]), SLOWEST)
    return 4 * abs(float(steps[-1])) * ratio / (1 - ratio)


def _floored(scan: Scan, rounding: float, whole: float, level: bool) -> float:
    """Noise of a level: no less than the rounding of what ever moves, or on a tread of what is."""
    return whole if level and scan.changed == 0 else max(scan.eta, rounding)


def _still(scans: list[Scan], i: int, rounding: float) -> bool:
    """Whether level i may be quiet because something has ceased to move."""
    freezing = i > 0 and scans[i].changed < scans[i - 1].changed
    return freezing or scans[i].eta <= noise.FLOOR * rounding
