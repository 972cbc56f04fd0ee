"""Judging training steps that were taken: loss first, then the update of every array."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gradcheck.backends import backend
from gradcheck.errors import UsageError
from gradcheck.evaluation import describe
from gradcheck.findings import Finding, Report
from gradcheck.judgement import numerical_gradient
from gradcheck.judgement.problem import Problem
from gradcheck.training.drivers import Driver
from gradcheck.training.path import Path, entry_by_entry
from gradcheck.training.sequences import EPS, REPLICAS
from gradcheck.training.step_laws import named_fault
from gradcheck.training.taken import Taken, Weights, as_number, copied

# A dense numerical gradient costs some evaluations an entry; beyond so many, a sample is measured.
MOST_ENTRIES = 300
# Entries of each array that later steps are judged at.
FEW_ENTRIES = 3
# A tolerance above this share of the array's update leaves an entry unjudged; an update of zero is
# held to what a gradient of a thousandth of the loss, per unit of the weights, would make of it.
UNJUDGED = 1e-3
ZERO = 1e-3

# Gradients at weights off by an ulp, and how many times their spread a right one may be off by.
NUDGES = 3
ROOM = 10
WORST = 16

Measured = dict[str, tuple[np.ndarray, np.ndarray]]
Entries = Mapping[str, np.ndarray]


@dataclass
class Verdict:
    """Judges the steps that were taken, and writes what it finds into the report."""

    step: Callable[..., Any]
    loss: Callable[..., Any] | None
    optimizer: Driver
    rates: Sequence[float]
    rng: np.random.Generator
    report: Report
    batches: Sequence[tuple[Any, ...]] = ()
    gradients: list[Measured] = field(default_factory=list)
    judged: set[str] = field(default_factory=set)

    def all(self, taken: Sequence[Taken], thorough: int) -> None:
        """Every step; the first wrong one ends it, later ones stand on its ruins.

        thorough: how many are judged at every entry, or a large sample; then a few must do.
        """
        entries = {name: self._entries(a) for name, a in taken[0].before.items()}
        apart = entry_by_entry(self.optimizer)
        if not apart and any(len(entries[k]) < a.size for k, a in taken[0].before.items()):
            raise UsageError(
                f"like={self.optimizer.name} looks at all entries together: arrays of more than "
                f"{MOST_ENTRIES} cannot be sampled"
            )
        for number, one in enumerate(taken, 1):
            late = number > thorough
            if late and (not apart or not np.isfinite(one.loss)):
                break
            if late:
                entries = self._fewer(entries)
            if not self._loss_agrees(one, number):
                break
            self.gradients.append(self.gradient(one, entries))
            if not self._update_agrees(number, taken, entries, late):
                break
        self._undecided(taken[0].before)

    def _undecided(self, weights: Weights) -> None:
        """An array of which no entry could be judged in any step has not passed."""
        if self.report.findings:
            return
        for name, array in weights.items():
            if array.size and name not in self.judged:
                said = f"no entry of `{name}` could be judged: the loss is at a kink, or too noisy"
                found = Finding("inconclusive", "update", said, input=name, cause=said)
                self.report.outcomes["update"].findings.append(found)

    def _entries(self, array: np.ndarray) -> np.ndarray:
        if array.size <= MOST_ENTRIES:
            return np.arange(array.size)
        return np.sort(self.rng.choice(array.size, MOST_ENTRIES, replace=False))

    def _fewer(self, entries: Entries) -> dict[str, np.ndarray]:
        """A few of these entries, and of the gradients that were measured there."""
        kept = {
            name: np.sort(self.rng.permutation(len(chosen))[:FEW_ENTRIES])
            for name, chosen in entries.items()
        }
        self.gradients = [
            {name: (g[kept[name]], e[kept[name]]) for name, (g, e) in one.items()}
            for one in self.gradients
        ]
        return {name: chosen[kept[name]] for name, chosen in entries.items()}

    def others(self, taken: Sequence[Taken]) -> list[tuple[Any, ...]]:
        """The batches that are not the last step's."""
        return [batch for batch in self.batches if batch[0] is not taken[-1].batch[0]]

    def _value(self, one: Taken, weights: Weights) -> float:
        given = one.as_given(weights)
        if self.loss is not None:
            return as_number(self.loss(given, *one.batch))
        try:
            return as_number(self.step(given, *one.batch)[1])
        except UsageError:
            raise
        except Exception as error:
            said = f"step raised {describe(error)} when it was called again for its loss"
            raise UsageError(f"{said}: pass loss=, a function of the weights") from error

    def _loss_agrees(self, one: Taken, number: int) -> bool:
        """The loss a step returned is the loss at the weights it was given."""
        outcome = self.report.outcomes["loss"]
        outcome.examples += 1
        again = self._value(one, copied(one.before))
        if not np.isfinite(one.loss):
            said = f"step {number} returned a loss of {one.loss}"
            outcome.findings.append(Finding("nonfinite", "loss", said, returned=one.loss))
            return False
        off, rounding = abs(again - one.loss), 64 * EPS * max(abs(again), abs(one.loss))
        if off <= rounding or off <= rounding + self._honest(one, again):
            return True
        said = f"asked again at the weights of step {number} the loss is another one"
        fault, kind = None, "nondeterministic"
        hint = "a random state, or weights that the step keeps for itself; loss= if it must be so"
        if self.loss is not None:
            fault, kind, hint = self._wrong_loss(one), "wrong", ""
            said = f"step {number} returned a loss that is not the loss at its weights"
            said += ": it is the one after the update" if fault else ""
        found = Finding(kind, "loss", said, expected=again, returned=one.loss)
        outcome.findings.append(replace(found, fault=fault, hint=hint))
        return False

    def _honest(self, one: Taken, value: float) -> float:
        """How far another order of the same operations may take the loss: weights off by an ulp.

        Only of a loss that was given: a step that keeps something would answer otherwise each time.
        """
        if self.loss is None:
            return 0.0
        rng, spread = np.random.default_rng(0), 0.0
        for _ in range(REPLICAS):
            moved = {k: _nudged(rng, a) for k, a in one.before.items()}
            spread = max(spread, abs(self._value(one, moved) - value))
        return 8 * spread

    def _wrong_loss(self, one: Taken) -> str | None:
        later = self._value(one, copied(one.after))
        return "loss after the update" if np.isclose(later, one.loss, rtol=1e-9) else None

    def gradient(self, one: Taken, entries: Entries, point: Weights | None = None) -> Measured:
        """Numerical gradient and its error at the chosen entries, by name; at the step's weights
        unless another point is given."""
        point = one.before if point is None else point
        problem = Problem(
            forward=lambda arrays: (np.array(self._value(one, dict(arrays))),),
            vjp=lambda cotangent, arrays: {},
            point=point,
            names=tuple(point),
            backend=backend("numpy"),
        )
        cotangent = (np.array(1.0),)
        return {
            name: numerical_gradient(problem, name, cotangent, list(chosen))
            for name, chosen in entries.items()
        }

    def _update_agrees(
        self, number: int, taken: Sequence[Taken], entries: Entries, late: bool
    ) -> bool:
        outcome = self.report.outcomes["update"]
        outcome.examples += 1
        path = Path.of(taken[:number], self.gradients, entries, self.optimizer, self.rates)
        expected, tolerance = path.expected()
        scores = path.scores(expected, tolerance)
        if any((score > 1).any() for score in scores.values()):
            self.gradients = self._rounded(taken[:number], entries, scores)
            path = replace(path, gradients=self.gradients)
            expected, tolerance = path.expected()
            scores = path.scores(expected, tolerance)
        right = True
        for name, score in scores.items():
            outcome.score = max(outcome.score, float(score.max(initial=0.0)))
            wanted = expected[name] - path.starts[-1][name]
            if not late:
                self._note(path, name, tolerance[name], wanted)
            if not (score > 1).any():
                continue
            right = False
            worst = int(score.argmax())
            outcome.findings.append(self._finding(path, name, taken[:number], worst, expected))
        return right

    def _rounded(self, taken: Sequence[Taken], entries: Entries, scores: Weights) -> list[Measured]:
        """The gradients with the rounding that a step may add to its own: weights off by an ulp.

        Before anything is called wrong: next to a target a hair's breadth away, or through a
        matrix of a large condition number, a right gradient is off by more than its loss tells.
        Measured at the entries of each array that are furthest off; the largest stands for all.
        """
        rng, wider = np.random.default_rng(0), []
        worst = {k: np.sort(np.argsort(-score)[:WORST]) for k, score in scores.items()}
        some = {k: entries[k][at] for k, at in worst.items() if (scores[k] > 1).any()}
        for one, measured in zip(taken, self.gradients, strict=True):
            spread = dict.fromkeys(measured, 0.0)
            for _ in range(NUDGES):
                moved = {k: _nudged(rng, a) for k, a in one.before.items()}
                for k, (there, _error) in self.gradient(one, some, moved).items():
                    gap = np.abs(there - measured[k][0][worst[k]])
                    spread[k] = max(spread[k], float(gap[np.isfinite(gap)].max(initial=0.0)))
            wider.append({k: (g, e + ROOM * spread[k]) for k, (g, e) in measured.items()})
        return wider

    def _finding(
        self, path: Path, name: str, taken: Sequence[Taken], worst: int, expected: Weights
    ) -> Finding:
        one, number = taken[-1], len(taken)
        index = np.unravel_index(int(path.entries[name][worst]), one.before[name].shape)
        returned = path.returned[name]
        fault, told = named_fault(self, path, name, taken, expected[name])
        said = f"step {number} moves `{name}` otherwise than the gradient of its loss: {told}"
        return Finding(
            "wrong" if np.isfinite(returned).all() else "nonfinite",
            "update",
            said,
            input=name,
            index=tuple(map(int, index)),
            expected=float(expected[name][worst]),
            returned=float(returned[worst]),
            fault=fault,
            cause=told,
            example=dict(one.before),
        )

    def _note(self, path: Path, name: str, tolerance: np.ndarray, update: np.ndarray) -> None:
        """What would have been seen, and which entries were not judged."""
        if not update.size:
            return
        outcome, number = self.report.outcomes["update"], len(path.starts)
        units = float(np.abs(path.starts[-1][name]).max()) or 1.0
        least = ZERO * path.rates[-1] * abs(path.loss) / units
        size = UNJUDGED * max(float(np.abs(update).max()), least)
        clear = tolerance <= max(size, 64 * EPS * units)
        if clear.any():
            self.judged.add(name)
        if not clear.all():
            said = f"step {number}: {int((~clear).sum())} of {clear.size} entries of `{name}`"
            why = "at a kink of the loss, or below its noise"
            outcome.remarks.append(f"{said} are not judged: {why}")
        moved = clear & (update != 0)
        if moved.any():
            whole = float(np.linalg.norm(tolerance[clear]) / np.linalg.norm(update))
            entry = float(np.median(tolerance[moved] / np.abs(update[moved])))
            outcome.detectable[name] = {"whole": whole, "entry": entry}


def _nudged(rng: np.random.Generator, array: np.ndarray) -> np.ndarray:
    """Every number off by up to two ulps; zero has none."""
    return np.asarray(array * (1 + 2 * EPS * rng.uniform(-1, 1, array.shape)))
