"""The verdict on one input at a point where the function may have a kink."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping

import numpy as np

from gradcheck import kinks
from gradcheck.backends.base import Array
from gradcheck.judgement.case import Case, replaced
from gradcheck.judgement.problem import Judgement, Kink, WrongEntry
from gradcheck.kinks import NAMED, Neighbourhood, Sides
from gradcheck.oracles.finite_difference import fresh

MOST_ENTRIES = 24
# "avoid" moves by this share of the input's scale.
AWAY = 2.0**-10


def judged(case: Case, name: str, retry: Callable[[Case, str], Judgement]) -> Judgement | None:
    """The verdict where the point is at a kink or the claim defective there; None at no kink.

    retry: judges a case away from kinks, for `kinks="avoid"`.
    """
    around = Neighbourhood(case, name, case.draw(name, 77))
    sides = kinks.look(around)
    if sides is None:
        return None
    if case.size(name) > 1 and sides.kinked.any():
        sides = kinks.more(around, sides)
    if not sides.kinked.any() and not sides.outside.any():
        return None
    if case.problem.kinks == "avoid" and kinks.verified(around):
        return _avoided(case, name, around, retry)
    if not sides.kinked.any():
        return _point_defect(case, name, around, sides)
    if not kinks.verified(around):
        return None
    wrong, reason = _offending(case, name, around, sides)
    if not wrong.any() and not reason:
        return _accepted(case, name, sides)
    return _rejected(case, name, sides, wrong, reason) if sides.strong else None


def _offending(
    case: Case, name: str, around: Neighbourhood, sides: Sides
) -> tuple[np.ndarray, str]:
    """Entries that the declared rule forbids, and why."""
    rule = case.problem.kinks
    nowhere = np.zeros(sides.claim.shape, dtype=bool)
    if callable(rule):
        expected = _expected(case, name, rule)
        limit = sides.tolerance + 1e-9 * np.abs(expected)
        wrong = np.abs(sides.claim - expected) > limit
        return wrong, "not what was declared for kinks" if wrong.any() else ""
    if not isinstance(rule, str):
        expected = sides.probes[1] + float(rule) * (sides.probes[0] - sides.probes[1])
        limit = sides.tolerance + NAMED * np.abs(sides.probes[0] - sides.probes[1])
        wrong = (np.abs(sides.claim - expected) > limit) & sides.exactly
        if wrong.any():
            return wrong, f"not left + {float(rule):g} (right - left), as declared"
    if around.nonlinear(sides.claim, sides.tolerance, sides.kinked):
        return sides.kinked, "not multiplied by the cotangent at the kink"
    outside, reason = _outside_hull(case, around, sides, nowhere)
    several = len(case.problem.names) > 1 and not case.problem.elementwise
    if outside.any() and several and kinks.in_joint_walk(around, sides):
        return nowhere, ""
    return outside, reason


def _outside_hull(
    case: Case, around: Neighbourhood, sides: Sides, nowhere: np.ndarray
) -> tuple[np.ndarray, str]:
    simple = case.problem.elementwise or kinks.two_valued(sides)
    if simple and sides.outside.any():
        return sides.outside, "outside the generalised gradient"
    if simple and (case.problem.elementwise or kinks.in_span(sides)):
        return nowhere, ""
    smooth = sides.outside & ~sides.kinked
    if smooth.any():
        return smooth, "outside the generalised gradient"
    if simple:
        return sides.kinked, "outside the generalised gradient"
    if kinks.in_hull(sides) or any(kinks.in_walk(around, sides, salt) for salt in range(3)):
        return nowhere, ""
    return sides.kinked, "outside the generalised gradient"


def _expected(case: Case, name: str, rule: Callable[..., Mapping[str, Array]]) -> np.ndarray:
    backend = case.backend
    given = tuple(backend.copy(u) for u in case.cotangent)
    value = rule(given, fresh(case.problem))[name]
    array = backend.to_numpy(value) if backend.is_array(value) else np.asarray(value)
    return kinks.flat(array)


def _point_defect(case: Case, name: str, around: Neighbourhood, sides: Sides) -> Judgement | None:
    """Both sides agree and the claim differs: wrong at this point alone."""
    if not sides.outside.any() or not kinks.verified(around):
        return None
    tolerated = case.problem.kinks == "autodiff"
    return Judgement(
        name,
        "correct" if tolerated else "wrong_at_kink",
        entries=_entries(case, name, sides, sides.outside),
        kink=_kink(case, name, sides, sides.outside, math.nan, defect=True),
        reason="both sides agree, the claim differs at the point itself",
    )


def _accepted(case: Case, name: str, sides: Sides) -> Judgement:
    jumps = np.abs(sides.probes[0] - sides.probes[1]) > sides.tolerance
    found = kinks.alphas(sides)
    if kinks.two_valued(sides) and found.size:
        alpha, where = float(found[0]), jumps
    else:
        alpha, where = _along(sides)[3], np.zeros_like(jumps)
    details = {"alphas": tuple(float(a) for a in found[:MOST_ENTRIES])}
    kink = _kink(case, name, sides, where, alpha)
    return Judgement(name, "correct", kink=kink, details=details)


def _rejected(case: Case, name: str, sides: Sides, wrong: np.ndarray, reason: str) -> Judgement:
    found = kinks.alphas(sides)
    alpha = float(found[np.argmax(np.abs(found - 0.5))]) if found.size else math.nan
    declared = "declared" in reason
    return Judgement(
        name,
        "wrong_at_kink",
        entries=_entries(case, name, sides, wrong),
        kink=_kink(case, name, sides, wrong, alpha if declared else math.nan),
        reason=reason,
        details={"alpha": alpha},
    )


def _along(sides: Sides) -> tuple[float, float, float, float]:
    """Left and right derivative and claim along the first pattern, and where the claim lies."""
    w = sides.pattern
    right, left = float(sides.probes[0] @ w), float(sides.probes[1] @ w)
    claimed = float(sides.claim @ w)
    alpha = (claimed - left) / (right - left) if right != left else math.nan
    return left, right, claimed, alpha


def _kink(
    case: Case, name: str, sides: Sides, where: np.ndarray, alpha: float, defect: bool = False
) -> Kink:
    first = np.flatnonzero(where)
    index = _index(case, name, int(first[0])) if first.size else None
    if first.size:
        at = first[0]
        left, right, said = (float(a[at]) for a in (sides.probes[1], sides.probes[0], sides.claim))
    else:
        left, right, said, _ = _along(sides)
    return Kink(alpha, left, right, said, int(sides.kinked.sum()), index, defect)


def _index(case: Case, name: str, position: int) -> tuple[int, ...]:
    shape = case.backend.shape(case.x(name))
    if case.backend.is_complex(case.x(name)):
        position //= 2
    return tuple(int(k) for k in np.unravel_index(position, shape)) if shape else ()


def _entries(case: Case, name: str, sides: Sides, wrong: np.ndarray) -> tuple[WrongEntry, ...]:
    """What the nearest side would be, at each wrong entry."""
    nearest = np.clip(sides.claim, sides.low, sides.high)
    gaps = np.where(wrong, np.abs(sides.claim - nearest), -1.0)
    order = [int(i) for i in np.argsort(-gaps)[:MOST_ENTRIES] if wrong[i]]
    return tuple(
        WrongEntry(_index(case, name, i), float(nearest[i]), float(sides.claim[i])) for i in order
    )


def moved(case: Case, name: str) -> Case:
    """The case at a point moved away from its kinks, by a thousandth of the input's scale."""
    around = Neighbourhood(case, name, case.draw(name, 78))
    return _moved(case, name, around)


def _moved(case: Case, name: str, around: Neighbourhood) -> Case:
    point = replaced(case.problem, {name: around.place(AWAY, around.pattern(300))})
    return dataclasses.replace(case.at(point), beside=True)


def _avoided(
    case: Case, name: str, around: Neighbourhood, retry: Callable[[Case, str], Judgement]
) -> Judgement:
    verdict = retry(_moved(case, name, around), name)
    details = {**verdict.details, "moved": True}
    reason = verdict.reason or "judged at a point moved away from a kink"
    return dataclasses.replace(verdict, details=details, reason=reason)
