"""The right gradient times a constant: the constant named by sizes and scalar inputs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck.diagnosis.evidence import Evidence, explains
from gradcheck.diagnosis.explanation import Explanation
from gradcheck.diagnosis.words import factor, known_factor
from gradcheck.judgement.problem import Judgement

# Relative rounding of a float32 constant; and so near to 1 a factor is looked at closely.
FLOAT32 = 2.0**-24
NEAR = 1e-5
USERS = "the number of outputs that use an entry"


def explain(evidence: Evidence, judgement: Judgement) -> Explanation | None:
    here = ratio(evidence)
    if here is None:
        return None
    if abs(here - 1) <= FLOAT32:
        return _rounded_constant(evidence, here)
    values, sizes = [here], [quantities(evidence)]
    for other in evidence.more():
        there = ratio(other)
        if there is None:
            return None
        values.append(there)
        sizes.append(quantities(other))
    if np.ptp(values) <= 1e-6 * abs(here):
        for other in _of_other_sizes(evidence):
            there = ratio(other)
            if there is None:
                return None
            values.append(there)
            sizes.append(quantities(other))
    said = known_factor(values, sizes)
    name = evidence.name
    if said is None:
        return _varying(evidence, values)
    if said == "-1":
        return Explanation(
            f"the gradient of `{name}` has the wrong sign: it is -1 times the right one",
            "sign flipped",
            "sign flipped",
            "a lost or doubled minus: a difference taken the other way round",
        )
    mean = _mean_for_sum(evidence, said)
    if mean is not None:
        return mean
    return Explanation(
        f"the gradient of `{name}` is scaled by {said}: it is {said} times what it should be",
        f"scaled by {said}",
        f"scaled by {said}",
        _hint(said),
        {"factor": values[0]},
    )


def ratio(evidence: Evidence) -> float | None:
    """The number c with claimed = c true, exactly; None where there is none."""
    true, claimed = evidence.true, evidence.claimed
    known = np.isfinite(true)
    weight = float(np.sum(true[known] ** 2))
    if not weight or not evidence.scene.is_linear(evidence.name):
        return None
    c = float(np.sum(true[known] * claimed[known]) / weight)
    if (
        c == 0.0
        or abs(c - 1) < 1e-8
        or not explains(c * true, claimed, true, abs(c) * evidence.error)
    ):
        return None
    if abs(c - 1) < NEAR:  # where `equal` would take rounding for a factor
        left = np.abs(claimed - c * true)[known] - 30 * evidence.error[known]
        if np.max(left) > 0.05 * abs(c - 1) * np.max(np.abs(true[known])):
            return None
    return c


def _of_other_sizes(evidence: Evidence) -> Iterator[Evidence]:
    """Where a dimension has one size at every example: others, or sqrt(2) may be its root."""
    seen, scene = (evidence, *evidence.more()), evidence.scene
    for dim, size in scene.sizes.items():
        if scene.again is None or any(e.sizes.get(dim) != size for e in seen):
            continue
        for changed in (size + 1, size - 1):
            there = scene.again({dim: changed}) if changed > 0 else None
            if there is not None and np.any(there.claimed(evidence.name)):
                yield evidence.at(there)
                break


def _rounded_constant(evidence: Evidence, c: float) -> Explanation:
    """A factor that is 1 but for the rounding of a narrower type."""
    return Explanation(
        f"the gradient of `{evidence.name}` is {factor(c)} times what it should be: precision is "
        "lost, as if a constant were rounded to float32",
        "precision lost",
        "precision lost: a constant in float32",
        "a constant kept in float32, or a literal with too few digits",
        {"factor": c},
    )


def quantities(evidence: Evidence) -> dict[str, float]:
    """Numbers a factor may be made of: sizes by name, axes, scalar inputs, counts."""
    found: dict[str, float] = {k: float(v) for k, v in evidence.sizes.items()}
    for name, value in evidence.scene.arrays.items():
        if isinstance(value, bool):
            continue
        if np.ndim(value) == 0 and np.asarray(value).dtype.kind in "iuf":
            found[f"`{name}`"] = float(value)
    for name, value in {**evidence.masks(), **evidence.integers()}.items():
        found[f"(nonzero entries of `{name}`)"] = float(np.count_nonzero(value))
    reach = _reach(evidence)
    if reach > 1:
        found[USERS] = float(reach)
    found["the number of entries"] = float(evidence.array.size)
    found["the number of outputs"] = float(sum(np.size(o) for o in evidence.outputs))
    for k, size in enumerate(evidence.shape):
        found.setdefault(f"the size of axis {k}", float(size))
    return found


def _reach(evidence: Evidence) -> int:
    """How many outputs use an entry, where that is the same for all."""
    if evidence.is_complex or not evidence.one_output:
        return 0
    used = np.unique((np.nan_to_num(evidence.true) != 0.0).sum(axis=0))
    return int(used[0]) if len(used) == 1 else 0


def _mean_for_sum(evidence: Evidence, said: str) -> Explanation | None:
    """1/n where n counts what the gradient sums over: dimensions this input has not, or outputs."""
    summed = [d for d in evidence.sizes if d not in evidence.axes]
    over = next((f"`{d}`" for d in summed if said == f"1/{d}"), None)
    pairs = [(a, b) for a in summed for b in summed if said == f"1/({a}*{b})"]
    over = over or next((f"`{a}` and `{b}`" for a, b in pairs), None)
    over = over or ("the outputs that use an entry" if said == f"1/{USERS}" else None)
    if over is None:
        return None
    by = "1 over their number" if said == f"1/{USERS}" else said
    return Explanation(
        f"the gradient of `{evidence.name}` is the mean over {over} where it should be the sum: "
        f"it is scaled by {by}",
        "mean instead of sum",
        f"mean over {over} instead of sum",
        "a forward that takes no mean has no 1/N in its VJP: look for .mean( or / len(",
    )


def _varying(evidence: Evidence, values: list[float]) -> Explanation | None:
    """A factor that is one number at each example, but not one we can name."""
    if len(values) < 2:
        return None
    return Explanation(
        f"the gradient of `{evidence.name}` is scaled by a factor that changes from example to "
        f"example: {values[0]:.6g} at one, {values[1]:.6g} at another",
        "scaled by k",
        "scaled by a changing factor",
        "a division or a multiplication by a size, a norm or a sum",
    )


def _hint(said: str) -> str:
    if said in ("2", "1/2"):
        return "the 2 of a square's derivative, a loss's 1/2, or a term added twice"
    if "sqrt" in said:
        return "a temperature such as the sqrt(d) of attention's scores, twice or not at all"
    if "/" in said:
        return "a mean or a division that forward does not have, or has already"
    if any(letter.isalpha() for letter in said):
        return "a sum where forward takes a mean, or a division that is forgotten"
    return "a learning rate, a temperature or a scale applied twice or not at all"
