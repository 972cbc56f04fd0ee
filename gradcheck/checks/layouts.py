"""The same numbers under other strides give the same gradient."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradcheck.case import Case
from gradcheck.checks import points
from gradcheck.checks.base import Check, Notes
from gradcheck.checks.gradient import CHECK as GRADIENT
from gradcheck.evaluation import ClaimRaised, Evaluator, ForwardRaised
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
            another = self._another_forward(case, changed)
            others = [] if another else self._others(case, notes, changed)
        except ForwardRaised:
            return  # it takes no input of this layout: a contract of its own
        except ClaimRaised as raised:
            if case.undefined:
                raise
            said = f"vjp raised {raised} when {changed.where} was {changed.layout}"
            yield self._finding(case, said, changed.of)
            return
        if others:
            another, others = self._confirmed(case, changed, others)
        if another:
            yield from self._of_that_forward(case, notes, changed)
            return
        for name in others:
            said = f"the gradient of `{name}` is another when {changed.where} is"
            yield self._finding(case, f"{said} {changed.layout}", name)

    def _another_forward(self, case: Case, changed: Changed) -> bool:
        """Whether forward gives other outputs in this layout. Raises ForwardRaised."""
        if changed.of is None or "stateful" in case.subject.traits:
            return False
        outputs = case.evaluator.forward({**case.fresh(), changed.of: changed.array})
        backend = case.backend
        for k in case.judged:
            a, b = case.outputs[k], outputs[k]
            if backend.shape(a) != backend.shape(b):
                return True
            if backend.equal(a, b) or not backend.all_finite(a):
                continue
            allowed = tolerance(backend, REROUTED, a) + SPREADS * case.output_noise
            if not difference(backend, a, b) <= allowed:
                return True
        return False

    def _of_that_forward(self, case: Case, notes: Notes, changed: Changed) -> Iterator[Finding]:
        """A forward that reads its input's memory is another function: of it is the gradient."""
        notes.remarks.append(f"forward gives another result when {changed.where} is not contiguous")
        there = _held(case, changed)
        if there is None:
            return
        found = list(GRADIENT.run(there, Notes(notes.number)))
        for name in dict.fromkeys(finding.input for finding in found):
            said = f"forward gives another result when {changed.where} is {changed.layout}"
            yield self._finding(case, f"{said}, and the gradient of `{name}` is not of that", name)

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

    def _confirmed(self, case: Case, changed: Changed, others: list[str]) -> tuple[bool, list[str]]:
        """The same at generic numbers: whether forward is another there, and which gradients are.

        Strides change the order of sums; at a tie or a kink that rounding picks another branch.
        And at equal numbers a forward that reads memory is the same.
        """
        there = points.generic(case)
        again = [c for c in _changed(there) if c.key == changed.key] if there else []
        if there is None or not again:
            return False, others
        try:
            if self._another_forward(there, again[0]):
                return True, []
            if not all(map(there.backend.all_finite, there.claim.values())):
                return False, others  # outside of where the numbers came from: it says nothing
            confirmed = self._others(there, Notes(), again[0])
        except (ForwardRaised, ClaimRaised):
            return False, others
        return False, [name for name in others if name in confirmed]

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


def _held(case: Case, changed: Changed) -> Case | None:
    """The case of forward and vjp in this layout, wherever they are called.

    At generic numbers if they have the layout, which equal rows alone do: None then.
    """
    assert changed.of is not None
    of, backend, subject = changed.of, case.backend, case.subject

    def laid(inputs: Mapping[str, Any]) -> dict[str, Any]:
        return {**inputs, of: dict(_layouts(case, inputs[of]))[changed.layout]}

    held = subject.but(
        forward=lambda **inputs: subject.forward(**laid(inputs)),
        vjp=lambda cotangent, **inputs: subject.vjp(cotangent, **laid(inputs)),
    )
    there = points.generic(case) or case
    if changed.layout not in dict(_layouts(case, backend.random_signs(there.arrays[of], 1))):
        return None
    evaluator = Evaluator(held, backend, case.evaluator.limit)
    return replace(there, subject=held, evaluator=evaluator, given_cotangent=None)


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
