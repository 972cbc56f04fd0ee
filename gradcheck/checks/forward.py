"""Forward is deterministic, returns arrays, and leaves its inputs alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gradcheck.case import Case
from gradcheck.checks.base import FORWARD, Check, Notes
from gradcheck.evaluation import ForwardRaised, as_outputs
from gradcheck.findings import Finding


class Forward(Check):
    name = "forward"
    law = "forward is deterministic, returns arrays and leaves its inputs alone"
    stage = FORWARD

    def run(self, case: Case, notes: Notes) -> Iterator[Finding]:
        backend = case.backend
        arrays = case.fresh()
        returned = case.evaluator.raw_forward(arrays)
        # Copied before the next call: an output buffer that is used again is a finding below.
        before = [case.copied(output) for output in as_outputs(returned)]
        yield from self._returns(case, returned)
        yield from self._mutated(case, arrays)
        try:
            again = as_outputs(case.evaluator.raw_forward(case.fresh()))
        except ForwardRaised as raised:
            said = f"forward raised {raised} when called again with the same inputs"
            yield case.finding(self.name, "broken", said, cause="forward raises again")
            return
        # The call before these was the first of all: one that warms up shows there alone.
        yield from self._repeats(case, [list(case.outputs), before], list(again))
        yield from self._kept(case, before, list(as_outputs(returned)))
        if not all(backend.all_finite(o) for o in before if _inexact(case, o)):
            notes.remarks.append(_nonfinite_remark(case))

    def _returns(self, case: Case, returned: Any) -> Iterator[Finding]:
        outputs = as_outputs(returned)
        odd = [o for o in outputs if o is not None and not case.backend.is_array(o)]
        if odd:
            said = f"forward returned {type(odd[0]).__name__} where an array is expected"
            yield case.finding(self.name, "broken", said, cause="forward returns no array")
        elif not outputs or not any(_inexact(case, o) for o in outputs):
            said = "forward returned no floating point output: there is nothing to differentiate"
            yield case.finding(self.name, "broken", said, cause="forward returns no float")

    def _mutated(self, case: Case, arrays: dict[str, Any]) -> Iterator[Finding]:
        for name, original in case.arrays.items():
            if case.backend.is_array(original) and not case.backend.equal(original, arrays[name]):
                said = f"forward changed its input `{name}` in place"
                yield case.finding(
                    self.name, "broken", said, input=name, fault="mutation", cause="mutation"
                )

    def _repeats(self, case: Case, earlier: list[list[Any]], last: list[Any]) -> Iterator[Finding]:
        if all(len(e) == len(last) and all(map(_same(case), e, last)) for e in earlier):
            return
        said = "forward gave two different results for the same inputs"
        hint = "random numbers (declare the trait 'stochastic') or state kept between calls"
        yield case.finding(self.name, "nondeterministic", said, cause="forward differs", hint=hint)

    def _kept(self, case: Case, before: list[Any], after: list[Any]) -> Iterator[Finding]:
        if not all(map(_same(case), before, after)):
            said = "a later call of forward altered an earlier result: an output buffer is reused"
            yield case.finding(
                self.name, "broken", said, fault="buffer reuse", cause="buffer reuse"
            )


def _same(case: Case) -> Any:
    def same(a: Any, b: Any) -> bool:
        if case.backend.is_array(a) and case.backend.is_array(b):
            return case.backend.equal(a, b)
        return a is b or type(a) is type(b)

    return same


def _inexact(case: Case, output: Any) -> bool:
    return case.backend.is_array(output) and case.backend.is_inexact(output)


def _nonfinite_remark(case: Case) -> str:
    styles = ", ".join(f"{name}: {style}" for name, style in case.example.styles.items())
    return (
        f"forward is not finite at some examples ({styles or 'given arrays'}); "
        "no derivative is asked for there: declare low= and high= if they are not in the domain"
    )


CHECK = Forward()
