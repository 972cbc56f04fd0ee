"""The verdict on the claim for one input, moved by itself."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from gradcheck.backends.base import Array
from gradcheck.judgement import nonfinite
from gradcheck.judgement.case import Case
from gradcheck.judgement.compare import Comparison
from gradcheck.judgement.confirm import (
    confirmed,
    honest,
    masked,
    median_entry,
    quiet,
    telling,
    widened,
)
from gradcheck.judgement.localise import wrong_entries
from gradcheck.judgement.problem import Judgement
from gradcheck.oracles import directions
from gradcheck.oracles.directions import Placed


def alone(case: Case, name: str) -> Judgement:
    """The verdict on one input, moved by itself."""
    if case.size(name) == 0:
        return nothing(name)
    backend = case.backend
    if not math.isfinite(backend.max_abs(case.claim[name])):
        return _nonfinite(case, name)
    verdict = _finite(case, name, telling(case, name))
    if verdict.verdict != "inconclusive" or not directions.spans(backend, case.x(name)):
        return verdict
    other = _finite(case, name, case.relative(name))
    spent = verdict.evaluations + other.evaluations
    return dataclasses.replace(other, evaluations=spent)


def nothing(name: str) -> Judgement:
    """The verdict on an empty input."""
    return Judgement(name, "correct", 0.0, 0.0, 0.0, 0.0, reason="nothing to differentiate")


def _nonfinite(case: Case, name: str) -> Judgement:
    values = case.backend.to_numpy(case.claim[name])
    bad = ~np.isfinite(values)
    entries = nonfinite.offences(case, name, bad)
    if entries:
        return Judgement(
            name,
            "nonfinite",
            entries=entries,
            reason=f"{int(bad.sum())} entries of the gradient are not finite",
        )
    rest = nonfinite.finite_part(case, name, bad)
    if bad.all():
        return Judgement(name, "correct", reason="the derivative is infinite, and so is the claim")
    return _finite(rest, name, masked(rest, telling(rest, name), ~bad))


def _finite(case: Case, name: str, v: Array) -> Judgement:
    """The verdict on a finite claim, along v."""
    domain = case.problem.domains.get(name)
    verdicts = []
    for placed in directions.place(case.backend, case.x(name), v, domain):
        line = case.line({name: placed.direction}, placed.stencil, placed.reach)
        result = case.compare(line)
        settled = _settle(case, name, placed, result)
        verdicts.append(dataclasses.replace(settled, evaluations=line.evaluations))
    if not verdicts:
        return Judgement(name, "correct", reason="the domain leaves no room to move")
    return worst(verdicts)


def worst(verdicts: list[Judgement]) -> Judgement:
    """The gravest of several verdicts on one input, with all their evaluations."""
    grave = ("correct", "inconclusive", "wrong_at_kink", "nonfinite", "wrong")
    total = sum(verdict.evaluations for verdict in verdicts)
    chosen = max(verdicts, key=lambda j: (grave.index(j.verdict), _or_zero(j.detectable)))
    return dataclasses.replace(chosen, evaluations=total)


def _or_zero(value: float) -> float:
    return value if math.isfinite(value) else 0.0


def _settle(case: Case, name: str, placed: Placed, result: Comparison) -> Judgement:
    if not result.agreed:
        return _failed(case, name, placed, result)
    verdict = judgement(case, name, placed.direction, result)
    soft = quiet(case, name, placed.direction, result.weight)
    if soft is None:
        return verdict
    line = case.line({name: soft}, placed.stencil, placed.reach)
    hushed = case.compare(line)
    part = dataclasses.replace(placed, direction=soft)
    second = (
        judgement(case, name, soft, hushed) if hushed.agreed else _failed(case, name, part, hushed)
    )
    return verdict if second.verdict == "inconclusive" else worst([verdict, second])


def _failed(case: Case, name: str, placed: Placed, result: Comparison) -> Judgement:
    if result.doubtful:
        return judgement(
            case, name, placed.direction, result, "inconclusive", "the outputs move in fine steps"
        )
    if not math.isfinite(result.expected):
        return judgement(
            case, name, placed.direction, result, "inconclusive", "no step could be evaluated"
        )
    result = widened(result, honest(case, name, placed.direction))
    if result.agreed:
        return judgement(case, name, placed.direction, result)
    if not confirmed(case, name, result):
        return judgement(case, name, placed.direction, result, "correct", "a failure did not repeat")
    entries = wrong_entries(case, name, placed, result)
    found = judgement(case, name, placed.direction, result, "wrong")
    return dataclasses.replace(found, entries=entries)


def judgement(
    case: Case, name: str, v: Array, result: Comparison, verdict: str = "", reason: str = ""
) -> Judgement:
    """A comparison in words; without a verdict given, that of an agreement."""
    seen = result.tolerance / result.weight if result.weight > 0 else math.nan
    entry = result.tolerance / median_entry(case, name, v)
    if not verdict:
        noisy = seen > case.target
        verdict = "inconclusive" if noisy else "correct"
        reason = f"noise hides relative errors below {seen:.1e}" if noisy else ""
    return Judgement(
        name,
        verdict,
        result.expected,
        result.returned,
        result.error,
        result.tolerance,
        seen,
        entry,
        levels=result.levels,
        reason=reason,
    )
