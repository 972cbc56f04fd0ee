"""The gradient equals the numerical derivative; at a kink it is a generalised gradient."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from gradcheck import kink_distance
from gradcheck.agreement import gradient_told
from gradcheck.case import Case
from gradcheck.checks.base import VALUES, Check, Notes
from gradcheck.convention import Convention, as_declared
from gradcheck.diagnosis import Explanation, explain, plain
from gradcheck.findings import Finding
from gradcheck.judgement import judge
from gradcheck.judgement.problem import Judgement
from gradcheck.rounding import ULP

AT_KINK = (
    "what is returned at exactly the kink: `>=` where `>` is meant, or the other way round; "
    "there it is left slope + alpha (right - left), times the cotangent"
)
# Looking for the nearest kink costs some calls of vjp: at so many examples, canonical ones.
MEASURED = 6


class Gradient(Check):
    name = "gradient"
    law = "the gradient equals the numerical derivative; at kinks, a generalised gradient"
    stage = VALUES
    at_corners = True

    def run(self, case: Case, notes: Notes) -> Iterator[Finding]:
        # What low precision rounds must be right before it is rounded: see the check 'precision'.
        case = case.in_float64()
        backend, problem = case.backend, case.problem()
        outputs = tuple(case.outputs[k] for k in case.judged)
        if not all(backend.all_finite(output) for output in outputs):
            return
        notes.narrow = narrow(case, outputs)
        cotangents = tuple(case.cotangents[k] for k in case.judged)
        judgements = judge(
            problem,
            cotangents,
            seed=case.example.seed,
            claim=case.claim,
            outputs=outputs,
            known=notes.known,
            known_at_kinks=notes.known_at_kinks,
        )
        for judgement in judgements.values():
            _note(notes, judgement)
            gradient_told(case, judgement, notes)
            if notes.narrow and math.isfinite(judgement.detectable):
                notes.hidden[judgement.name] = judgement.detectable
            if judgement.verdict == "inconclusive":
                notes.unclear[judgement.name] = _finding(self.name, case, judgement)
            elif judgement.verdict != "correct":
                yield _finding(self.name, case, judgement)
        notes.distance = _distance(case, list(judgements.values()), notes.number)


def narrow(case: Case, outputs: tuple[Any, ...]) -> bool | None:
    """Whether float64 outputs fit into float32; None where float16 holds them as well.

    Generic numbers computed in float64 fit one time in 2^29; whole ones always do, and so do the
    few ulp that are left of a sum that cancels.
    """
    arrays = [case.backend.to_numpy(output) for output in outputs]
    if not arrays or any(a.dtype not in (np.float64, np.complex128) for a in arrays):
        return None
    flat = np.concatenate([a.reshape(-1) for a in arrays])
    flat = np.concatenate([flat.real, flat.imag]) if flat.dtype.kind == "c" else flat
    with np.errstate(over="ignore", under="ignore"):
        if np.array_equal(flat, flat.astype(np.float16)) or _left_over(case, flat):
            return None
        return np.array_equal(flat, flat.astype(np.float32))


def _left_over(case: Case, outputs: np.ndarray) -> bool:
    """Whether outputs are next to nothing beside the inputs."""
    inputs = [case.arrays[name] for name in case.subject.differentiable]
    size = max((case.backend.max_abs(x) for x in inputs), default=0.0)
    return bool(np.max(np.abs(outputs), initial=0.0) <= 2.0**-40 * size)


def _distance(case: Case, judgements: list[Judgement], number: int) -> str:
    """How far the nearest kink is: known at a kink, looked for at the first few examples."""
    if any(j.kink is not None and not j.kink.point_defect for j in judgements):
        return kink_distance.AT
    right = all(j.verdict in ("correct", "inconclusive") for j in judgements)
    return kink_distance.distance(case) if right and number < MEASURED else ""


def _note(notes: Notes, judgement: Judgement) -> None:
    if judgement.verdict != "inconclusive" and math.isfinite(judgement.score):
        notes.score = max(notes.score, judgement.score)
    if judgement.verdict == "correct" and judgement.detectable > 0:
        notes.detectable[judgement.name] = {
            # Below an ulp nothing is seen: a figure there comes from an exactly linear function.
            "whole": max(judgement.detectable, ULP["float64"]),
            "entry": max(judgement.detectable_entry, ULP["float64"]),
        }
    if judgement.details.get("leap"):
        notes.remarks.append(
            "forward leaps at some points: there the claim is held against the slopes beside them"
        )
    if judgement.kink is not None and judgement.kink.point_defect:
        bound = judgement.details.get("bound")
        where = "at a bound of its domain" if bound else "at a single point where both sides agree"
        notes.remarks.append(f"the gradient of `{judgement.name}` is off {where}")


def _finding(check: str, case: Case, judgement: Judgement) -> Finding:
    judgement, sentence = as_declared(case, judgement)
    entry = judgement.entries[0] if judgement.entries else None
    return case.finding(
        check,
        judgement.verdict,
        sentence or plain(judgement),
        input=judgement.name,
        index=entry.index if entry else None,
        expected=entry.expected if entry else judgement.expected,
        returned=entry.returned if entry else judgement.returned,
        cause=f"{judgement.name}: {judgement.verdict}",
        evidence=_evidence(case, judgement),
        cotangent=case.numpy_cotangents(),
        tell=partial(_explained, case, judgement, sentence),
    )


def _explained(case: Case, judgement: Judgement, sentence: str) -> Explanation:
    """The fault by name; where the convention asks for a number, that number is the message."""
    told = explain(case, judgement)
    if not sentence or told.fault not in (None, "wrong convention at the kink"):
        return told
    return replace(told, message=sentence, hint=AT_KINK)


def _evidence(case: Case, judgement: Judgement) -> dict[str, Any]:
    kink = judgement.kink
    convention = {"convention": Convention(case, judgement.name).words}
    return {
        "levels": [vars(level) for level in judgement.levels],
        "wrong_entries": [(e.index, e.expected, e.returned) for e in judgement.entries],
        "kink": vars(kink) | convention if kink is not None else None,
        "tolerance": judgement.tolerance,
        "error": judgement.error,
        "reason": judgement.reason,
        "directional": (judgement.expected, judgement.returned),
    }


CHECK = Gradient()
