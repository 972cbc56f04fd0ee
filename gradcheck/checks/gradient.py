"""The gradient equals the numerical derivative; at a kink it is a generalised gradient."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import Any

from gradcheck.case import Case
from gradcheck.checks.base import VALUES, Check, Notes
from gradcheck.diagnosis import explain, plain
from gradcheck.findings import Finding
from gradcheck.judgement import judge
from gradcheck.judgement.problem import Judgement
from gradcheck.rounding import ULP


class Gradient(Check):
    name = "gradient"
    law = "the gradient equals the numerical derivative; at kinks, a generalised gradient"
    stage = VALUES

    def run(self, case: Case, notes: Notes) -> Iterator[Finding]:
        backend, problem = case.backend, case.problem()
        outputs = tuple(case.outputs[k] for k in case.judged)
        if not all(backend.all_finite(output) for output in outputs):
            return
        cotangents = tuple(case.cotangents[k] for k in case.judged)
        judgements = judge(
            problem, cotangents, seed=case.example.seed, claim=case.claim, outputs=outputs
        )
        for judgement in judgements.values():
            _note(notes, judgement)
            if judgement.verdict == "inconclusive":
                notes.unclear[judgement.name] = _finding(self.name, case, judgement)
            elif judgement.verdict != "correct":
                yield _finding(self.name, case, judgement)


def _note(notes: Notes, judgement: Judgement) -> None:
    if judgement.verdict != "inconclusive" and math.isfinite(judgement.score):
        notes.score = max(notes.score, judgement.score)
    if judgement.verdict == "correct" and judgement.detectable > 0:
        notes.detectable[judgement.name] = {
            # Below an ulp nothing is seen: a figure there comes from an exactly linear function.
            "whole": max(judgement.detectable, ULP["float64"]),
            "entry": max(judgement.detectable_entry, ULP["float64"]),
        }
    if judgement.kink is not None and judgement.kink.point_defect:
        notes.remarks.append(
            f"the gradient of `{judgement.name}` is off at a single point where both sides agree"
        )


def _finding(check: str, case: Case, judgement: Judgement) -> Finding:
    entry = judgement.entries[0] if judgement.entries else None
    return case.finding(
        check,
        judgement.verdict,
        plain(judgement),
        input=judgement.name,
        index=entry.index if entry else None,
        expected=entry.expected if entry else judgement.expected,
        returned=entry.returned if entry else judgement.returned,
        cause=f"{judgement.name}: {judgement.verdict}",
        evidence=_evidence(judgement),
        cotangent=case.numpy_cotangents(),
        tell=partial(explain, case, judgement),
    )


def _evidence(judgement: Judgement) -> dict[str, Any]:
    kink = judgement.kink
    return {
        "levels": [vars(level) for level in judgement.levels],
        "wrong_entries": [(e.index, e.expected, e.returned) for e in judgement.entries],
        "kink": vars(kink) if kink is not None else None,
        "tolerance": judgement.tolerance,
        "error": judgement.error,
        "directional": (judgement.expected, judgement.returned),
    }


CHECK = Gradient()
