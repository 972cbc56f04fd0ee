"""The same numbers under other strides give the same gradient."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradcheck.case import Case
from gradcheck.checks import points
from gradcheck.checks.base import Check, Notes
from gradcheck.evaluation import ClaimRaised, ForwardRaised
from gradcheck.findings import Finding
from gradcheck.rounding import REROUTED, SPREADS, difference, tolerance
from gradcheck.subject import Subject

EXPANDED = "expanded"


@dataclass(frozen=True)
class Changed:
    """A layout of the cotangent at a position, or of the input `of`: the same numbers."""

    layout: str
    array: Any
    position: int = 0
    of: str | None = None

    @property
    def key(self) -> tuple[Any, ...]:
        return self.layout, self.position, self.of

    @property
    def where(self) -> str:
        return f"input `{self.of}`" if self.of else "the cotangent"


class Layouts(Check):
    name = "layouts"
    law = "the layout of cotangent and inputs in memory changes nothing"
    every = 3

    def applies(self, subject: Subject) -> str:
        stochastic = "stochastic" in subject.traits
        return "random numbers are drawn in the order of memory" if stochastic else ""

    def run(self, case: Case, notes: Notes) -> Iterator[Finding]:
        for changed in _changed(case):
            yield from self._compare(case, notes, changed)
        summed = _summed(case)
        for changed in _changed(summed):
            if changed.layout == EXPANDED and changed.of is None:
                yield from self._compare(summed, notes, changed)

    def _compare(self, case: Case, notes: Notes, changed: Changed) -> Iterator[Finding]:
        notes.layouts.append(changed.layout)
        try:
            others = self._others(case, notes, changed)
        except ClaimRaised as raised:
            if self._refused(case, changed):
                return
            said = f"vjp raised {raised} when {changed.where} was {changed.layout}"
            yield self._finding(case, said, changed.of)
            return
        for name in others:
            if self._confirmed(case, notes, changed, name):
                said = f"the gradient of `{name}` is another when {changed.where} is"
                yield self._finding(case, f"{said} {changed.layout}", name)

    def _refused(self, case: Case, changed: Changed) -> bool:
        """Whether forward itself takes no input of this layout: a contract of its own."""
        if changed.of is None:
            return False
        try:
            case.evaluator.forward({**case.fresh(), changed.of: changed.array})
        except ForwardRaised:
            return True
        return False

    def _others(self, case: Case, notes: Notes, changed: Changed) -> list[str]:
        """Names of the gradients that are others in this layout. Raises ClaimRaised."""
        cotangents = list(map(case.copied, case.cotangents))
        arrays = case.fresh()
        if changed.of is None:
            cotangents[changed.position] = changed.array
        else:
            arrays[changed.of] = changed.array
        returned = case.evaluator.vjp(case.packed(tuple(cotangents)), arrays)
        claim = case.checked_claim(returned)
        return [n for n, g in case.claim.items() if not self._same(case, notes, n, g, claim[n])]

    def _confirmed(self, case: Case, notes: Notes, changed: Changed, name: str) -> bool:
        """Whether it is so at generic numbers too.

        Strides change the order of sums; at a tie or a kink that rounding picks another branch.
        """
        there = points.generic(case)
        if there is None:
            return True
        try:
            again = [c for c in _changed(there) if c.key == changed.key]
            return not again or name in self._others(there, Notes(), again[0])
        except (ForwardRaised, ClaimRaised):
            return True

    def _same(self, case: Case, notes: Notes, name: str, a: Any, b: Any) -> bool:
        backend = case.backend
        if backend.equal(a, b) or not backend.all_finite(a):
            return True
        if backend.shape(a) != backend.shape(b):
            return False
        allowed = tolerance(backend, REROUTED, a)
        error = difference(backend, a, b)
        if error > allowed:
            allowed += SPREADS * case.claim_noise[name] + 2 * case.stated_error(name)
        notes.score = max(notes.score, error / allowed if allowed else 0.0)
        return bool(error <= allowed)

    def _finding(self, case: Case, said: str, name: str | None) -> Finding:
        return case.finding(
            self.name,
            "broken",
            said,
            input=name,
            fault="contiguous assumption",
            cause="contiguous assumption",
            hint="raw pointers, .view, .ravel or data_ptr on an array of any strides",
        )


def _changed(case: Case) -> Iterator[Changed]:
    """Every cotangent, then every differentiable input, in every layout."""
    for k, cotangent in enumerate(case.cotangents):
        if cotangent is not None:
            for layout, array in _layouts(case, cotangent):
                yield Changed(layout, array, position=k)
    for name in case.subject.differentiable:
        if name in case.subject.owned:
            continue  # nobody hands a module a parameter with strides
        for layout, array in _layouts(case, case.arrays[name]):
            yield Changed(layout, array, of=name)


def _summed(case: Case) -> Case:
    """The case with the cotangent that `y.sum()` sends back: one number, expanded."""
    ones = tuple(None if u is None else np.ones_like(u) for u in case.numpy_cotangents())
    return replace(case, given_cotangent=ones)


def _layouts(case: Case, array: Any) -> Iterator[tuple[str, Any]]:
    """Strides of an empty array are nobody's, and contiguous whatever they are."""
    return case.backend.layouts(array) if math.prod(case.backend.shape(array)) else iter(())


CHECK = Layouts()
