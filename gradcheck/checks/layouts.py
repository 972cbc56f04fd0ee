"""The same numbers under other strides give the same gradient."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gradcheck.case import Case
from gradcheck.checks.base import Check, Notes
from gradcheck.evaluation import ClaimRaised
from gradcheck.findings import Finding
from gradcheck.rounding import REROUTED, SPREADS, difference, tolerance
from gradcheck.subject import Subject


class Layouts(Check):
    name = "layouts"
    law = "the layout of cotangent and inputs in memory changes nothing"
    every = 3

    def applies(self, subject: Subject) -> str:
        stochastic = "stochastic" in subject.traits
        return "random numbers are drawn in the order of memory" if stochastic else ""

    def run(self, case: Case, notes: Notes) -> Iterator[Finding]:
        for k, cotangent in enumerate(case.cotangents):
            if cotangent is not None:
                yield from self._cotangent(case, notes, k, cotangent)
        for name in case.subject.differentiable:
            if name in case.subject.owned:
                continue  # nobody hands a module a parameter with strides
            for layout, array in case.backend.layouts(case.arrays[name]):
                yield from self._compare(
                    case, notes, case.cotangents, {**case.fresh(), name: array}, layout, name
                )

    def _cotangent(self, case: Case, notes: Notes, k: int, u: Any) -> Iterator[Finding]:
        for layout, array in case.backend.layouts(u):
            changed = (*case.cotangents[:k], array, *case.cotangents[k + 1 :])
            yield from self._compare(case, notes, changed, case.fresh(), layout, None)

    def _compare(
        self, case: Case, notes: Notes, cotangents: Any, arrays: Any, layout: str, of: str | None
    ) -> Iterator[Finding]:
        notes.layouts.append(layout)
        where = f"input `{of}`" if of else "the cotangent"
        try:
            returned = case.evaluator.vjp(case.packed(cotangents), arrays)
            claim = case.checked_claim(returned)
        except ClaimRaised as raised:
            said = f"vjp raised {raised} when {where} was {layout}"
            yield self._finding(case, said, of)
            return
        for name, gradient in case.claim.items():
            if not self._same(case, notes, name, gradient, claim[name]):
                said = f"the gradient of `{name}` is another when {where} is {layout}"
                yield self._finding(case, said, name)

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


CHECK = Layouts()
