"""At a kink, or at a point: the convention taken, a forgotten cotangent, a defect."""

from __future__ import annotations

import math

import numpy as np

from gradcheck.case import Case
from gradcheck.diagnosis.explanation import Explanation
from gradcheck.diagnosis.scenes import Study, scene_of
from gradcheck.diagnosis.words import entry, factor, number
from gradcheck.judgement.problem import Judgement

HINT = "at a kink the claim is left slope + alpha (right - left), times the cotangent"


def explain(study: Study, case: Case, judgement: Judgement) -> Explanation | None:
    if judgement.verdict != "wrong_at_kink":
        return None
    told = _without_cotangent(case, judgement)
    if told is not None:
        return told
    kink, name = judgement.kink, judgement.name
    if kink is not None and kink.point_defect:
        where = _value(case, judgement)
        if judgement.details.get("bound"):
            return Explanation(
                f"the gradient of `{name}` is wrong at a bound of its domain{where}: it is not the "
                "slope inside",
                "point defect",
                f"`{name}`: point defect",
                "a guard such as x <= low, or the slope of a kink that the domain does not show",
            )
        return Explanation(
            f"the gradient of `{name}` is wrong at a single point{where}, though the slopes on "
            "both sides agree there",
            "point defect",
            _cause(case, judgement),
            "a guard such as x == 0 that returns a slope of its own",
        )
    return _convention(case, judgement)


def _without_cotangent(case: Case, judgement: Judgement) -> Explanation | None:
    """Entries that stay the same when the cotangent is multiplied by -3, others do not."""
    name, entries = judgement.name, judgement.entries
    if not entries:
        return None
    scene = scene_of(case)
    before = np.asarray(scene.claims[name])
    after = np.asarray(scene.vjp(tuple(-3.0 * u for u in scene.cotangents), scene.arrays)[name])
    index = tuple(np.array([e.index for e in entries]).T) if before.ndim else ()
    was, now = np.atleast_1d(before[index]), np.atleast_1d(after[index])
    if not np.all(was) or not np.array_equal(was, now):
        return None
    where = entry(name, entries[0].index)
    return Explanation(
        f"the gradient of `{name}` is not multiplied by the cotangent at the kink: {where} gets "
        f"{number(was[0])} whatever the cotangent",
        "not multiplied by the cotangent at the kink",
        f"`{name}`: kink without cotangent",
        "an assignment such as grad[x == 0] = alpha where *= is meant",
    )


def _cause(case: Case, judgement: Judgement) -> str:
    """At 0, the cause of what is wrong only there: both are one guard."""
    x = np.asarray(case.as_numpy()[judgement.name])
    zero = judgement.entries and not any(x[e.index] for e in judgement.entries)
    said = "wrong at zero: `{}` is 0" if zero else "`{}`: point defect"
    return said.format(judgement.name)


def _value(case: Case, judgement: Judgement) -> str:
    if not judgement.entries:
        return ""
    index = judgement.entries[0].index
    value = np.asarray(case.as_numpy()[judgement.name])[index]
    return f", {entry(judgement.name, index)} = {number(value)}"


def _convention(case: Case, judgement: Judgement) -> Explanation:
    name = judgement.name
    declared, alpha = case.subject.kinks, _alpha(judgement)
    where = _value(case, judgement)
    taken = f"alpha = {factor(alpha)}" if math.isfinite(alpha) else "no such slope"
    if isinstance(declared, int | float) and not isinstance(declared, bool):
        text = (
            f"the gradient of `{name}` takes {taken} at the kink{where}, where alpha = "
            f"{factor(float(declared))} is declared{_due(judgement, float(declared))}"
        )
    elif callable(declared):
        text = f"the gradient of `{name}` is not what is declared for the kink{where}"
    elif _whole_to_each(case, judgement):
        text = (
            f"the gradient of `{name}` goes whole to each of several tied entries{where}: one of "
            "them should get it, or all of them a share"
        )
    else:
        text = (
            f"the gradient of `{name}` is outside the generalised gradient at the kink"
            f"{where}{_sides(judgement)}"
        )
    return Explanation(
        text, "wrong convention at the kink", f"`{name}`: wrong convention at the kink", HINT
    )


def _sides(judgement: Judgement) -> str:
    """The entry beside its two sides; between them it is right alone, and wrong with others."""
    kink = judgement.kink
    if kink is None or not (math.isfinite(kink.left) and math.isfinite(kink.right)):
        return ""
    low, high = sorted((kink.left, kink.right))
    slack = 1e-6 * (high - low)
    left, right, claimed = number(kink.left), number(kink.right), number(kink.claimed)
    if low - slack <= kink.claimed <= high + slack:
        return (
            f": alone, {claimed} lies between the sides {left} and {right}; with the other "
            "entries it is no mixture of sides"
        )
    return f": it is {claimed}, the slopes on the two sides are {left} and {right}"


def _whole_to_each(case: Case, judgement: Judgement) -> bool:
    """Tied entries with equal claims, each as large as one side of its kink."""
    kink, name = judgement.kink, judgement.name
    x = np.asarray(case.as_numpy()[name])
    if kink is None or not judgement.entries or kink.claimed == 0 or np.iscomplexobj(x):
        return False
    claim = case.backend.to_numpy(case.claim[name])
    index = judgement.entries[0].index
    tied = (x == x[index]) & np.isclose(claim, kink.claimed, rtol=1e-9, atol=0)
    sides = np.isclose([kink.left, kink.right], kink.claimed, rtol=1e-6, atol=0)
    return bool(np.sum(tied) > 1 and np.any(sides))


def _due(judgement: Judgement, declared: float) -> str:
    kink = judgement.kink
    if kink is None or not (math.isfinite(kink.left) and math.isfinite(kink.right)):
        return ""
    due = kink.left + declared * (kink.right - kink.left)
    return f": it is {number(kink.claimed)}, not {number(due)}"


def _alpha(judgement: Judgement) -> float:
    told = judgement.details.get("alpha")
    if told is not None:
        return float(told)
    return judgement.kink.alpha if judgement.kink is not None else math.nan
