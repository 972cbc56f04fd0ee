"""Right at generic examples, wrong at some: at which sizes, which values, which masks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from gradcheck.case import Case
from gradcheck.diagnosis import beside, kinks, sizes
from gradcheck.diagnosis.along import off
from gradcheck.diagnosis.evidence import Scene
from gradcheck.diagnosis.explanation import Explanation, plain
from gradcheck.diagnosis.scenes import Study, scene_of
from gradcheck.diagnosis.words import number
from gradcheck.inputs import Mask
from gradcheck.judgement.problem import Judgement


def explain(study: Study, case: Case, judgement: Judgement, generic: bool) -> Explanation | None:
    """What tells the examples that fail from those that do not."""
    name = judgement.name
    if not generic:
        told = kinks.explain(study, case, judgement)
        if told is not None:
            return told
    said = sizes.size_rule(study, name, dict(case.example.sizes))
    if said is not None:
        text, fault = said
        if text.endswith("is at least 2"):
            return None
        if fault in sizes.VAGUE:
            return Explanation(f"{plain(judgement)} (only where {text})", cause=f"`{name}`: {text}")
        return Explanation(
            f"the gradient of `{name}` is wrong only where {text}", fault, f"{fault}: {text}",
            "a special case of that size, or a division, a stride or a slice that assumes it",
        )  # fmt: skip
    if generic:
        return None
    told = _literal(study, case, judgement)
    if told is None and _right_somewhere(study, case, name):
        told = _values(study, case, judgement)
    return told


def _right_somewhere(study: Study, case: Case, name: str) -> bool:
    """Whether the claim is right at a generic example: "only where" needs one."""
    if study.scenes:
        return any(_is_right(scene, name) for scene in study.scenes)
    fresh = study.case(dict(case.example.sizes), seed=313)
    return fresh is not None and _is_right(scene_of(fresh, study=study), name)


def _is_right(scene: Scene, name: str) -> bool:
    """Whether the claim is right along a direction, and the same when asked again."""
    again = np.asarray(scene.vjp(scene.cotangents, scene.arrays)[name])
    return off(scene, name) is False and np.array_equal(again, scene.claims[name], equal_nan=True)


def symmetric(study: Study, name: str) -> Explanation | None:
    """Right as soon as some square input is symmetric: a transpose is missing."""
    for scene in study.scenes[:1]:
        for other, value in scene.arrays.items():
            if not isinstance(value, np.ndarray) or value.ndim != 2 or value.dtype.kind != "f":
                continue
            if value.shape[0] != value.shape[1] or len(value) < 2 or not scene.wrong(name):
                continue
            arrays = {**scene.arrays, other: (value + value.T) / 2}
            there = replace(scene, arrays=arrays, outputs=scene.forward(arrays))
            if not there.wrong(name):
                return Explanation(
                    f"the gradient of `{name}` is right only where `{other}` is symmetric: "
                    f"a transpose of `{other}` is missing",
                    "transposed",
                    f"right only where `{other}` is symmetric",
                    f"{other} used where one term needs {other}.T",
                )
    return None


# -- values --------------------------------------------------------------------------------------


def masked(study: Study, case: Case, judgement: Judgement) -> Explanation | None:
    """Right as soon as the rows that a mask drops as a whole are kept instead."""
    name = judgement.name
    for other, item in case.subject.inputs.items():
        mask = case.as_numpy().get(other)
        if not isinstance(item, Mask) or not isinstance(mask, np.ndarray) or not mask.ndim:
            continue
        kept = item.true == "keep"
        if not mask.shape[-1] or not np.any(_empty(mask, kept)):
            continue
        scenes = [scene_of(case, study=study), *study.scenes]
        if any(off(_filled(s, other, kept), name) is not False for s in scenes):
            continue
        how = "is not finite" if judgement.verdict == "nonfinite" else "is wrong"
        return Explanation(
            f"the gradient of `{name}` {how} where `{other}` masks fully a row: it is right once "
            "such rows are kept",
            "fully masked row",
            f"fully masked row of `{other}`",
            "0/0, or -inf minus -inf, in a softmax or a mean over nothing",
        )
    return None


def _empty(mask: np.ndarray, kept: bool) -> np.ndarray:
    return np.asarray(~(mask == kept).any(axis=-1, keepdims=True))


def _filled(scene: Scene, other: str, kept: bool) -> Scene:
    """The scene with the rows kept that a mask drops as a whole."""
    mask = np.asarray(scene.arrays[other])
    arrays = {**scene.arrays, other: np.where(_empty(mask, kept), kept, mask)}
    return replace(scene, arrays=arrays, outputs=scene.forward(arrays))


def _literal(study: Study, case: Case, judgement: Judgement) -> Explanation | None:
    """One entry alone, the same where every number is another: an index written out."""
    name, entries = judgement.name, judgement.entries
    if len(entries) != 1 or not entries[0].index:
        return None
    index = entries[0].index
    here = np.zeros(np.shape(case.as_numpy()[name]))
    here[index] = 1.0
    if here.size < 8:
        return None
    for seed in (307, 311):
        other = study.case(dict(case.example.sizes), seed)
        if other is None:
            return None
        scene = scene_of(other, study=study)
        if np.shape(scene.arrays[name]) != here.shape:
            return None
        if off(scene, name, here) is not True:
            return None
        if off(scene, name, 1 - here) is not False:
            return None
    at = ", ".join(map(str, index))
    return Explanation(
        f"the gradient of `{name}` is wrong in one entry, `{name}[{at}]`, whatever the numbers",
        "one wrong entry",
        f"is wrong at [{at}]",
        "an index that is written out",
    )


def _values(study: Study, case: Case, judgement: Judgement) -> Explanation | None:
    """What the entries of the input have in common where the claim is wrong."""
    name, entries = judgement.name, judgement.entries
    x = np.asarray(case.as_numpy()[name])
    if not entries:
        return None
    at = np.array([x[e.index] for e in entries])
    if np.iscomplexobj(x):  # of which nothing but 0 is plain
        where = None if np.any(at) else (f"`{name}` is 0", "wrong at zero", name)
    else:
        where = _common(study, case, name, at, [e.index for e in entries])
    if where is None:
        return None
    said, fault, of = where
    scene = scene_of(case, study=study)
    places = [e.index for e in entries] if of == name else [np.s_[...]]
    if beside.wrong_near(scene, name, of, places):
        return _near(scene, name, at, places) if of == name else None
    nonfinite = judgement.verdict == "nonfinite"
    how = "is not finite" if nonfinite else "is wrong"
    return Explanation(
        f"the gradient of `{name}` {how} only where {said}",
        fault,
        f"{fault}: {said}",
        "a branch, a division or a guard on that value",
    )


def _near(scene: Scene, name: str, at: np.ndarray, places: Sequence[Any]) -> Explanation | None:
    """Wrong beside the value as well: how far from it, where that has an end."""
    if np.ptp(at) or np.iscomplexobj(at):
        return None
    reach = beside.reach(scene, name, places[:1])
    if reach is None:
        return None
    where = f"`{name}` is nearer to {number(at[0])} than about {reach:.1g}"
    return Explanation(
        f"the gradient of `{name}` is wrong where {where}",
        "wrong beyond a bound",
        f"wrong where {where}",
        "a clip, a guard or a branch on the values",
    )


def _common(
    study: Study, case: Case, name: str, at: np.ndarray, places: Sequence[Any]
) -> tuple[str, str, str] | None:
    """What is said of these entries, the fault, and the input that it is said of."""
    x = np.asarray(case.as_numpy()[name])
    item = case.subject.inputs[name]
    low, high = getattr(item, "low", None), getattr(item, "high", None)
    tied = f"entries of `{name}` are tied", "wrong at ties", name
    equal = _equal_to(study, case, name, places)
    if equal is not None:
        return f"`{name}` equals `{equal}`", "wrong at ties", name
    if np.all(at == 0.0):
        alike = x.size > 1 and not np.any(x) and _wrong_where(study, name, _tied)
        return tied if alike else (f"`{name}` is 0", "wrong at zero", name)
    if any(end is not None and np.all(at == end) for end in (low, high)):
        return f"`{name}` is at its bound, {at[0]:g}", "wrong at the bound", name
    others = {
        n: a
        for n, a in case.as_numpy().items()
        if n != name and isinstance(a, np.ndarray) and a.dtype.kind == "f" and a.size
    }
    for other, value in others.items():
        if not np.any(value):
            return f"`{other}` is 0", "wrong at zero", other
    if np.all(at == np.round(at)) and len(at) > 1 and _wrong_where(study, name, np.round):
        return f"`{name}` is a whole number", "wrong at whole numbers", name
    if not all(np.count_nonzero(x == value) > 1 for value in at):
        return None
    selected = sum(np.count_nonzero(x == value) for value in np.unique(at))
    # A rule that most of what it selects breaks explains nothing.
    return tied if len(at) >= selected / 2 else None


def _equal_to(study: Study, case: Case, name: str, places: Sequence[Any]) -> str | None:
    """Another input that is the same there, if equal numbers that are not 0 are wrong as well."""
    here, x = case.as_numpy(), np.asarray(case.as_numpy()[name])
    for scene in study.scenes[:1]:
        shape = np.shape(scene.arrays[name])
        for other, value in here.items():
            theirs = np.asarray(scene.arrays[other])
            if other == name or theirs.dtype.kind != "f":
                continue
            if theirs.shape != shape or np.shape(value) != x.shape:
                continue
            alike = all(x[at] == value[at] for at in places)
            if alike and _wrong_where(study, name, partial(_instead, theirs)):
                return other
    return None


def _instead(theirs: np.ndarray, x: np.ndarray) -> np.ndarray:
    return theirs.astype(x.dtype)


def _tied(x: np.ndarray) -> np.ndarray:
    """All entries one number that is neither 0 nor whole."""
    return np.full_like(x, 0.71875)


def _wrong_where(study: Study, name: str, moved: Callable[[np.ndarray], np.ndarray]) -> bool:
    """Whether the claim is off also where a generic example is moved so."""
    for scene in study.scenes[:1]:
        arrays = {**scene.arrays, name: moved(scene.arrays[name])}
        there = replace(scene, arrays=arrays, outputs=scene.forward(arrays))
        return off(there, name) is True
    return False
