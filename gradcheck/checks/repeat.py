"""A second call of vjp gives the same, and alters no earlier result; order of calls is nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from gradcheck.case import Case
from gradcheck.checks import points
from gradcheck.checks.base import VALUES, Check, Notes
from gradcheck.evaluation import ClaimRaised, ForwardRaised, as_outputs, describe
from gradcheck.findings import Finding
from gradcheck.rounding import REORDERED, difference, tolerance

WAITS = 4  # at every so many examples calls at larger points come between


class Repeat(Check):
    name = "repeat"
    law = "a second vjp call gives the same and alters no earlier result; a graph may wait"
    stage = VALUES

    def run(self, case: Case, notes: Notes) -> Iterator[Finding]:
        if "stateful" in case.subject.traits:
            return
        returned = case.raw_claim
        first = case.checked_claim(returned)
        second = case.vjp(case.cotangents, case.arrays)
        yield from self._differs(case, notes, first, second, "vjp was called a second time")
        case.vjp(case.cotangents_from(case.example.seed + 211), case.arrays)
        yield from self._altered(case, returned, first)
        other = _reached(points.other(case))
        if other is not None:
            third = case.vjp(case.cotangents, case.arrays)
            when = "vjp was called after a forward at another point"
            yield from self._differs(case, notes, first, third, when, "stale cache")
        if notes.number % WAITS == 0:
            larger = _reached(points.larger(case))
            yield from self._forward_after(case, [p for p in (other, larger) if p])
            # Those of the same shapes come last: what they leave fits, and is taken unnoticed.
            between = [p for p in (larger, other) if p]
            found = list(self._after(case, notes, first, between))
            yield from found
            if not found and notes.number % (2 * WAITS) and case.subject.later is not None:
                # Of a size that is kept no more shows than that the last one was another.
                yield from self._after(case, notes, first, between[::-1])
        yield from self._output_altered(case)

    def _after(
        self, case: Case, notes: Notes, first: dict[str, Any], between: list[Case]
    ) -> Iterator[Finding]:
        """The same after work at other points, which a graph built before must outlive."""
        if not between:
            return
        if case.subject.later is None:
            yield from self._after_vjp(case, notes, first, max(between, key=_entries))
            return
        try:
            again = _later(case, between)
            if not all(_same(case, name, first[name], again[name]) for name in again):
                # A program that is compiled for `vjp` and not for `later` rounds in another way.
                first = _later(case, [])
        except Exception as error:  # noqa: BLE001 - whatever the user's backward raises
            said = f"backward raised {describe(error)} after forward had run at another point"
            yield self._finding(case, said, None, "stale cache")
            return
        said = "other points were computed before its backward, which ran through its graph twice"
        yield from self._differs(case, notes, first, again, said, "stale cache")

    def _after_vjp(
        self, case: Case, notes: Notes, first: dict[str, Any], larger: Case
    ) -> Iterator[Finding]:
        try:
            larger.vjp(larger.cotangents, larger.arrays)
        except ClaimRaised:
            return  # it raises at that example whatever comes before: for that example to say
        again = case.vjp(case.cotangents, case.arrays)
        said = "vjp was called after a larger example"
        yield from self._differs(case, notes, first, again, said, "stale cache")

    def _forward_after(self, case: Case, between: list[Case]) -> Iterator[Finding]:
        """Forward gives what it gave, whatever was computed since: here, at `between`."""
        if not between:
            return
        for output, again in zip(case.outputs, case.evaluator.forward(case.fresh()), strict=False):
            if not case.backend.is_array(output) or case.backend.equal(output, again):
                continue
            if not _near(case, output, again, tolerance(case.backend, REORDERED, output)):
                said = "forward gave another result after it had run at another point"
                yield self._finding(case, said, None, "stale cache")
                return

    def _output_altered(self, case: Case) -> Iterator[Finding]:
        """What forward returned at first is held ever since: calls at other points came between."""
        for output, held in zip(case.outputs, as_outputs(case.raw_outputs), strict=True):
            if case.backend.is_array(held) and not case.backend.equal(output, held):
                yield case.finding(
                    self.name,
                    "broken",
                    "a later call altered an output that an earlier forward returned",
                    fault="buffer reuse",
                    cause="buffer reuse",
                    hint="return a fresh array, not a buffer that the next call writes into",
                )
                return

    def _differs(
        self,
        case: Case,
        notes: Notes,
        first: dict[str, Any],
        again: dict[str, Any],
        when: str,
        fault: str = "hidden state",
    ) -> Iterator[Finding]:
        for name in again:
            if not case.backend.equal(first[name], again[name]):
                if _same(case, name, first[name], again[name]):
                    self._remark(notes, name)
                    continue
                said = f"the gradient of `{name}` changed when {when}"
                yield self._finding(case, said, name, fault)

    def _finding(self, case: Case, said: str, name: str | None, fault: str) -> Finding:
        return case.finding(
            self.name,
            "nondeterministic" if fault == "hidden state" else "broken",
            said,
            input=name,
            fault=fault,
            cause="hidden state",
            hint="something kept on the object, its class or in a global between calls",
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


def _reached(point: Case | None) -> Case | None:
    """The point after a forward there, by which a stale cache would keep it; None if it raises."""
    if point is None:
        return None
    try:
        point.outputs  # noqa: B018 - computed here
    except ForwardRaised:
        return None
    return point


def _entries(case: Case) -> int:
    return sum(np.size(value) for value in case.numbers.values())


def _later(case: Case, between: list[Case]) -> dict[str, Any]:
    """What the subject's `later` gives, by input name. Raises what the subject raises."""
    cotangents = tuple(map(case.copied, case.cotangents))
    others = [point.fresh() for point in between]
    found = case.evaluator.call(case.subject.later, case.packed(cotangents), others, **case.fresh())
    return {name: case.backend.copy(gradient) for name, gradient in found.items()}


def _same(case: Case, name: str, a: Any, b: Any) -> bool:
    """Whether two results differ by no more than a sum taken in another order may."""
    allowed = tolerance(case.backend, REORDERED, a, b) + 2 * case.stated_error(name)
    return _near(case, a, b, allowed)


def _near(case: Case, a: Any, b: Any, allowed: float) -> bool:
    same_shape = case.backend.shape(a) == case.backend.shape(b)
    return same_shape and difference(case.backend, a, b) <= allowed


CHECK = Repeat()
