"""What the declared convention asks for at a kink, and the sentence that says so."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.diagnosis.words import entry, factor, number
from gradcheck.evaluation import ClaimRaised, ForwardRaised
from gradcheck.judgement.problem import Judgement, WrongEntry
from gradcheck.oracles import directions

if TYPE_CHECKING:
    from gradcheck.case import Case

# How far to either side of a kink its slopes are asked, in units of the input's scale: nearer than
# any curvature shows in nine digits, and many roundings away from the point.
ASIDE = 2.0**-30


@dataclass
class Convention:
    """The rule that a subject declares for its kinks, at one input of one example."""

    case: Case
    name: str

    @property
    def words(self) -> str:
        """The rule as the report names it: "alpha = 0.5", "twin", "subgradient", ..."""
        rule = self.case.subject.kinks
        if isinstance(rule, str):
            return rule
        return "a function" if callable(rule) else f"alpha = {factor(float(rule))}"

    @cached_property
    def asked(self) -> np.ndarray | None:
        """The gradient that the rule asks for; None where it leaves a choice."""
        rule = self.case.problem().kinks
        if isinstance(rule, str):
            return None
        if callable(rule):
            backend = self.case.backend
            given = tuple(backend.copy(self.case.cotangents[k]) for k in self.case.judged)
            value = rule(given, self.case.fresh())[self.name]
            return backend.to_numpy(value) if backend.is_array(value) else np.asarray(value)
        left, right = self.sides
        return np.asarray(left + float(rule) * (right - left))

    @cached_property
    def sides(self) -> tuple[np.ndarray, np.ndarray]:
        """The claim a little to the left of every entry, and to the right."""
        backend, x = self.case.backend, self.case.arrays[self.name]
        away = np.full(backend.shape(x), ASIDE * directions.scale(backend, x))
        found = []
        for sign in (-1.0, 1.0):
            step = backend.cast(backend.from_numpy(away), backend.dtype_name(x))
            point = self.case.fresh() | {self.name: backend.add_scaled(x, sign, step)}
            claim = self.case.vjp(self.case.cotangents, point)
            found.append(backend.to_numpy(claim[self.name]))
        return found[0], found[1]

    def entries(self, judged: Sequence[WrongEntry], first: object) -> tuple[WrongEntry, ...]:
        """The same entries with what the rule asks for: that at `first`, then the worst."""
        asked = self.asked
        if asked is None:
            return tuple(judged)
        due = [WrongEntry(e.index, asked[e.index].item() + 0.0, e.returned) for e in judged]
        apart = [e for e in due if abs(e.expected - e.returned) > 0]
        return tuple(sorted(apart, key=lambda e: (e.index != first, -abs(e.expected - e.returned))))

    def sentence(self, worst: WrongEntry) -> str:
        """What is asked for at the worst entry, and what was returned instead."""
        x = np.asarray(self.case.as_numpy()[self.name])
        rule = {"twin": "the twin's"}.get(self.words, self.words)
        return (
            f"at the kink {entry(self.name, worst.index)} = {number(x[worst.index])} the declared "
            f"convention ({rule}) asks for {number(worst.expected)}; the gradient returned is "
            f"{number(worst.returned)}{self._taken(worst)}"
        )

    def _taken(self, worst: WrongEntry) -> str:
        """The alpha that the claim amounts to, for a rule that is one."""
        if not self.words.startswith("alpha"):
            return ""
        left, right = (float(side[worst.index]) for side in self.sides)
        if left == right or not math.isfinite(right - left):
            return ""
        return f" (alpha = {factor((complex(worst.returned).real - left) / (right - left))})"


def as_declared(case: Case, judgement: Judgement) -> tuple[Judgement, str]:
    """A verdict at a kink with the entries that the convention asks for, and its sentence.

    The sentence is "" where the convention leaves a choice: then the judgement stands as it is.
    """
    kink = judgement.kink
    if judgement.verdict != "wrong_at_kink" or kink is None or kink.point_defect:
        return judgement, ""
    convention = Convention(case, judgement.name)
    try:
        if convention.asked is None:
            return judgement, ""
        entries = convention.entries(judgement.entries, kink.index)
        sentence = convention.sentence(entries[0]) if entries else ""
    except (ClaimRaised, ForwardRaised):
        return judgement, ""  # beside the kink nothing can be asked: the verdict says what it can
    return dataclasses.replace(judgement, entries=entries or judgement.entries), sentence
