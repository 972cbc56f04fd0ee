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


def settle(
    levels: Sequence[Level],
    changed: Sequence[int] | None,
    rounding: float,
    amplification: float,
) -> list[tuple[Level, float]]:
    """Each level with its total error. levels: largest step first, noise that of one value.

    changed: how many outputs moved at each level; None where levels that stand still are exact.
    rounding: least noise of one value.
    """
    ordered = levels
    etas = [level.noise for level in ordered]
    if changed is not None:
        etas = _steady(etas, changed, rounding)
    return [
        (
            dataclasses.replace(level, noise=amplification * eta / level.step),
            level.truncation + SAFETY * amplification * eta / level.step,
        )
        for level, eta in zip(ordered, etas, strict=True)
    ]


def _steady(etas: Sequence[float], changed: Sequence[int], rounding: float) -> list[float]:
    """Noise per level (largest step first) that neither shrinks nor vanishes along the steps."""
    raised = list(etas)
    kept = False
    for i in range(1, len(etas)):
        quiet = changed[i] < changed[i - 1] or etas[i] <= 256 * rounding
        kept = quiet and (kept or _stationary(etas, i - 1))
        if kept:
            raised[i] = max(etas[i], KEPT_DOWNWARDS * raised[i - 1])
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
