"""The path of a training run at chosen entries, and where the optimizer says it should lead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gradcheck.training.drivers import Driver
from gradcheck.training.sequences import EPS
from gradcheck.training.taken import Taken, Weights

Measured = Mapping[str, tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Path:
    """Steps up to the last one, at chosen entries of every array.

    starts: weights before each step; returned: after the last one; loss: of the last one.
    gradients: measured, with their errors, at each start.
    """

    starts: Sequence[Weights]
    returned: Weights
    loss: float
    gradients: Sequence[Measured]
    entries: Mapping[str, np.ndarray]
    optimizer: Driver
    rates: Sequence[float]

    @classmethod
    def of(
        cls,
        taken: Sequence[Taken],
        gradients: Sequence[Measured],
        entries: Mapping[str, np.ndarray],
        optimizer: Driver,
        rates: Sequence[float],
    ) -> Path:
        """The path of steps that were taken."""
        starts = [{k: t.before[k].ravel()[at] for k, at in entries.items()} for t in taken]
        returned = {k: taken[-1].after[k].ravel()[at] for k, at in entries.items()}
        return cls(
            starts, returned, taken[-1].loss, gradients, entries, optimizer, rates[: len(taken)]
        )

    @property
    def slopes(self) -> list[Weights]:
        """The gradients without their errors."""
        return [{k: g for k, (g, _) in one.items()} for one in self.gradients]

    def led(
        self, gradients: Sequence[Weights] | None = None, rates: Sequence[float] | None = None
    ) -> Weights:
        """The weights after the last step: the optimizer's own update, from where it was taken.

        The optimizer runs over all gradients so that its memory is right; the weights it ends
        with are shifted to those the last step began with.
        """
        gradients = self.slopes if gradients is None else gradients
        rates = self.rates if rates is None else rates
        names = list(self.entries)
        advance = self.optimizer.start([self.starts[0][k].copy() for k in names], rates[0])
        last = [self.starts[0][k] for k in names]
        before = last
        with np.errstate(all="ignore"):
            for gradient, rate in zip(gradients, rates, strict=True):
                before = last
                told = advance([gradient[k].copy() for k in names], rate)
                last = [np.array(a, dtype=float) for a in told]
        moves = dict(zip(names, zip(last, before, strict=True), strict=True))
        return {k: self.starts[-1][k] + (a - b) for k, (a, b) in moves.items()}

    def expected(self) -> tuple[Weights, Weights]:
        """What the optimizer makes of the gradients, and how far their errors can take it."""
        exact = self.led()
        spread = {k: np.zeros(a.shape) for k, a in exact.items()}
        rng = np.random.default_rng(0)
        for _ in range(4):
            moved = [
                {k: g + e * rng.choice((-1.0, 1.0), g.shape) for k, (g, e) in one.items()}
                for one in self.gradients
            ]
            for k, there in self.led(moved).items():
                spread[k] = np.maximum(spread[k], np.abs(there - exact[k]))
        tolerance = {}
        for k, a in exact.items():
            size = np.abs(self.starts[-1][k]) + np.abs(a)
            tolerance[k] = 4 * spread[k] + 16 * EPS * size + np.finfo(float).tiny
        return exact, tolerance

    def scores(self, expected: Weights, tolerance: Weights) -> Weights:
        """How far the step went elsewhere, over the tolerance; inf for what is not finite."""
        off = {k: np.abs(self.returned[k] - expected[k]) / tolerance[k] for k in self.entries}
        return {k: np.where(np.isfinite(score), score, np.inf) for k, score in off.items()}


def entry_by_entry(optimizer: Driver) -> bool:
    """Whether an optimizer moves each entry by what it knows of that entry alone."""
    rng = np.random.default_rng(0)
    weights, gradients = rng.standard_normal(4), rng.standard_normal((3, 2, 4))
    rates = (0.1,) * 3

    def ends(chosen: list[int]) -> np.ndarray:
        advance = optimizer.start([weights[chosen], weights[chosen] + 1], rates[0])
        with np.errstate(all="ignore"):
            for one, rate in zip(gradients, rates, strict=True):
                told = advance([one[0, chosen], one[1, chosen]], rate)
        return np.array([np.array(a, dtype=float) for a in told])

    some = [0, 2]
    return bool(np.allclose(ends([0, 1, 2, 3])[:, some], ends(some), rtol=1e-9, atol=1e-12))
