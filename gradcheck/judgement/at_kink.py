"""The verdict on one input at a point where the function may have a kink."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np

from gradcheck import kinks
from gradcheck.judgement import allowed
from gradcheck.judgement.allowed import OUTSIDE, UNSEEN
from gradcheck.judgement.aside import CLOSER, undecided
from gradcheck.judgement.case import Case, replaced
from gradcheck.judgement.problem import Judgement, Kink, WrongEntry, unsettled
from gradcheck.kinks import Neighbourhood, Sides

MOST_ENTRIES = 24
# "avoid" moves by this share of the input's scale.
AWAY = 2.0**-10
BOUND = "at a bound of its domain the claim is not the slope inside"
FAINT = "at a kink, and noise hides how its sides lie"
LEAP = "forward itself leaps at this point"


def judged(case: Case, name: str, retry: Callable[[Case, str], Judgement]) -> Judgement | None:
    """The verdict where the point is at a kink or the claim defective there; None at no kink.

    retry: judges a case away from kinks, for `kinks="avoid"`.
    """
    around, sides = allowed.seen_around(case, name)
    if sides is None:
        return None
    found = _beside(case, name, around, sides, retry)
    if found is not None and found.verdict == "wrong_at_kink" and sides.restless:
        return unsettled(name, CLOSER)
    return found


def _beside(
    case: Case,
    name: str,
    around: Neighbourhood,
    sides: Sides,
    retry: Callable[[Case, str], Judgement],
) -> Judgement | None:
    """The verdict by the sides."""
    if not sides.kinked.any() and sides.closer:
        return undecided(case, name, sides, retry)
    if not sides.kinked.any() and not sides.outside.any():
        return _leaping(name, around)
    seen = kinks.seen(around)
    if case.problem.kinks == "avoid" and seen <= kinks.VERIFIED:
        return _avoided(case, name, around, retry)
    if not sides.kinked.any():
        if seen <= kinks.VERIFIED:
            return _point_defect(case, name, around, sides)
        shared = name not in case.known_at_kinks and _kinked_jointly(around, sides)
        return unsettled(name, FAINT) if shared else None
    if seen > kinks.VERIFIED:
        faint = seen <= kinks.FAINTLY
        return unsettled(name, FAINT) if faint else None
    wrong, reason = allowed.offending(around, sides)
    if not wrong.any() and not reason:
        return _accepted(case, name, sides)
    if kinks.jumps(around):
        return unsettled(name, LEAP)
    if reason == UNSEEN:
        return unsettled(name, reason)
    if sides.outside.any() and kinks.goes_on(around, sides, sides.outside):
        return unsettled(name, CLOSER) if _shifted(around, sides) else None
    chained = sides.outside.any() and np.all(sides.piecewise | ~sides.outside)
    if case.problem.kinks == "autodiff" and chained:
        return _chained(case, name, sides)
    return _rejected(case, name, sides, wrong, reason) if sides.strong else None


def _shifted(around: Neighbourhood, sides: Sides) -> bool:
    """Whether kinks lie nearer to the point than any line resolves, where other inputs put them.

    A bias of exactly 0 after a product of 1e-17 that differs from row to row.
    """
    return len(around.case.live) > 1 and bool(np.any(sides.parting & sides.outside))


def _leaping(name: str, around: Neighbourhood) -> Judgement | None:
    """A claim that is the slope on both sides of a leap of forward: no more can be asked."""
    if kinks.jumps(around) and kinks.seen(around) <= kinks.VERIFIED:
        reason = f"{LEAP}; the claim is the slope on both sides"
        return Judgement(name, "correct", reason=reason, details={"leap": True})
    return None


def _point_defect(case: Case, name: str, around: Neighbourhood, sides: Sides) -> Judgement | None:
    """Both sides agree and the claim differs: wrong at this point alone."""
    if kinks.goes_on(around, sides, sides.outside):
        return None
    if np.all(sides.towards_zero | ~sides.outside) and kinks.jumps(around):
        return unsettled(name, LEAP)
    if name not in case.known_at_kinks and _kinked_jointly(around, sides):
        return Judgement(name, "correct", reason="at a kink that it shares with another input")
    tolerated = case.problem.kinks == "autodiff"
    # Of a point at a bound the domain shows one side only.
    bound = bool(np.all(sides.edge | ~sides.outside))
    return Judgement(
        name,
        "correct" if tolerated else "wrong_at_kink",
        entries=_entries(case, name, sides, sides.outside),
        kink=_kink(case, name, sides, sides.outside, math.nan, defect=True),
        reason=BOUND if bound else "both sides agree, the claim differs at the point itself",
        details={"bound": bound},
    )


def _kinked_jointly(around: Neighbourhood, alone: Sides) -> bool:
    """Whether the claim is a generalised gradient when the other inputs move as well.

    |a - b| at a = b = 0, where both end: each by itself can only leave to one side.
    """
    names = around.case.live
    if len(names) < 2:
        return False
    together = dataclasses.replace(around, moving=names)
    sides = allowed.sides_of(together)
    if sides is None or not sides.kinked.any():
        return kinks.in_some_region(around, alone)
    if not sides.outside.any() and not allowed.outside(together, sides).any():
        return True
    return kinks.in_some_region(around, sides)


def _chained(case: Case, name: str, sides: Sides) -> Judgement:
    """What a chain rule makes of the slopes of the pieces: a remark."""
    kink = _kink(case, name, sides, sides.outside, math.nan, defect=True)
    entries = _entries(case, name, sides, sides.outside)
    return Judgement(name, "correct", kink=kink, entries=entries, reason=OUTSIDE)


def _accepted(case: Case, name: str, sides: Sides) -> Judgement:
    jumps = np.abs(sides.probes[0] - sides.probes[1]) > sides.tolerance
    found = sides.alphas()
    if kinks.two_valued(sides) and found.size:
        alpha, where = float(found[0]), jumps
    else:
        alpha, where = _along(sides)[3], np.zeros_like(jumps)
    details = {"alphas": tuple(float(a) for a in found[:MOST_ENTRIES])}
    kink = _kink(case, name, sides, where, alpha)
    return Judgement(name, "correct", kink=kink, details=details)


def _rejected(case: Case, name: str, sides: Sides, wrong: np.ndarray, reason: str) -> Judgement:
    found = sides.alphas()
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
    index = index_of(case, name, int(first[0])) if first.size else None
    if first.size:
        at = first[0]
        left, right, said = (float(a[at]) for a in (sides.probes[1], sides.probes[0], sides.claim))
    else:
        left, right, said, _ = _along(sides)
    return Kink(alpha, left, right, said, int(sides.kinked.sum()), index, defect)


def index_of(case: Case, name: str, position: int) -> tuple[int, ...]:
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
        WrongEntry(index_of(case, name, i), float(nearest[i]), float(sides.claim[i])) for i in order
    )


def moved(case: Case, name: str) -> Case:
    """The case at a point moved away from its kinks, by a thousandth of the input's scale."""
    return _moved(case, Neighbourhood(case, (name,), case.draw(name, 78)))


def _moved(case: Case, around: Neighbourhood) -> Case:
    point = replaced(case.problem, around.place(AWAY, around.pattern(300)))
    return dataclasses.replace(case.at(point), beside=True)


def _avoided(
    case: Case, name: str, around: Neighbourhood, retry: Callable[[Case, str], Judgement]
) -> Judgement:
    verdict = retry(_moved(case, around), name)
    details = {**verdict.details, "moved": True}
    reason = verdict.reason or "judged at a point moved away from a kink"
    return dataclasses.replace(verdict, details=details, reason=reason)
