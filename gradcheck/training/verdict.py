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
from gradcheck.training.sequences import EPS
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
        if abs(again - one.loss) <= 64 * EPS * max(abs(again), abs(one.loss)):
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
        right = True
        for name in entries:
            score = np.abs(path.returned[name] - expected[name]) / tolerance[name]
            score = np.where(np.isfinite(score), score, np.inf)
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
