"""A second call of vjp gives the same, and alters no earlier result; order of calls is nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gradcheck.case import Case
from gradcheck.checks.base import VALUES, Check, Notes
from gradcheck.evaluation import ForwardRaised
from gradcheck.examples import arrays_of, reseeded
from gradcheck.findings import Finding
from gradcheck.rounding import REORDERED, difference, tolerance


class Repeat(Check):
    name = "repeat"
    law = "a second vjp call gives the same and alters no earlier result"
    stage = VALUES

    def run(self, case: Case, notes: Notes) -> Iterator[Finding]:
        if "stateful" in case.subject.traits:
            return
        returned = case.raw_claim
        first = case.checked_claim(returned)
        second = case.vjp(case.cotangents, case.arrays)
        yield from self._differs(case, notes, first, second, "a second time")
        case.vjp(case.cotangents_from(case.example.seed + 211), case.arrays)
        yield from self._altered(case, returned, first)
        other = self._elsewhere(case)
        if other is not None:
            third = case.vjp(case.cotangents, case.arrays)
            yield from self._differs(case, notes, first, third, "after a forward at another point")

    def _elsewhere(self, case: Case) -> dict[str, Any] | None:
        """Run forward at other numbers of the same shapes: a stale cache would keep them."""
        if not case.example.fills:
            return None
        numbers = arrays_of(case.subject, reseeded(case.example, 7919))
        arrays = {name: case.native(name, value) for name, value in numbers.items()}
        try:
            case.evaluator.raw_forward(arrays)
        except ForwardRaised:
            return None
        return arrays

    def _differs(
        self,
        case: Case,
        notes: Notes,
        first: dict[str, Any],
        again: dict[str, Any],
        when: str,
    ) -> Iterator[Finding]:
        for name in first:
            if not case.backend.equal(first[name], again[name]):
                if _is_rounding(case, name, first[name], again[name]):
                    self._remark(notes, name)
                    continue
                stale = "another point" in when
                yield case.finding(
                    self.name,
                    "broken" if stale else "nondeterministic",
                    f"the gradient of `{name}` changed when vjp was called {when}",
                    input=name,
                    fault="stale cache" if stale else "hidden state",
                    cause="hidden state",
                    hint="something kept on the object or in a global between calls",
                )

    def _remark(self, notes: Notes, name: str) -> None:
        notes.remarks.append(f"the gradient of `{name}` differs between calls, within rounding")

    def _altered(
        self, case: Case, returned: Mapping[str, Any], first: dict[str, Any]
    ) -> Iterator[Finding]:
        for name, value in first.items():
            held = returned[name]
            if case.backend.is_array(held) and not case.backend.equal(held, value):
                yield case.finding(
                    self.name,
                    "broken",
                    f"a later call altered the gradient of `{name}` that an earlier one returned",
                    input=name,
                    fault="buffer reuse",
                    cause="buffer reuse",
                    hint="return a fresh array, not a buffer that the next call writes into",
                )


def _is_rounding(case: Case, name: str, a: Any, b: Any) -> bool:
    """Whether two results differ by no more than a sum taken in another order may."""
    allowed = tolerance(case.backend, REORDERED, a, b) + 2 * case.stated_error(name)
    return difference(case.backend, a, b) <= allowed


CHECK = Repeat()
