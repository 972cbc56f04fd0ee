"""A low-precision gradient against its float64 counterpart and replicas of that one.

Errors are measured in units of what the replicas show: one entry, the root mean square over
entries, their sums, and what a scale error adds up to over several cotangents.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

# Of one entry, of the root mean square over entries, and of a sum over all of them or over a row.
# A sum is nearly normal, and must be off at two points.
ENTRY, SPREAD, SUM = 8.0, 2.5, 4.0


@dataclass
class Outcome:
    """One gradient against its float64 counterpart and replicas of it, in float64 NumPy.

    spread: replicas less wide, stacked. score: above 1 is no honest rounding. whole, entry: the
    smallest relative error of the gradient, and of a median entry, that would have been seen.
    """

    narrow: np.ndarray
    wide: np.ndarray
    spread: np.ndarray

    @cached_property
    def off(self) -> np.ndarray:
        return np.asarray(self.narrow - self.wide)

    @cached_property
    def sigma(self) -> np.ndarray:
        return np.asarray(np.sqrt(np.mean(self.spread**2, axis=0)))

    @cached_property
    def ratios(self) -> np.ndarray:
        return np.asarray(np.abs(_over(self.off, self.sigma)))

    @property
    def index(self) -> tuple[int, ...]:
        worst = int(np.argmax(np.nan_to_num(self.ratios, nan=np.inf)))
        return tuple(int(i) for i in np.unravel_index(worst, self.ratios.shape))

    @cached_property
    def score(self) -> float:
        if not np.all(np.isfinite(self.narrow)):
            return float("inf")
        parts = [self.ratios.max() / ENTRY, np.sqrt(np.mean(self.ratios**2)) / SPREAD]
        return float(max(parts + [self.projected(w) / SUM for w in self.weights]))

    @property
    def weights(self) -> Iterator[np.ndarray]:
        """What errors are summed with: the gradient, its signs, its rows."""
        yield self.wide
        yield np.sign(self.wide)
        if self.wide.ndim > 1:
            for row in range(len(self.wide)):
                one = np.zeros_like(self.wide)
                one[row] = self.wide[row]
                yield one

    def projected(self, weight: np.ndarray) -> float:
        """The sum of errors with these weights, over that of the replicas."""
        return float(abs(_over(np.sum(self.off * weight), self._moved(weight))))

    def _moved(self, weight: np.ndarray) -> Any:
        return np.sqrt(np.mean(self._sums(weight) ** 2))

    def _sums(self, weight: np.ndarray) -> np.ndarray:
        return np.asarray((self.spread * weight).reshape(len(self.spread), -1).sum(1))

    @property
    def whole(self) -> float:
        size = float(np.sum(self.wide**2))
        return float(SUM * self._moved(self.wide) / size) if size else 0.0

    @property
    def entry(self) -> float:
        alive = self.wide != 0
        if not alive.any():
            return self.whole
        return float(ENTRY * np.median(self.sigma[alive] / np.abs(self.wide[alive])))

    @property
    def said(self) -> str:
        at = self.index
        size = float(np.sum(self.wide**2)) or 1.0
        with np.errstate(all="ignore"):
            factor = float(np.sum(self.narrow * self.wide)) / size
        where = f"at {list(at)} " if at else ""
        return (
            f"{where}{self.narrow[at]:.8g} for {self.wide[at]:.8g}, {self.ratios[at]:.3g} times "
            f"what rounding explains; as a whole {factor:.8g} times it, where rounding explains "
            f"{self.whole / SUM:.1e}"
        )

    @property
    def alongs(self) -> tuple[Along, ...]:
        """Its errors along the gradient and along the gradient's signs."""
        return tuple(self._along(w) for w in (self.wide, np.sign(self.wide)))

    def _along(self, weight: np.ndarray) -> Along:
        off = float(np.sum(self.off * weight))
        return Along(float(np.sum(self.wide * weight)), off, self._sums(weight))


@dataclass(frozen=True)
class Along:
    """Errors of a gradient summed with weights. size: the gradient itself, so summed.

    off: the errors; moved: those of each replica.
    """

    size: float
    off: float
    moved: np.ndarray


@dataclass(frozen=True)
class Pooled:
    """What several gradients say of one scale: its `error` and that of the replicas, `spread`."""

    error: float
    spread: float

    @property
    def score(self) -> float:
        return float(abs(_over(self.error, self.spread)))


def pooled(parts: Sequence[Along]) -> Pooled:
    """The scale error of several gradients, each counted by how finely it tells.

    Their replicas have the same seeds: what one rounding does to all of them does not average out.
    """
    told = [part for part in parts if part.size and np.any(part.moved)]
    weights = [part.size / np.mean(part.moved**2) for part in told]
    whole = sum(w * part.size for w, part in zip(weights, told, strict=True))
    if not whole:
        return Pooled(0.0, 0.0)
    error = sum(w * part.off for w, part in zip(weights, told, strict=True))
    moved = sum(w * part.moved for w, part in zip(weights, told, strict=True))
    return Pooled(error / whole, float(np.sqrt(np.mean(np.square(moved)))) / whole)


def _over(a: Any, b: Any) -> Any:
    """The quotient, with 0 / 0 as 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(a == 0, 0.0, np.divide(a, b))
