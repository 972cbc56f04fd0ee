"""Gradient sequences that tell optimizers apart, and the honest rounding of a run over one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from gradcheck.training.drivers import Driver

SHAPE = (2, 3)
STEPS = 8
# A run long enough for a counter, a warm-up or a correction that ends after some dozens of steps.
MANY = 200

# Rates are base times powers of two, so that a framework that keeps them in float32 loses nothing.
SCHEDULE = (1.0, 0.5, 0.5, 32.0, 2.0**-12, 1.0, 0.125, 0.5)

REPLICAS = 6
FEW = 2  # replicas of the long run, whose steps are many to take the spread over
NOISE = 2.0**-50  # four ulps: about what an update of ten operations may lose
EPS = 2.0**-52


@dataclass(frozen=True)
class Sequence:
    """What an optimizer is fed: weights to start from, then a gradient and a rate a step.

    rows, missing: as in `Driver.run`. again: the gradients of `theirs` come in the same memory.
    remark: what is said of a difference that is a matter of habit, in the place of a finding.
    """

    name: str
    weights: np.ndarray
    gradients: np.ndarray
    rates: tuple[float, ...]
    rows: bool = False
    missing: np.ndarray | None = None
    again: bool = False
    replicas: int = REPLICAS
    remark: str = ""

    def run(self, optimizer: Driver, again: bool = False) -> np.ndarray:
        """The weights after each step."""
        return optimizer.run(
            self.weights,
            list(self.gradients),
            self.rates,
            rows=self.rows,
            missing=self.missing,
            again=again,
        )

    def tolerance(self, optimizer: Driver, expected: np.ndarray) -> np.ndarray:
        """Honest rounding of the weights after each step, entry by entry.

        The run is repeated with every number moved by a few ulps; what that does to the result is
        what another order of the same operations may do.
        """
        rng = np.random.default_rng(0)
        spread = np.zeros(expected.shape)
        for _ in range(self.replicas):
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


# Kinds of sequence that explanations ask for by name.
CHANGING = "changing rate"
LONG = "many steps"
SEVERAL = "several parameters"
MISSING = "a parameter without a gradient"
AGAIN = "gradients in the same memory"

# torch leaves a parameter whose grad is None alone, with its state; whoever counts steps for all
# parameters together, or expects every gradient, is not wrong for that.
LEFT_ALONE = "a parameter without a gradient in a step is not left alone as the other leaves it"


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
        yield Sequence(CHANGING, weights(), normal(), rates)
    tiny = 10.0 ** rng.uniform(-12, -3, (STEPS, *SHAPE)) * np.sign(normal())
    yield Sequence("small gradients", weights(), tiny, constant)
    yield Sequence("large gradients", weights(), normal(1e6), constant)
    yield Sequence("large weights", weights(1e3), normal(), constant)
    yield Sequence("gradient that stops", weights(), _stops(normal()), constant)
    yield Sequence("sparse gradients", weights(), _sparse(rng, normal()), constant)
    yield Sequence(SEVERAL, weights(), normal(), constant, rows=True)


def once(rng: np.random.Generator, rate: float, skips: bool, buffers: bool) -> Iterator[Sequence]:
    """What one run of each tells, after the others. skips, buffers: as in `Driver`."""
    constant = (rate,) * STEPS

    def normal(steps: int = STEPS) -> np.ndarray:
        return rng.standard_normal((steps, *SHAPE))

    if skips:
        gone = np.zeros((STEPS, SHAPE[0]), dtype=bool)
        gone[3, 0] = gone[5, 1] = gone[6, 1] = True
        yield Sequence(
            MISSING, normal(1)[0], normal(), constant, rows=True, missing=gone, remark=LEFT_ALONE
        )
    if buffers:
        yield Sequence(AGAIN, normal(1)[0], normal(), constant, again=True)
    yield Sequence(LONG, normal(1)[0], normal(MANY), (rate,) * MANY, replicas=FEW)


def _stops(gradients: np.ndarray) -> np.ndarray:
    gradients[len(gradients) // 2 :] = 0
    return gradients


def _sparse(rng: np.random.Generator, gradients: np.ndarray) -> np.ndarray:
    return np.where(rng.random(gradients.shape) < 0.5, gradients, 0)
