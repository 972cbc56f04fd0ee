"""The verdict on the claim for one input, moved by itself."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from gradcheck.backends.base import Array
from gradcheck.judgement import at_kink, nonfinite
from gradcheck.judgement.along import bends
from gradcheck.judgement.aside import wrong_beside_kinks
from gradcheck.judgement.case import Case, hide
from gradcheck.judgement.compare import clear, kinked, zero_reference
from gradcheck.judgement.comparison import Comparison
from gradcheck.judgement.confirm import (
    aligned,
    below_rounding,
    honest,
    median_entry,
    quiet,
    repeats,
    telling,
    widened,
)
from gradcheck.judgement.localise import wrong_entries
from gradcheck.judgement.problem import Judgement, unsettled
from gradcheck.oracles import directions
from gradcheck.oracles.directions import Placed
from gradcheck.oracles.finite_difference import SKIPPED

# An agreement this coarse, in units of the target, is tried along the claim itself: an error of
# scale adds up there, with the weight of the sum of magnitudes and not of their root mean square.
RESCUED = 64.0
# A claim whose own roundoff is this share of it belongs to a function that float64 cannot
# differentiate: chaos, or a condition of 1e13 and more.
UNSTEADY = 2.0**-7
# Less is enough where the function itself is rough at every step: that is what chaos looks like.
CHAOTIC = 2.0**-20

CONTESTED = "a wide step contradicts the claim, and smaller ones agree with it"
NOWHERE = "the entries disagree together, and none of them by itself"
CONTRARY = "the derivative is infinite there, and of the other sign"
BENDS = "it bends within the step that noise asks for, and the claims along it add up to that"
KNOWN = "wrong here too"
UNSTABLE = "the claim itself changes from one rounding to the next"
ROUNDED_INSIDE = "a disagreement below the rounding of what the outputs are at smaller inputs"


def alone(case: Case, name: str) -> Judgement:
    """The verdict on one input, moved by itself."""
    if case.size(name) == 0:
        return nothing(name)
    backend = case.backend
    if not math.isfinite(backend.max_abs(case.claim[name])):
        return _nonfinite(case, name)
    verdict = _finite(case, name, telling(case, name)[0])
    if verdict.verdict in ("wrong", "inconclusive"):
        verdict = _but_for_conventions(case, name, verdict)
    if verdict.verdict != "inconclusive":
        return verdict
    against = nonfinite.contrary(case, name)
    if against:
        return dataclasses.replace(verdict, verdict="wrong", entries=against, reason=CONTRARY)
    if not directions.spans(backend, case.x(name)):
        return verdict
    other = _finite(case, name, case.relative(name))
    spent = verdict.evaluations + other.evaluations
    clearer = other.verdict != "inconclusive" or other.detectable < verdict.detectable
    return dataclasses.replace(other if clearer else verdict, evaluations=spent)


def _but_for_conventions(case: Case, name: str, verdict: Judgement) -> Judgement:
    """The verdict without the entries where a claim of zero stands for an infinite derivative."""
    infinite = nonfinite.conventional(case, name)
    if not infinite.any() or infinite.all():
        return verdict
    rest = hide(case, name, infinite)
    told = _finite(rest, name, telling(rest, name)[0])
    return dataclasses.replace(told, evaluations=verdict.evaluations + told.evaluations)


def nothing(name: str) -> Judgement:
    """The verdict on an empty input."""
    return Judgement(name, "correct", 0.0, 0.0, 0.0, 0.0, reason="nothing to differentiate")


def _nonfinite(case: Case, name: str) -> Judgement:
    values = case.backend.to_numpy(case.claim[name])
    bad = ~np.isfinite(values)
    entries = () if case.partial else nonfinite.offences(case, name, bad)
    if entries:
        return Judgement(
            name,
            "nonfinite",
            entries=entries,
            reason=f"{int(bad.sum())} entries of the gradient are not finite",
        )
    rest = hide(case, name, bad)
    if bad.all() and case.partial:
        return Judgement(name, "inconclusive", reason="forward is not finite at this point")
    if bad.all():
        return Judgement(name, "correct", reason="the derivative is infinite, and so is the claim")
    return _finite(rest, name, telling(rest, name)[0])


def _finite(case: Case, name: str, v: Array) -> Judgement:
    """The verdict on a finite claim, along v."""
    domain = case.problem.domains.get(name)
    groups = directions.place(case.backend, case.x(name), v, domain)
    verdicts = [_along(case, name, group) for group in groups]
    if not verdicts:
        return Judgement(name, "correct", reason="the domain leaves no room to move")
    return worst(verdicts)


def _along(case: Case, name: str, group: list[Placed]) -> Judgement:
    """The verdict along the first alternative that agrees sharply, else along the last."""
    spent = 0
    for placed in group:
        line = case.line({name: placed.direction}, placed.stencil, placed.reach)
        result = case.compare(line, final=name not in case.known)
        spent += line.evaluations
        if result.agreed and result.resolution <= case.target:
            break
    if name in case.known and clear(result) and not kinked(line, result.bend):
        said = judgement(case, name, placed.direction, result, "wrong", KNOWN)
        return dataclasses.replace(said, evaluations=spent)
    vague = result.resolution > case.target
    if result.agreed and (vague or kinked(line, result.bend)):
        settled = _at_a_kink(case, name, placed, result)
    else:
        settled = _settle(case, name, placed, result)
    return dataclasses.replace(settled, evaluations=spent)


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
    signal = min(abs(result.returned), result.weight / 8)
    coarse = result.reference <= result.weight and 0.0 < case.target * signal < result.tolerance
    if coarse and result.resolution <= RESCUED * case.target and placed.reach == math.inf:
        along = dataclasses.replace(placed, direction=aligned(case, name, placed.direction))
        line = case.line({name: along.direction}, along.stencil, along.reach)
        louder = case.compare(line)
        if not louder.agreed:
            return _failed(case, name, along, louder)
        louder = dataclasses.replace(louder, reference=abs(louder.returned))
        verdict = judgement(case, name, along.direction, louder)
    typical = median_entry(case, name, placed.direction)
    soft = quiet(case, name, placed.direction, result.weight, typical)
    if soft is None:
        return verdict
    line = case.line({name: soft}, placed.stencil, placed.reach)
    hushed = case.compare(line)
    part = dataclasses.replace(placed, direction=soft)
    second = (
        judgement(case, name, soft, hushed) if hushed.agreed else _failed(case, name, part, hushed)
    )
    return verdict if second.verdict == "inconclusive" else worst([verdict, second])


def _at_a_kink(case: Case, name: str, placed: Placed, result: Comparison) -> Judgement:
    """An agreement that a corner may explain: with 1/2, or for want of a sharp estimate."""
    there = _kink_verdict(case, name)
    sharp = result.resolution <= case.target
    rejected = there is not None and there.verdict != "correct"
    if there is None or (rejected and sharp and isinstance(case.problem.kinks, str)):
        verdict = _settle(case, name, placed, result)
        return verdict if sharp else _beside(case, name, verdict)
    return _told(case, name, placed, result, there)


def _kink_verdict(case: Case, name: str) -> Judgement | None:
    """What the sides of the point say; a rejection only if fresh places say so too."""
    if case.beside:
        return None
    first = at_kink.judged(case, name, alone)
    if first is None or first.verdict == "correct" or name in case.known_at_kinks:
        return first
    again = at_kink.judged(dataclasses.replace(case, seed=case.seed + 1), name, alone)
    return first if again is None else again


def _beside(case: Case, name: str, verdict: Judgement) -> Judgement:
    """An undecided verdict, unless the claim is wrong close by, where more can be seen."""
    if case.beside or verdict.verdict != "inconclusive":
        return verdict
    try:
        there = alone(at_kink.moved(case, name), name)
    except SKIPPED:
        return verdict
    if there.verdict != "wrong":
        return verdict
    details = {**there.details, "moved": True}
    reason = "undecided at the point itself, but wrong close by"
    return dataclasses.replace(there, details=details, reason=reason)


def _told(case: Case, name: str, placed: Placed, result: Comparison, there: Judgement) -> Judgement:
    """A verdict from the sides of the point, with the numbers of the line through it."""
    plain = judgement(case, name, placed.direction, result, there.verdict, there.reason)
    return dataclasses.replace(plain, kink=there.kink, entries=there.entries, details=there.details)


def _failed(case: Case, name: str, placed: Placed, result: Comparison) -> Judgement:
    if result.doubtful:
        return judgement(
            case, name, placed.direction, result, "inconclusive", "the outputs move in fine steps"
        )
    if not math.isfinite(result.expected) or not math.isfinite(result.tolerance):
        return judgement(
            case, name, placed.direction, result, "inconclusive", "no step could be evaluated"
        )
    if result.unresolved:
        return judgement(
            case, name, placed.direction, result, "inconclusive", "it varies faster than any step"
        )
    there = _kink_verdict(case, name)
    if there is not None:
        return _told(case, name, placed, result, there)
    if result.contested:
        return judgement(case, name, placed.direction, result, "inconclusive", CONTESTED)
    roundoff = honest(case, name, placed.direction)
    limit = CHAOTIC if result.rough else UNSTEADY
    if roundoff > limit * max(result.weight, abs(result.expected)):
        there = wrong_beside_kinks(case, name, alone)
        return there or judgement(case, name, placed.direction, result, "inconclusive", UNSTABLE)
    result = widened(result, roundoff)
    if result.agreed:
        return judgement(case, name, placed.direction, result)
    again = repeats(case, name, result)
    if again.agreed:
        found = judgement(case, name, placed.direction, again)
        return found if found.verdict == "correct" else _beside(case, name, found)
    if again.contested:
        return judgement(case, name, placed.direction, again, "inconclusive", CONTESTED)
    if below_rounding(case, placed.direction, result):
        return judgement(case, name, placed.direction, result, "inconclusive", ROUNDED_INSIDE)
    if bends(case, name, placed, result):
        return _told(case, name, placed, result, unsettled(name, BENDS))
    entries = wrong_entries(case, name, placed, result)
    if entries is None:
        return judgement(case, name, placed.direction, result, "inconclusive", NOWHERE)
    found = judgement(case, name, placed.direction, result, "wrong")
    return dataclasses.replace(found, entries=entries)


def judgement(
    case: Case, name: str, v: Array, result: Comparison, verdict: str = "", reason: str = ""
) -> Judgement:
    """A comparison in words; without a verdict given, that of an agreement."""
    if not verdict and result.resolution > case.target:
        result = _zero_by_rounding(case, name, v, result)
    seen = result.resolution
    entry = result.tolerance / median_entry(case, name, v)
    if not verdict:
        noisy = seen > case.target
        verdict = "inconclusive" if noisy else "correct"
        reason = f"noise hides relative errors up to {seen:.1e}" if noisy else ""
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


def _zero_by_rounding(case: Case, name: str, v: Array, result: Comparison) -> Comparison:
    """A claim that is nothing but roundoff is a claim of zero, and as precise as one."""
    line = case.line({name: v})
    if result.weight > 2.0**-30 * max(line.weight(line.base), line.loudness):
        return result
    if honest(case, name, v) < result.weight:
        return result
    return dataclasses.replace(result, reference=zero_reference(line, result.scans))
