"""Right at generic examples, wrong at some: at which sizes, which values, which masks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gradcheck.case import Case
from gradcheck.diagnosis import kinks
from gradcheck.diagnosis.explanation import Explanation
from gradcheck.diagnosis.scenes import Study
from gradcheck.diagnosis.words import listed
from gradcheck.evaluation import ClaimRaised, ForwardRaised
from gradcheck.inputs import Mask
from gradcheck.judgement import judge
from gradcheck.judgement.problem import Judgement

# Sizes one dimension is tried at, the others kept: small ones, and around powers of two.
TRIED = (1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 16, 17)
WRONG = ("wrong", "wrong_at_kink", "nonfinite")

SizeRule = tuple[str, str, Callable[[int], bool]]


def explain(study: Study, case: Case, judgement: Judgement, generic: bool) -> Explanation | None:
    """What tells the examples that fail from those that do not."""
    name = judgement.name
    if not generic:
        told = kinks.explain(study, case, judgement)
        if told is not None:
            return told
    told = _masked(case, judgement)
    if told is not None and not generic:
        return told
    said = size_rule(study, name)
    if said is not None:
        text, fault = said
        return Explanation(
            f"the gradient of `{name}` is wrong only where {text}", fault, f"{fault}: {text}",
            "a special case of that size, or a division, a stride or a slice that assumes it",
        )  # fmt: skip
    return None if generic else _values(case, judgement)


def limited(study: Study, name: str, told: Explanation) -> Explanation:
    """The same explanation, with the sizes it is limited to where it is."""
    wrong = [scene.wrong(name) for scene in study.scenes]
    if all(wrong) or not told.fault or "tail" in told.fault:
        return told
    said = size_rule(study, name)
    if said is None:
        return told
    message = f"{told.message}, only where {said[0]}"
    return Explanation(message, told.fault, told.cause, told.hint, told.evidence)


# -- sizes ---------------------------------------------------------------------------------------


def size_rule(study: Study, name: str) -> tuple[str, str] | None:
    """In words, and as a fault, the sizes at which the claim for an input is wrong."""
    base = _base(study, name)
    if base is None:
        return None
    for dim in study.subject.dimension_names:
        seen = _sweep(study, name, dim, base)
        bad = [n for n, wrong in seen.items() if wrong]
        if not bad or len(bad) == len(seen) or len(seen) < 4:
            continue
        for text, fault, rule in _rules(dim, bad):
            if all(rule(n) == wrong for n, wrong in seen.items()):
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
            verdict = verdict_at(study, {**base, dim: n}, name)
            if verdict is not None:
                seen[n] = verdict in WRONG
    return seen


def verdict_at(
    study: Study, sizes: Mapping[str, int], name: str, style: Any = "generic"
) -> str | None:
    """The engine's verdict at these sizes; None where nothing can be said there."""
    key = ("verdicts", tuple(sizes.items()), str(style))
    if key not in study.told:
        study.told[key] = _verdicts(study, sizes, style)
    verdict: str | None = study.told[key].get(name)
    return verdict


def _verdicts(study: Study, sizes: Mapping[str, int], style: Any) -> dict[str, str]:
    case = study.case(sizes, seed=211, style=style)
    if case is None:
        return {}
    try:
        outputs = tuple(case.outputs[k] for k in case.judged)
        if not all(case.backend.all_finite(o) for o in outputs):
            return {}
        cotangents = tuple(case.cotangents[k] for k in case.judged)
        shapes = {n: case.backend.shape(g) for n, g in case.claim.items()}
        if any(s != case.backend.shape(case.arrays[n]) for n, s in shapes.items()):
            return {}
        told = judge(case.problem(), cotangents, seed=7, claim=case.claim, outputs=outputs)
    except (ForwardRaised, ClaimRaised):
        return {}
    return {n: j.verdict for n, j in told.items() if j.verdict != "inconclusive"}


def _rules(dim: str, bad: list[int]) -> list[SizeRule]:
    least, most = min(bad), max(bad)
    rules: list[SizeRule] = [
        (f"`{dim}` is 1", "wrong for size one", lambda n: n == 1),
        (f"`{dim}` is odd", "wrong for odd sizes", lambda n: n % 2 == 1),
        (f"`{dim}` is odd and above 1", "wrong for odd sizes", lambda n: n % 2 == 1 and n > 1),
        (f"`{dim}` is even", "wrong for even sizes", lambda n: n % 2 == 0),
    ]
    for k in (3, 4, 8, 16):
        rules += [
            (f"`{dim}` is not a multiple of {k}", "wrong in the tail", lambda n, k=k: n % k != 0),
            (
                f"`{dim}` is above {k} and not a multiple of it",
                "wrong in the tail",
                lambda n, k=k: n > k and n % k != 0,
            ),
            (f"`{dim}` is a multiple of {k}", "wrong for some sizes", lambda n, k=k: n % k == 0),
        ]
    rules += [
        (f"`{dim}` is at least {least}", "wrong for large sizes", lambda n: n >= least),
        (f"`{dim}` is at most {most}", "wrong for small sizes", lambda n: n <= most),
    ]
    return rules


def _squareness(study: Study, name: str) -> tuple[str, str] | None:
    """Wrong only where two dimensions are equal, or only where they are not."""
    base, names = _base(study, name), study.subject.dimension_names
    if base is None:
        return None
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            pairs = ((3, 3), (4, 4), (5, 5), (3, 4), (4, 3), (5, 3))
            told = {(p, q): verdict_at(study, {**base, a: p, b: q}, name) for p, q in pairs}
            flags = {pair: v in WRONG for pair, v in told.items() if v is not None}
            if len(flags) < 5 or len(set(flags.values())) < 2:
                continue
            if all(flag == (p == q) for (p, q), flag in flags.items()):
                return f"`{a}` equals `{b}`", "wrong for square sizes"
            if all(flag == (p != q) for (p, q), flag in flags.items()):
                return f"`{a}` differs from `{b}`", "wrong for rectangular sizes"
    return None


# -- values --------------------------------------------------------------------------------------


def _masked(case: Case, judgement: Judgement) -> Explanation | None:
    """Wrong entries all lie in rows that a mask drops as a whole."""
    if not judgement.entries:
        return None
    arrays, name = case.as_numpy(), judgement.name
    for other, item in case.subject.inputs.items():
        mask = arrays.get(other)
        if not isinstance(item, Mask) or not isinstance(mask, np.ndarray) or not mask.ndim:
            continue
        keep = mask if item.true == "keep" else ~mask
        empty = ~keep.any(axis=-1)
        if not np.any(empty):
            continue
        indices = [e.index[: empty.ndim] for e in judgement.entries]
        fits = all(len(i) == empty.ndim and _inside(i, empty.shape) for i in indices)
        if np.all(empty) or (fits and all(empty[i] for i in indices)):
            return Explanation(
                f"the gradient of `{name}` is wrong in a row that `{other}` masks fully",
                "fully masked row",
                f"fully masked row of `{other}`",
                "0/0, or -inf minus -inf, in a softmax or a mean over nothing",
            )
    return None


def _inside(index: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    return all(i < n for i, n in zip(index, shape, strict=True))


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
    if all(np.count_nonzero(x == value) > 1 for value in at):
        return f"entries of `{name}` are tied", "wrong at ties"
    return None
