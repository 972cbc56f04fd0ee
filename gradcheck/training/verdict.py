"""Judging training steps that were taken: loss first, then the update of every array."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.backends import backend
from gradcheck.errors import UsageError
from gradcheck.findings import CheckOutcome, Finding, Report
from gradcheck.judgement import numerical_gradient
from gradcheck.judgement.problem import Problem
from gradcheck.training.drivers import Driver
from gradcheck.training.sequences import EPS

# A dense numerical gradient costs some evaluations an entry; beyond so many, a sample is measured.
MOST_ENTRIES = 300

Weights = dict[str, np.ndarray]
Measured = dict[str, tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Taken:
    """One step as it was run: weights before and after, the loss it returned, its batch."""

    before: Weights
    after: Weights
    loss: float
    batch: tuple[Any, ...]


def copied(weights: Any) -> Any:
    """Weights as the caller gave them, array or mapping, in memory of their own."""
    if isinstance(weights, Mapping):
        return {name: np.array(value, dtype=float) for name, value in weights.items()}
    return np.array(weights, dtype=float)


def as_number(value: Any) -> float:
    """A loss as a float."""
    array = np.asarray(value, dtype=float)
    if array.size != 1:
        raise UsageError(f"step returned a loss of shape {array.shape}: expected one number")
    return float(array.reshape(()))


@dataclass
class Verdict:
    """Judges the steps that were taken, and writes what it finds into the report."""

    step: Callable[..., Any]
    loss: Callable[..., Any] | None
    optimizer: Driver
    lr: float
    rng: np.random.Generator
    report: Report

    def all(self, taken: Sequence[Taken]) -> None:
        """Every step; the first wrong one ends it, later ones stand on its ruins."""
        gradients: list[Measured] = []
        entries = {name: self._entries(a) for name, a in taken[0].before.items()}
        for number, one in enumerate(taken, 1):
            if not self._loss_agrees(one, number):
                return
            gradients.append(self._gradient(one, entries))
            if not self._update_agrees(one, number, taken, gradients, entries):
                return

    def _entries(self, array: np.ndarray) -> np.ndarray:
        if array.size <= MOST_ENTRIES:
            return np.arange(array.size)
        return np.sort(self.rng.choice(array.size, MOST_ENTRIES, replace=False))

    def _value(self, weights: Weights, batch: tuple[Any, ...]) -> float:
        given = weights["weights"] if list(weights) == ["weights"] else weights
        if self.loss is not None:
            return as_number(self.loss(given, *batch))
        return as_number(self.step(given, *batch)[1])

    def _loss_agrees(self, one: Taken, number: int) -> bool:
        """The loss a step returned is the loss at the weights it was given."""
        outcome = self.report.outcomes["loss"]
        outcome.examples += 1
        again = self._value(copied(one.before), one.batch)
        if not np.isfinite(one.loss):
            said = f"step {number} returned a loss of {one.loss}"
            outcome.findings.append(Finding("nonfinite", "loss", said, returned=one.loss))
            return False
        if abs(again - one.loss) <= 64 * EPS * max(abs(again), abs(one.loss)):
            return True
        said = f"asked again at the weights of step {number} the loss is another one"
        fault, kind = None, "nondeterministic"
        if self.loss is not None:
            fault, kind = self._wrong_loss(one), "wrong"
            said = f"step {number} returned a loss that is not the loss at its weights"
            said += ": it is the one after the update" if fault else ""
        outcome.findings.append(
            Finding(kind, "loss", said, expected=again, returned=one.loss, fault=fault)
        )
        return False

    def _wrong_loss(self, one: Taken) -> str | None:
        later = self._value(copied(one.after), one.batch)
        return "loss after the update" if np.isclose(later, one.loss, rtol=1e-9) else None

    def _gradient(self, one: Taken, entries: Mapping[str, np.ndarray]) -> Measured:
        """Numerical gradient and its error at the chosen entries, by name."""
        problem = Problem(
            forward=lambda arrays: (np.array(self._value(dict(arrays), one.batch)),),
            vjp=lambda cotangent, arrays: {},
            point=one.before,
            names=tuple(one.before),
            backend=backend("numpy"),
        )
        cotangent = (np.array(1.0),)
        return {
            name: numerical_gradient(problem, name, cotangent, list(chosen))
            for name, chosen in entries.items()
        }

    def _update_agrees(
        self,
        one: Taken,
        number: int,
        taken: Sequence[Taken],
        gradients: list[Measured],
        entries: Mapping[str, np.ndarray],
    ) -> bool:
        outcome = self.report.outcomes["update"]
        outcome.examples += 1
        right = True
        for name, chosen in entries.items():
            history = [np.stack(g[name]) for g in gradients]
            starts = [t.before[name].ravel()[chosen] for t in taken[:number]]
            expected, tolerance = self._expected(starts, history)
            returned = one.after[name].ravel()[chosen]
            score = np.abs(returned - expected) / tolerance
            score = np.where(np.isfinite(score), score, np.inf)
            outcome.score = max(outcome.score, float(score.max(initial=0.0)))
            self._detectable(outcome, name, tolerance, expected - starts[-1])
            if not (score > 1).any():
                continue
            right = False
            worst = int(score.argmax())
            finding = self._finding(name, number, one, starts, history, chosen, worst, expected)
            outcome.findings.append(finding)
        return right

    def _expected(
        self, starts: Sequence[np.ndarray], history: Sequence[np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        """What the optimizer makes of the gradients, and how far their errors can take it."""
        exact = self._apply(starts, [g for g, _ in history])
        spread = np.zeros(exact.shape)
        rng = np.random.default_rng(0)
        for _ in range(4):
            moved = [g + e * rng.choice((-1.0, 1.0), g.shape) for g, e in history]
            spread = np.maximum(spread, np.abs(self._apply(starts, moved) - exact))
        size = np.abs(starts[-1]) + np.abs(exact)
        return exact, 4 * spread + 16 * EPS * size + np.finfo(float).tiny

    def _apply(self, starts: Sequence[np.ndarray], gradients: Sequence[np.ndarray]) -> np.ndarray:
        """The weights after the last step: the optimizer's own update, from where it was taken.

        The optimizer runs over all gradients so that its memory is right; the weights it ends
        with are shifted to those the last step began with.
        """
        rates = (self.lr,) * len(gradients)
        path = self.optimizer.run(starts[0], list(gradients), rates)
        last = path[-1] - (path[-2] if len(path) > 1 else starts[0])
        return np.asarray(starts[-1] + last)

    def _detectable(
        self, outcome: CheckOutcome, name: str, tolerance: np.ndarray, update: np.ndarray
    ) -> None:
        size = float(np.linalg.norm(update))
        if size:
            whole = float(np.linalg.norm(tolerance)) / size
            moved = update != 0
            entry = float(np.median(tolerance[moved] / np.abs(update[moved])))
            outcome.detectable[name] = {"whole": whole, "entry": entry}

    def _finding(
        self,
        name: str,
        number: int,
        one: Taken,
        starts: Sequence[np.ndarray],
        history: Sequence[np.ndarray],
        chosen: np.ndarray,
        worst: int,
        expected: np.ndarray,
    ) -> Finding:
        flat = int(chosen[worst])
        index = tuple(map(int, np.unravel_index(flat, one.before[name].shape)))
        returned = one.after[name].ravel()[chosen]
        fault, told = self._fault(number, starts, history, returned, expected)
        return Finding(
            "wrong" if np.isfinite(returned).all() else "nonfinite",
            "update",
            f"step {number} moves `{name}` otherwise than the gradient of its loss: {told}",
            input=name,
            index=index,
            expected=float(expected[worst]),
            returned=float(returned[worst]),
            fault=fault,
            cause=told,
            example=dict(one.before),
        )

    def _fault(
        self,
        number: int,
        starts: Sequence[np.ndarray],
        history: Sequence[np.ndarray],
        returned: np.ndarray,
        expected: np.ndarray,
    ) -> tuple[str | None, str]:
        """A name for the difference, where a simple law explains it."""
        moved, wanted = returned - starts[-1], expected - starts[-1]
        if not moved.any():
            return "never updated", "it does not move at all"
        summed = [np.sum([g for g, _ in history[: k + 1]], axis=0) for k in range(number)]
        if number > 1 and np.allclose(self._apply(starts, summed), returned, rtol=1e-7):
            return "gradient not zeroed", "it follows the sum of all gradients so far"
        some = np.abs(wanted) > 1e-6 * np.abs(wanted).max(initial=0.0)
        ratios = moved[some] / wanted[some]
        k = float(np.median(ratios)) if ratios.size else np.nan
        if ratios.size and np.allclose(ratios, k, rtol=1e-5):
            if abs(k + 1) < 1e-5:
                return "sign flipped", "it goes the other way"
            return f"scaled by {k:.5g}", f"its update is {k:.5g} times the expected one"
        return None, "by no single factor"
