"""Gradient sequences that tell optimizers apart, and the honest rounding of a run over one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from gradcheck.training.drivers import Driver

SHAPE = (2, 3)
STEPS = 8

# Rates are base times powers of two, so that a framework that keeps them in float32 loses nothing.
SCHEDULE = (1.0, 0.5, 0.5, 2.0, 0.25, 1.0, 0.125, 0.5)

REPLICAS = 6
NOISE = 2.0**-50  # four ulps: about what an update of ten operations may lose
EPS = 2.0**-52


@dataclass(frozen=True)
class Sequence:
    """What an optimizer is fed: weights to start from, then a gradient and a rate a step."""

    name: str
    weights: np.ndarray
    gradients: np.ndarray
    rates: tuple[float, ...]

    def run(self, optimizer: Driver) -> np.ndarray:
        """The weights after each step."""
        return optimizer.run(self.weights, list(self.gradients), self.rates)

    def tolerance(self, optimizer: Driver, expected: np.ndarray) -> np.ndarray:
        """Honest rounding of the weights after each step, entry by entry.

        The run is repeated with every number moved by a few ulps; what that does to the result is
        what another order of the same operations may do.
        """
        rng = np.random.default_rng(0)
        spread = np.zeros(expected.shape)
        for _ in range(REPLICAS):
            moved = replace(
                self,
                weights=_jitter(rng, self.weights),
                gradients=_jitter(rng, self.gradients),
                rates=tuple(_jitter(rng, np.array(self.rates))),
            )
            spread = np.maximum(spread, np.abs(moved.run(optimizer) - expected))
        size = np.maximum.accumulate(np.maximum(np.abs(expected), np.abs(self.weights)))
        steps = np.arange(1, len(expected) + 1).reshape(-1, *[1] * self.weights.ndim)
        return 8 * spread + 4 * EPS * size * steps


def _jitter(rng: np.random.Generator, values: np.ndarray) -> np.ndarray:
    return values * (1 + NOISE * rng.uniform(-1, 1, values.shape))


def sequences(rng: np.random.Generator, rate: float, scheduled: bool) -> Iterator[Sequence]:
    """One of each kind, in the order in which a difference is told."""
    constant = (rate,) * STEPS

    def normal(scale: float = 1.0, steps: int = STEPS) -> np.ndarray:
        return scale * rng.standard_normal((steps, *SHAPE))

    def weights(scale: float = 1.0) -> np.ndarray:
        return scale * rng.standard_normal(SHAPE)

    zero = np.zeros(SHAPE)
    yield Sequence("one step", weights(), normal(steps=1), (rate,))
    yield Sequence("one step from zero weights", zero, normal(steps=1), (rate,))
    yield Sequence("constant rate", weights(), normal(), constant)
    if scheduled:
        rates = tuple(rate * factor for factor in SCHEDULE)
        yield Sequence("changing rate", weights(), normal(), rates)
    tiny = 10.0 ** rng.uniform(-12, -3, (STEPS, *SHAPE)) * np.sign(normal())
    yield Sequence("small gradients", weights(), tiny, constant)
    yield Sequence("large gradients", weights(), normal(1e6), constant)
    yield Sequence("large weights", weights(1e3), normal(), constant)
    yield Sequence("gradient that stops", weights(), _stops(normal()), constant)
    yield Sequence("sparse gradients", weights(), _sparse(rng, normal()), constant)


def _stops(gradients: np.ndarray) -> np.ndarray:
    gradients[len(gradients) // 2 :] = 0
    return gradients


def _sparse(rng: np.random.Generator, gradients: np.ndarray) -> np.ndarray:
    return np.where(rng.random(gradients.shape) < 0.5, gradients, 0)
