"""Right at generic examples, wrong at some: at which sizes, which values, which masks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from gradcheck.case import Case
from gradcheck.diagnosis import kinks
from gradcheck.diagnosis.evidence import Scene
from gradcheck.diagnosis.explanation import Explanation, plain
from gradcheck.diagnosis.jacobian import directional
from gradcheck.diagnosis.scenes import OutOfTime, Study, scene_of
from gradcheck.diagnosis.words import listed
from gradcheck.evaluation import ClaimRaised, ForwardRaised
from gradcheck.inputs import Integers, Mask
from gradcheck.judgement.problem import Judgement

# Sizes one dimension is tried at, the others kept: small ones, and around powers of two.
TRIED = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 16, 17)

# Sizes at which a fault shows anyway: the fault's own name says more.
VAGUE = ("wrong for large sizes", "wrong for small sizes", "wrong for some sizes")

SizeRule = tuple[str, str, Callable[[int], bool]]


def explain(study: Study, case: Case, judgement: Judgement, generic: bool) -> Explanation | None:
    """What tells the examples that fail from those that do not."""
    name = judgement.name
    if not generic:
        told = kinks.explain(study, case, judgement)
        if told is not None:
            return told
    said = size_rule(study, name)
    if said is not None:
        text, fault = said
        if text.endswith("is at least 2"):
            return None
        if fault in VAGUE:
            return Explanation(f"{plain(judgement)} (only where {text})", cause=f"`{name}`: {text}")
        return Explanation(
            f"the gradient of `{name}` is wrong only where {text}", fault, f"{fault}: {text}",
            "a special case of that size, or a division, a stride or a slice that assumes it",
        )  # fmt: skip
    if generic:
        return None
    return _literal(study, case, judgement) or _values(case, judgement)


def limited(study: Study, name: str, told: Explanation) -> Explanation:
    """The same explanation, with the sizes it is limited to where it is."""
    wrong = [scene.wrong(name) for scene in study.scenes]
    if all(wrong) or not told.fault or "tail" in told.fault:
        return told
    said = size_rule(study, name)
    if said is None:
        return told
    where, fault = said
    if fault in VAGUE:
        random = any(isinstance(i, Integers | Mask) for i in study.subject.inputs.values())
        if random or where.endswith("is at least 2"):
            return told  # the examples differ in more than sizes
        return replace(told, message=f"{told.message}, only where {where}")
    how = told.message.removeprefix(f"the gradient of `{name}` ")
    message = f"the gradient of `{name}` is wrong only where {where}: there it {how}"
    return replace(told, message=message, fault=fault, cause=f"{fault}: {where}: {told.cause}")


# -- sizes ---------------------------------------------------------------------------------------


def size_rule(study: Study, name: str) -> tuple[str, str] | None:
    """In words, and as a fault, the sizes at which the claim for an input is wrong."""
    base = _base(study, name)
    if base is None:
        return None
    for dim in study.subject.dimension_names:
        seen = _sweep(study, name, dim, base)
        bad = [n for n, wrong in seen.items() if wrong]
        if not bad or len(seen) < 4 or all(n in bad for n in seen if n > 0):
            continue
        if set(bad) <= {n for other, n in base.items() if other != dim}:
            told = _squareness(study, name)
            if told is not None:
                return told
        for text, fault, rule in _rules(dim, bad):
            if all(rule(n) == wrong for n, wrong in seen.items()) and _telling(fault, seen):
                return text, fault
        if 1 <= len(bad) <= 3 and len(seen) >= 6:
            return f"`{dim}` is {listed([str(n) for n in bad], 'or')}", "wrong for some sizes"
    return _squareness(study, name)


def _base(study: Study, name: str) -> dict[str, int] | None:
    """Sizes that work, from which one dimension at a time is varied."""
    for scene in study.scenes:
        return dict(scene.sizes)
    return None


def _sweep(study: Study, name: str, dim: str, base: Mapping[str, int]) -> dict[int, bool]:
    low, high = (study.subject.dims or {}).get(dim, (0, 64))
    seen = {}
    for n in TRIED:
        if low <= n <= high:
            verdict = wrong_at(study, {**base, dim: n}, name)
            if verdict is not None:
                seen[n] = verdict
    return seen


def wrong_at(study: Study, sizes: Mapping[str, int], name: str) -> bool | None:
    """Whether the claim is wrong along a random direction; None where nothing can be said."""
    key = ("wrong", name, tuple(sizes.items()))
    if key not in study.told:
        study.told[key] = _wrong_at(study, sizes, name)
    told: bool | None = study.told[key]
    return told


def _wrong_at(study: Study, sizes: Mapping[str, int], name: str) -> bool | None:
    case = study.case(sizes, seed=211)
    if case is None:
        return None
    try:
        return _off(scene_of(case, sizes, study), name)
    except (ForwardRaised, ClaimRaised, OutOfTime, IndexError):
        return None


def _off(scene: Scene, name: str, only: np.ndarray | float = 1.0) -> bool | None:
    """Whether a claim is off along one random direction, times `only`; None where unknown."""
    x, claim = np.asarray(scene.arrays[name]), np.asarray(scene.claims[name])
    if claim.shape != x.shape or not claim.size or not scene.outputs:
        return None
    if not np.all(np.isfinite(claim)):
        return True
    rng = np.random.default_rng(9)
    v = only * rng.uniform(0.5, 1, x.shape) * rng.choice([-1.0, 1.0], x.shape)
    told = directional(scene.forward, scene.arrays, name, v, scene.cotangents)
    if not np.isfinite(told):
        return None
    returned = float(np.sum((claim * v).real))
    return bool(abs(told - returned) > 1e-6 * (np.sum(np.abs(claim * v)) + abs(told)))


def _telling(fault: str, seen: Mapping[int, bool]) -> bool:
    """Whether a rule of remainders was put to the test: a larger size right, and another wrong."""
    if fault != "wrong in the tail":
        return True
    wrong = [n for n, off in seen.items() if off]
    return any(n > min(wrong) for n, off in seen.items() if not off)


def _rules(dim: str, bad: list[int]) -> list[SizeRule]:
    least, most = min(bad), max(bad)
    rules: list[SizeRule] = [
        (f"`{dim}` is 0", "wrong for size zero", lambda n: n == 0),
        (f"`{dim}` is 1", "wrong for size one", lambda n: n == 1),
        (f"`{dim}` is odd", "wrong for odd sizes", lambda n: n % 2 == 1),
        (f"`{dim}` is odd and above 1", "wrong for odd sizes", lambda n: n % 2 == 1 and n > 1),
        (f"`{dim}` is even", "wrong for even sizes", lambda n: n % 2 == 0),
    ]
    for k in (3, 4, 8, 16):
        rules += _modulo(dim, k)
    rules += [
        (f"`{dim}` is at least {least}", "wrong for large sizes", lambda n: n >= least),
        (f"`{dim}` is at most {most}", "wrong for small sizes", lambda n: n <= most),
    ]
    return rules


def _modulo(dim: str, k: int) -> list[SizeRule]:
    above = f"`{dim}` is above {k} and not a multiple of it"
    return [
        (f"`{dim}` is not a multiple of {k}", "wrong in the tail", lambda n: n % k != 0),
        (above, "wrong in the tail", lambda n: n > k and n % k != 0),
        (f"`{dim}` is a multiple of {k}", "wrong for some sizes", lambda n: n % k == 0),
    ]


def _squareness(study: Study, name: str) -> tuple[str, str] | None:
    """Wrong only where two dimensions are equal, or only where they are not."""
    base, names = _base(study, name), study.subject.dimension_names
    if base is None:
        return None
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            pairs = ((3, 3), (4, 4), (5, 5), (3, 4), (4, 3), (5, 3))
            told = {(p, q): wrong_at(study, {**base, a: p, b: q}, name) for p, q in pairs}
            flags = {pair: v for pair, v in told.items() if v is not None}
            if len(flags) < 5 or len(set(flags.values())) < 2:
                continue
            if all(flag == (p == q) for (p, q), flag in flags.items()):
                return f"`{a}` equals `{b}`", "wrong for square sizes"
            if all(flag == (p != q) for (p, q), flag in flags.items()):
                return f"`{a}` differs from `{b}`", "wrong for rectangular sizes"
    return None


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
        if any(_off(_filled(s, other, kept), name) is not False for s in scenes):
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
        if _off(scene, name, here) is not True:
            return None
        if _off(scene, name, 1 - here) is not False:
            return None
    at = ", ".join(map(str, index))
    return Explanation(
        f"the gradient of `{name}` is wrong in one entry, `{name}[{at}]`, whatever the numbers",
        "one wrong entry",
        f"is wrong at [{at}]",
        "an index that is written out",
    )


def _values(case: Case, judgement: Judgement) -> Explanation | None:
    """What the entries of the input have in common where the claim is wrong."""
    name, entries = judgement.name, judgement.entries
    x = np.asarray(case.as_numpy()[name])
    if not entries or np.iscomplexobj(x):
        return None
    at = np.array([x[e.index] for e in entries])
    where = _common(case, name, at, x)
    if where is None:
        return None
    said, fault = where
    nonfinite = judgement.verdict == "nonfinite"
    how = "is not finite" if nonfinite else "is wrong"
    return Explanation(
        f"the gradient of `{name}` {how} only where {said}",
        fault,
        f"{fault}: {said}",
        "a branch, a division or a guard on that value",
    )


def _common(case: Case, name: str, at: np.ndarray, x: np.ndarray) -> tuple[str, str] | None:
    item = case.subject.inputs[name]
    low, high = getattr(item, "low", None), getattr(item, "high", None)
    if np.all(at == 0.0):
        return f"`{name}` is 0", "wrong at zero"
    if any(end is not None and np.all(at == end) for end in (low, high)):
        return f"`{name}` is at its bound, {at[0]:g}", "wrong at the bound"
    others = {
        n: a
        for n, a in case.as_numpy().items()
        if n != name and isinstance(a, np.ndarray) and a.dtype.kind == "f" and a.size
    }
    for other, value in others.items():
        if not np.any(value):
            return f"`{other}` is 0", "wrong at zero"
    if np.all(at == np.round(at)) and len(at) > 1:
        return f"`{name}` is a whole number", "wrong at whole numbers"
    if not all(np.count_nonzero(x == value) > 1 for value in at):
        return None
    tied = sum(np.count_nonzero(x == value) for value in np.unique(at))
    if len(at) >= tied / 2:  # a rule that most of what it selects breaks explains nothing
        return f"entries of `{name}` are tied", "wrong at ties"
    return None
