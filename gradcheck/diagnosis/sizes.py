"""At which sizes a gradient is wrong: one, odd, a remainder, two dimensions that are equal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from gradcheck.diagnosis.along import WRONG, difference, off
from gradcheck.diagnosis.explanation import Explanation
from gradcheck.diagnosis.scenes import OutOfTime, Study, scene_of
from gradcheck.diagnosis.words import listed
from gradcheck.evaluation import ClaimRaised, ForwardRaised
from gradcheck.inputs import Integers, Mask

# Sizes one dimension is tried at, the others kept: small ones, and around powers of two.
TRIED = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 16, 17)

# Blocks of lanes are longer: tried where the example that failed is.
LONG = (20, 32, 33, 34, 48, 64, 65, 96, 128, 129, 160, 256, 257)

# Seeds and scales (powers of two) at which a rule on sizes must hold too.
NUMBERS = ((223, 0), (227, 1), (229, 2), (233, 3), (239, -3))

# A size is right where what is off there is this little, or this little of what is off elsewhere.
SURE, FADED = 1e-8, 1e-5

# Sizes at which a fault shows anyway: the fault's own name says more.
VAGUE = ("wrong for large sizes", "wrong for small sizes", "wrong for some sizes")

SizeRule = tuple[str, str, Callable[[int], bool]]


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
    how = told.message.removeprefix(f"the gradient of `{name}` ").split(": ")[0]
    message = f"the gradient of `{name}` is wrong only where {where}: there it {how}"
    return replace(told, message=message, fault=fault, cause=f"{fault}: {where}: {told.cause}")


def size_rule(
    study: Study, name: str, failed: Mapping[str, int] | None = None
) -> tuple[str, str] | None:
    """In words, and as a fault, the sizes at which the claim for an input is wrong."""
    base = _base(study, name)
    if base is None:
        return None
    for dim in study.subject.dimension_names:
        seen = _sweep(study, name, dim, base, TRIED)
        if (failed or {}).get(dim, 0) > max(TRIED) and not any(seen.values()):
            seen |= _sweep(study, name, dim, base, LONG)
        elif sum(seen.values()) == 1 and seen.get(17):
            seen |= _sweep(study, name, dim, base, LONG[:4])
        bad = [n for n, wrong in seen.items() if wrong]
        if not bad or len(seen) < 4 or all(n in bad for n in seen if n > 0):
            continue
        if set(bad) <= {n for other, n in base.items() if other != dim}:
            told = squareness(study, name)
            if told is not None:
                return told
        if not _whatever_the_numbers(study, name, dim, base, seen):
            continue
        if not _whatever_the_others(study, name, dim, base, seen):
            continue
        if not _clear(study, name, dim, base, seen):
            continue
        for text, fault, rule in _rules(dim, bad):
            if all(rule(n) == wrong for n, wrong in seen.items()) and _telling(fault, seen):
                equal = squareness(study, name) if fault == "wrong in the tail" else None
                return equal or (text, fault)
        if 1 <= len(bad) <= 3 and len(seen) >= 6:
            return f"`{dim}` is {listed([str(n) for n in bad], 'or')}", "wrong for some sizes"
    return squareness(study, name)


def _base(study: Study, name: str) -> dict[str, int] | None:
    """Sizes that work, from which one dimension at a time is varied."""
    for scene in study.scenes:
        return dict(scene.sizes)
    return None


def _sweep(
    study: Study, name: str, dim: str, base: Mapping[str, int], tried: Sequence[int]
) -> dict[int, bool]:
    low, high = (study.subject.dims or {}).get(dim, (0, max(LONG)))
    seen = {}
    for n in tried:
        if low <= n <= high:
            verdict = wrong_at(study, {**base, dim: n}, name)
            if verdict is not None:
                seen[n] = verdict
    return seen


def _whatever_the_numbers(
    study: Study, name: str, dim: str, base: Mapping[str, int], seen: Mapping[int, bool]
) -> bool:
    """Whether sizes that are right are so at other and at larger numbers as well.

    A mistake that needs a certain value, or a repeated index, is met the sooner the more entries
    there are: that looks like a matter of sizes, and is none.
    """
    right = sorted((n for n, wrong in seen.items() if n and not wrong), reverse=True)
    for n in right[:2]:
        for seed, scale in NUMBERS:
            if wrong_at(study, {**base, dim: n}, name, seed, scale):
                return False
    return not _wrong_at_the_end(study, name, dim, base, seen)


def _wrong_at_the_end(
    study: Study, name: str, dim: str, base: Mapping[str, int], seen: Mapping[int, bool]
) -> bool:
    """Whether a right size is wrong at the last numbers of the wrong size that is next to it.

    Examples of one seed begin with the same numbers: that an entry is the sixth of its row says
    that six are needed for it, and not that six are needed.
    """
    right = max((n for n, wrong in seen.items() if n and not wrong), default=0)
    above = min((n for n, wrong in seen.items() if wrong and n > right), default=0)
    short, long = (study.case({**base, dim: n}, seed=211) for n in (right, above))
    if not (right and above and short is not None and long is not None):
        return False
    arrays, numbers = dict(short.as_numpy()), long.as_numpy()
    for other, item in study.subject.inputs.items():
        if getattr(item, "domain", None) is not None or getattr(item, "values", None) is not None:
            return False
        ends = tuple(np.s_[n - m :] for n, m in zip(*map(np.shape, (numbers[other], arrays[other])),
                                                    strict=True))  # fmt: skip
        arrays[other] = np.asarray(numbers[other])[ends] if ends else numbers[other]
    try:
        scene = scene_of(short, {**base, dim: right}, study)
        return off(replace(scene, arrays=arrays, outputs=scene.forward(arrays)), name) is True
    except (ForwardRaised, ClaimRaised, OutOfTime, IndexError):
        return False


def _whatever_the_others(
    study: Study, name: str, dim: str, base: Mapping[str, int], seen: Mapping[int, bool]
) -> bool:
    """Whether a size that is right is so at short and at long other dimensions as well.

    A second window needs a length, beside that of the kernel and the stride: a matter of two sizes.
    """
    right = max((n for n, wrong in seen.items() if n and not wrong), default=0)
    for other, size in base.items():
        low, high = (study.subject.dims or {}).get(other, (1, max(TRIED)))
        for n in {max(low, 1), min(size + right, high)} if other != dim else ():
            if wrong_at(study, {**base, other: n, dim: right}, name):
                return False
    return True


def _clear(
    study: Study, name: str, dim: str, base: Mapping[str, int], seen: Mapping[int, bool]
) -> bool:
    """Whether right sizes are so by far: a mistake that fades out with a size is there as well."""
    by = {n: _off_by(study, {**base, dim: n}, name) or 0.0 for n in seen if n}
    right = max((by[n] for n in by if not seen[n]), default=0.0)
    return right <= max(SURE, FADED * min((by[n] for n in by if seen[n]), default=0.0))


def wrong_at(
    study: Study, sizes: Mapping[str, int], name: str, seed: int = 211, scale: int = 0
) -> bool | None:
    """Whether the claim is wrong along a random direction; None where nothing can be said."""
    by = _off_by(study, sizes, name, seed, scale)
    return None if by is None else by > WRONG


def _off_by(
    study: Study, sizes: Mapping[str, int], name: str, seed: int = 211, scale: int = 0
) -> float | None:
    """How far off it is, relative to the gradient."""
    key = ("wrong", name, tuple(sizes.items()), seed, scale)
    if key not in study.told:
        study.told[key] = _measured(study, sizes, name, seed, scale)
    told: float | None = study.told[key]
    return told


def _measured(
    study: Study, sizes: Mapping[str, int], name: str, seed: int, scale: int
) -> float | None:
    case = study.case(sizes, seed=seed, scale=scale)
    if case is None:
        return None
    try:
        return difference(scene_of(case, sizes, study), name)
    except (ForwardRaised, ClaimRaised, OutOfTime, IndexError):
        return None


def _telling(fault: str, seen: Mapping[int, bool]) -> bool:
    """Whether a rule of remainders was put to the test: a size right, wrong ones on both sides."""
    if fault != "wrong in the tail":
        return True
    wrong = [n for n, off in seen.items() if off]
    right = [n for n, off in seen.items() if n and not off]
    return any(min(wrong) < n < max(wrong) for n in right)


def _rules(dim: str, bad: list[int]) -> list[SizeRule]:
    least, most = min(bad), max(bad)
    rules: list[SizeRule] = [
        (f"`{dim}` is 0", "wrong for size zero", lambda n: n == 0),
        (f"`{dim}` is 1", "wrong for size one", lambda n: n == 1),
        (f"`{dim}` is odd", "wrong for odd sizes", lambda n: n % 2 == 1),
        (f"`{dim}` is odd and above 1", "wrong for odd sizes", lambda n: n % 2 == 1 and n > 1),
        (f"`{dim}` is even", "wrong for even sizes", lambda n: n % 2 == 0),
    ]
    for k in (3, 4, 8, 16, 32, 64, 128):
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


def squareness(study: Study, name: str) -> tuple[str, str] | None:
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
