"""Axes: numbers to positions, and where to put ticks."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from gradcheck.report.text import number


@dataclass(frozen=True)
class Scale:
    """Maps [low, high] to [start, end], linearly or by decades; what lies outside is clipped."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False
    whole: bool = False  # ticks at integers only

    def __call__(self, value: float) -> float:
        low, high, at = (self._grade(v) for v in (self.low, self.high, value))
        share = (at - low) / (high - low)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)

    def _grade(self, value: float) -> float:
        if not self.log:
            return value
        return math.log10(value) if value > 0 else -400.0

    def ticks(self, wanted: int = 5) -> list[tuple[float, str]]:
        """Round numbers on the axis, with their labels."""
        return _decades(self, wanted) if self.log else _steps(self, wanted)


def _decades(scale: Scale, wanted: int) -> list[tuple[float, str]]:
    first, last = math.ceil(math.log10(scale.low)), math.floor(math.log10(scale.high))
    every = max(1, -(-(last - first + 1) // wanted))
    powers = range(first - first % every + (every if first % every else 0), last + 1, every)
    return [(10.0**power, decade(power)) for power in powers]


def decade(power: int) -> str:
    """A power of ten as a label: 1e-3, 0.1, 1, 10, 1e2."""
    return {-1: "0.1", 0: "1", 1: "10"}.get(power, f"1e{power}")


def _steps(scale: Scale, wanted: int) -> list[tuple[float, str]]:
    span = scale.high - scale.low
    unit = 10.0 ** math.floor(math.log10(span / wanted))
    step = next(m * unit for m in (1, 2, 5, 10) if span / (m * unit) <= wanted)
    step = max(step, 1.0) if scale.whole else step
    first = math.ceil(scale.low / step - 1e-9)
    count = math.floor(scale.high / step + 1e-9) - first + 1
    return [((first + k) * step, number((first + k) * step, 4)) for k in range(count)]


def linear(values: Iterable[float], start: float, end: float, whole: bool = False) -> Scale:
    """A linear axis that holds all finite `values` with a little room."""
    found = [value for value in values if math.isfinite(value) and abs(value) < 1e300]
    low, high = (min(found), max(found)) if found else (0.0, 1.0)
    room = (high - low) * 0.05 or abs(high) * 0.1 or 1.0
    return Scale(low - room, high + room, start, end, whole=whole)


def decades(values: Iterable[float], start: float, end: float) -> Scale:
    """A logarithmic axis over whole decades that holds all finite positive `values`."""
    found = [value for value in values if 1e-300 < value < 1e300]
    low, high = (min(found), max(found)) if found else (0.1, 10.0)
    bottom, top = math.floor(math.log10(low)), math.ceil(math.log10(high))
    top += bottom == top
    return Scale(10.0**bottom, 10.0**top, start, end, log=True)
