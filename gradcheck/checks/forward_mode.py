"""Forward mode agrees with reverse mode: <u, J v> = <J'u, v>."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gradcheck.agreement import along, direction, pushed, wanted
from gradcheck.case import Case
from gradcheck.checks.base import LAWS, Check, Notes
from gradcheck.evaluation import as_outputs, describe
from gradcheck.findings import Finding
from gradcheck.records.schema import CLAIM
from gradcheck.rounding import ulp
from gradcheck.subject import Subject

# Both sides are inner products of the same numbers by two routes; an inner cancellation of 2^20
# ulps is the subject's own business, a wrong tangent is of order 1. So much in low precision.
CANCELLED, AT_MOST = 2.0**20, 2.0**-6


class ForwardMode(Check):
    name = "forward_mode"
    law = "forward mode agrees with reverse mode: <u, J v> = <J'u, v>"
    stage = LAWS

    def applies(self, subject: Subject) -> str:
        return "" if subject.jvp is not None else "no jvp is declared"

    def run(self, case: Case, notes: Notes) -> Iterator[Finding]:
        backend, names = case.backend, case.subject.differentiable
        tangents = {
            n: backend.random_signs(case.arrays[n], case.example.seed + 13 + k)
            for k, n in enumerate(names)
        }
        try:
            forward = _pushed(case, tangents)
            for name in names:
                _tell(case, name, tangents, notes)
        except Exception as error:  # noqa: BLE001 - whatever a jvp raises is a finding
            said = f"jvp raised {describe(error)} where forward had not"
            yield case.finding(self.name, "broken", said, cause="jvp raises")
            return
        reverse = [backend.dot(case.claim[n], tangents[n]) for n in names]
        size = sum(backend.norm(case.claim[n]) * backend.norm(tangents[n]) for n in names)
        if not size < float("inf"):
            return
        off = abs(forward - sum(reverse)) / (_agreement(case) * size + 1e-300)
        notes.score = max(notes.score, off)
        if off > 1:
            yield case.finding(
                self.name,
                "wrong",
                f"forward mode gives {forward:.8g} where reverse mode gives "
                f"{sum(reverse):.8g}: one of jvp and vjp is wrong",
                cause="jvp and vjp disagree",
                expected=sum(reverse),
                returned=forward,
            )


def _agreement(case: Case) -> float:
    """The relative difference of both sides that rounding in this precision makes."""
    arrays = [*case.claim.values(), *(case.outputs[k] for k in case.judged)]
    return min(CANCELLED * max(ulp(case.backend, a) for a in arrays), AT_MOST)


def _pushed(case: Case, tangents: Mapping[str, Any]) -> float:
    """<cotangent, J tangents> as the subject's jvp gives it."""
    given = case.evaluator.call(case.subject.jvp, dict(tangents), **case.fresh())
    outputs = as_outputs(given)
    return sum(case.backend.dot(case.cotangents[k], outputs[k]) for k in case.judged)


def _tell(case: Case, name: str, tangents: Mapping[str, Any], notes: Notes) -> None:
    """Forward mode as an oracle for one input: the others stay where they are."""
    way = direction(case, name) if wanted(case, notes) else None
    if way is not None:
        still = {n: case.backend.combine([0.0], [t]) for n, t in tangents.items()}
        pushed(case, name, _pushed(case, still | {name: way.direction}), notes)
        along(case, name, CLAIM, case.backend.to_numpy(case.claim[name]), notes)


CHECK = ForwardMode()
