"""Ask every fault family about one wrong gradient; say what is known where none fits.

The example that failed is small, and at small sizes faults look alike: names are given at fresh,
generic, rectangular examples, and must come out the same at every one of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np

from gradcheck.case import Case
from gradcheck.diagnosis import budget, conditions, inherited, precision, repeats, sizes
from gradcheck.diagnosis.evidence import Evidence, Scene, TooSmall
from gradcheck.diagnosis.explanation import Explanation, plain
from gradcheck.diagnosis.scenes import Study, study_of
from gradcheck.diagnosis.words import clause
from gradcheck.errors import UsageError
from gradcheck.evaluation import ClaimRaised, ForwardRaised
from gradcheck.judgement import numerical_gradient
from gradcheck.judgement.problem import Judgement

# A dense numerical gradient costs some evaluations per entry: at most so many are shown.
MOST_ENTRIES = 256

# In the order they are asked: the first that fits exactly wins, so the specific stand first.
MODULES: tuple[str, ...] = (
    "zero",
    "conjugate",
    "cotangent",
    "scale",
    "precision",
    "multiplied",
    "swapped",
    "moved",
    "windows",
    "parts",
    "activation",
    "through",
    "added",
    "elsewhere",
    "summed",
    "weighted",
    "rowwise",
    "paths",
    "axes",
    "stale",
    "order",
    "where",
    "slope",
    "rankone",
    "contributed",
)
# Families that an axis of two entries misleads.
OF_PLACES: tuple[str, ...] = ("moved", "windows", "parts", "elsewhere", "where")
# Windows of three taps, two apart, lie whole on so many entries at five places.
LONG = 9
# What a guess may run into at a point or a shape that it does not suit.
UNSUITED = (ArithmeticError, ValueError, LookupError, ForwardRaised, ClaimRaised, UsageError)


def explain(case: Case, judgement: Judgement) -> Explanation:
    """Name the fault behind a judgement that is not "correct"."""
    if judgement.verdict == "inconclusive":
        return Explanation(plain(judgement), cause=f"{judgement.name}: inconclusive")
    try:
        told = _told(case, judgement)
    except UNSUITED:
        told = Explanation(plain(judgement))
    cause = told.cause or f"{judgement.name}: {told.fault or judgement.verdict}"
    shown = _shown(case, judgement.name) | told.evidence
    return Explanation(clause(told.message), told.fault, cause, told.hint, shown)


def _told(case: Case, judgement: Judgement) -> Explanation:
    study = study_of(case)
    study.begin()
    told = _full_rows(study, case, judgement)
    if told is not None:
        return told
    scenes = wrong_scenes(study, judgement.name, judgement.verdict)
    if not scenes and judgement.verdict == "wrong":
        told = _square(study, judgement) or _narrow(case, judgement)
        if told is not None:
            return told
    if scenes:
        told = named(scenes, judgement, study.scenes)
        if told is None:
            told = inherited.explain(study, scenes, judgement, named)
        if told is None:
            told = repeats.explain(study, judgement.name)
        if told is None or (told.fault or "").startswith("wrong "):
            told = conditions.symmetric(study, judgement.name) or told
        if told is not None:
            return sizes.limited(study, judgement.name, told)
    told = conditions.explain(study, case, judgement, generic=bool(scenes))
    return told if told is not None else Explanation(plain(judgement))


def _full_rows(study: Study, case: Case, judgement: Judgement) -> Explanation | None:
    """Asked first, for it is cheap and names a mistake that the other families meet at random."""
    try:
        return conditions.masked(study, case, judgement)
    except UNSUITED:
        return None


def _square(study: Study, judgement: Judgement) -> Explanation | None:
    """A fault that needs sizes to be equal before it shows."""
    scenes = [s for s in study.squares if s.wrong(judgement.name)]
    told = named(scenes, judgement) if len(scenes) > 1 else None
    if told is None:
        return None
    equal = sizes.squareness(study, judgement.name)
    where = f"where {equal[0]}" if equal is not None else "where sizes are equal"
    return replace(told, message=f"{told.message}, {where}")


def _narrow(case: Case, judgement: Judgement) -> Explanation | None:
    """Lost precision that numbers of few digits do not show: told by the example that failed."""
    returned = case.backend.to_numpy(case.claim[judgement.name])
    return precision.of_entries(judgement, returned)


def wrong_scenes(study: Study, name: str, verdict: str = "wrong") -> list[Scene]:
    """The generic examples at which the claim for this input is wrong: two, if there is one."""
    found = [scene for scene in study.scenes if _is_wrong(scene, name)]
    if len(found) == 1:
        again = study.scene(found[0].sizes, seed=977)
        found += [again] if again is not None and again.wrong(name) else []
    if len(found) < 2:
        found += [scene for scene in study.wide if _is_wrong(scene, name)]
    if len(found) < 2 and verdict == "wrong":
        found += [scene for scene in study.stretched(name) if _is_wrong(scene, name)]
    whole = [scene for scene in found if np.all(np.isfinite(scene.numerical(name)[0]))]
    return whole if len(whole) > 1 else found


def _is_wrong(scene: Scene, name: str) -> bool:
    try:
        return scene.wrong(name)
    except UNSUITED:
        return False


def named(
    scenes: Sequence[Scene], judgement: Judgement, others: Sequence[Scene] = ()
) -> Explanation | None:
    """The first family that says the same of every scene. others: some may be right."""
    right = tuple(o.of(judgement.name) for o in others if all(o is not s for s in scenes))
    evidence = [
        replace(s.of(judgement.name), right=lambda: right) for s in _telling(scenes, judgement)
    ]
    told = _first(MODULES, evidence, judgement)
    if told is not None:
        return told
    long = [replace(s.of(judgement.name), right=lambda: right)
            for s in _longest(scenes, judgement.name)]  # fmt: skip
    told = _first(OF_PLACES, long, judgement) if len(long) > 1 else None
    return told or _of_long_axis(scenes[0], judgement)


def _of_long_axis(scene: Scene, judgement: Judgement) -> Explanation | None:
    """Windows, which a short axis cuts at both ends, along one that is as long as it may be."""
    own = [d for d in scene.of(judgement.name).axes if d in scene.sizes]
    for axis in reversed(own) if len(own) > 1 else ():
        there = _again(scene, {**dict.fromkeys(own, 2), axis: LONG}, judgement.name)
        there += _again(there[0], {}, judgement.name) if there else []
        if len(there) > 1:
            told = _first(("windows",), [s.of(judgement.name) for s in there], judgement)
            if told is not None:
                return told
    return None


def _first(
    modules: Sequence[str], evidence: Sequence[Evidence], judgement: Judgement
) -> Explanation | None:
    for module in modules:
        family = import_module(f"gradcheck.diagnosis.{module}").explain
        told = agreed(family, evidence, judgement)
        if told is not None:
            return told
    return None


def _telling(scenes: Sequence[Scene], judgement: Judgement) -> Sequence[Scene]:
    """Without those at which the claim happens to be zero, where there are two others."""
    found = [s for s in scenes if np.any(s.claimed(judgement.name))]
    found = found if len(found) > 1 else list(scenes)
    return found


def _longest(scenes: Sequence[Scene], name: str) -> list[Scene]:
    """Two examples without a short axis, of equal sizes if need be.

    Along an axis of two entries most moves and places are the same one.
    """
    shapes = [tuple(n for a in s.arrays.values() for n in np.shape(a)) for s in scenes]
    if len(scenes) < 2 or len({len(shape) for shape in shapes}) > 1:
        return []
    most = [max(sizes) for sizes in zip(*shapes, strict=True)]
    long = [
        s for s, shape in zip(scenes, shapes, strict=True)
        if all(n > 2 or n == m for n, m in zip(shape, most, strict=True))
    ]  # fmt: skip
    if len(long) == len(scenes):
        return []
    short = {d: 3 for d, n in scenes[0].sizes.items() if n == 2}
    long = long or (_again(scenes[0], short, name) if short else [])
    return [*long, *(_again(long[0], {}, name) if len(long) == 1 else [])]


def _again(scene: Scene, sizes: Mapping[str, int], name: str) -> list[Scene]:
    """One example of other numbers, and of these sizes, if there is one at which it is wrong."""
    there = scene.again(sizes) if scene.again is not None else None
    return [there] if there is not None and _is_wrong(there, name) else []


def agreed(family: Any, evidence: Sequence[Evidence], judgement: Judgement) -> Explanation | None:
    """What a family says of every example large enough for it, of two at least if there are."""
    said: list[Explanation] = []
    for k in range(len(evidence)):
        try:
            told = _asked(family, evidence, k, judgement)
        except TooSmall:
            continue
        if told is None or (said and told.key != said[0].key):
            return None
        said.append(told)
    if len(said) == 1 < len(evidence):
        return _said_again(family, evidence, said[0], judgement)
    return said[0] if said else None


def _said_again(
    family: Any, evidence: Sequence[Evidence], told: Explanation, judgement: Judgement
) -> Explanation | None:
    """What one example alone was large enough for, if others of its sizes say the same."""
    for k, first in enumerate(evidence):
        try:
            if _asked(family, evidence, k, judgement) is None:
                continue
            scene = first.scene.again({}) if first.scene.again is not None else None
            if scene is None or not scene.wrong(first.name):
                return None
            pair = [first, replace(first, scene=scene)]
            said = _asked(family, pair, 1, judgement)
        except (TooSmall, *UNSUITED):
            continue
        return told if said is not None and said.key == told.key else None
    return None


def _asked(
    family: Any, evidence: Sequence[Evidence], k: int, judgement: Judgement
) -> Explanation | None:
    others = tuple(e for i, e in enumerate(evidence) if i != k)
    mine = replace(evidence[k], more=lambda: others)
    try:
        with np.errstate(all="ignore"):
            told: Explanation | None = family(mine, judgement)
            return told
    except UNSUITED:
        return None


def _shown(case: Case, name: str) -> dict[str, Any]:
    """Expected and returned gradient of the example that failed, for the report's heat maps."""
    problem, backend = case.problem(), case.backend
    cotangents = tuple(case.cotangents[k] for k in case.judged)
    returned = backend.to_numpy(case.claim[name])
    if not 0 < returned.size <= MOST_ENTRIES or budget.spent():
        return {"returned": returned}
    expected, _ = numerical_gradient(problem, name, cotangents)
    return {"expected": expected, "returned": returned}
