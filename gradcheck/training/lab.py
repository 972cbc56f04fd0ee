"""The laboratory: two optimizers, run side by side on weights and gradients of one's choosing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gradcheck.findings import Finding
from gradcheck.training.drivers import Driver
from gradcheck.training.sequences import SHAPE

CLOSE = 1e-6  # of a measured ratio; rounding leaves 1e-12, differences worth a name far more


@dataclass(frozen=True)
class Difference:
    """A fault's name (None: unknown), one sentence, and what to look for in the code."""

    fault: str | None
    message: str
    hint: str = ""


@dataclass(frozen=True)
class Lab:
    """Both optimizers and the base rate; failed: the first finding of each kind of sequence."""

    theirs: Driver
    like: Driver
    lr: float
    failed: Mapping[str, Finding]

    def only(self, *names: str) -> bool:
        """Whether nothing but these kinds of sequence failed."""
        return set(self.failed) <= set(names)

    def updates(
        self, of: Driver, weights: np.ndarray, gradients: np.ndarray, rate: float | None = None
    ) -> np.ndarray:
        """The change of the weights in each step, at the base rate."""
        rates = (self.lr if rate is None else rate,) * len(gradients)
        after = of.run(weights, list(gradients), rates)
        return np.diff(after, axis=0, prepend=weights[None])

    def both(self, weights: np.ndarray, gradients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Updates of theirs and of like."""
        return (
            self.updates(self.theirs, weights, gradients),
            self.updates(self.like, weights, gradients),
        )

    def draws(self, scale: float = 1.0, steps: int = 1, seed: int = 1) -> np.ndarray:
        """Gradients (steps, *shape), the same whenever asked."""
        return scale * np.random.default_rng(seed).uniform(0.5, 2.0, (steps, *SHAPE))


def alike(a: np.ndarray, b: np.ndarray, close: float = CLOSE) -> bool:
    """Whether all entries are the same to this share of the larger."""
    return bool(np.all(np.abs(a - b) <= close * np.maximum(np.abs(a), np.abs(b))))
