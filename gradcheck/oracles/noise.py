"""From estimates at several steps to one estimate with its error.

Noise comes from high differences of the very values the estimate is made of, truncation from two
orders, and the choice of the step from Lepski's principle: the smallest error that is consistent
with every smaller step.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from gradcheck.judgement.problem import Level

# Ten standard deviations: eta comes from two differences only, and the errors of nearby values of
# a real program are neither Gaussian nor independent.
SAFETY = 10.0
# Noise is the same at every step; where it seems to shrink, the smaller step knows it better ...
KEPT_UPWARDS = 0.7
# ... and where outputs, or numbers inside the function, cease to move with the step, the larger
# step that looked stationary does. (Not where the noise falls but stays above rounding: a wave
# too fast for the larger steps looks stationary too.)
KEPT_DOWNWARDS = 0.5
# A level within this factor of the rounding of its outputs may owe its quiet to numbers inside
# the function that no longer move.
FLOOR = 256.0
# A jump of this share of the largest output is no float16 rounding (2^-11), hence no noise.
COARSE = 2.0**-9


def settle(
    levels: Sequence[Level], still: Sequence[bool], jumping: Sequence[bool], amplification: float
) -> list[tuple[Level, float]]:
    """Each level with its total error. levels: largest step first, noise that of one value.

    still: where a quiet level is suspected of standing still rather than of being precise.
    jumping: where the noise is too coarse to be any format's rounding.
    """
    etas = _steady([level.noise for level in levels], still, jumping)
    return [
        (
            dataclasses.replace(level, noise=amplification * eta / level.step),
            level.truncation + SAFETY * amplification * eta / level.step,
        )
        for level, eta in zip(levels, etas, strict=True)
    ]


def _steady(etas: Sequence[float], still: Sequence[bool], jumping: Sequence[bool]) -> list[float]:
    """Noise per level (largest step first) that neither shrinks nor vanishes along the steps."""
    raised = list(etas)
    known = 0.0
    for i, eta in enumerate(etas):
        known *= KEPT_DOWNWARDS
        if still[i]:
            raised[i] = max(eta, known)
        elif not jumping[i] and _stationary(etas, i):
            known = eta
    below = 0.0
    for i in range(len(raised) - 1, -1, -1):
        raised[i] = max(raised[i], KEPT_UPWARDS * below)
        below = max(below, raised[i])
    return raised


def _stationary(etas: Sequence[float], i: int) -> bool:
    """Whether the noise at level i is about that of the level above it: no truncation in it.

    Steps differ by 32, so truncation of order 7 would differ by far more than a factor of 4.
    """
    return i > 0 and etas[i] > 0 and 0.25 < etas[i - 1] / etas[i] < 4.0


def choose(settled: Sequence[tuple[Level, float]]) -> int:
    """Index of the level of smallest error that agrees with every smaller step (Lepski)."""
    order = sorted(range(len(settled)), key=lambda i: settled[i][1])
    for i in order:
        level, error = settled[i]
        if all(
            abs(level.estimate - other.estimate) <= error + other_error
            for other, other_error in settled
            if other.step < level.step
        ):
            return i
    return order[0]
