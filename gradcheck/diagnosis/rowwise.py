"""A factor of its own for every index along one axis: a count, a norm, a sum of that row."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck.diagnosis.evidence import Evidence, TooSmall
from gradcheck.diagnosis.explanation import Explanation
from gradcheck.diagnosis.outputs import output_axes
from gradcheck.diagnosis.scale import ratio
from gradcheck.diagnosis.words import axis, number
from gradcheck.judgement.problem import Judgement


def explain(evidence: Evidence, judgement: Judgement) -> Explanation | None:
    if evidence.is_complex or not evidence.one_output:
        return None
    if not evidence.scene.is_linear(evidence.name) or np.iscomplexobj(evidence.outputs[0]):
        return None
    found, name = list(_factors(evidence)), evidence.name
    for factors, where, ends in found:
        said = _named(evidence, factors, ends)
        if said is not None:
            return Explanation(
                f"the gradient of `{name}` is scaled by {said}, index by index along {where}",
                f"scaled by {said}",
                f"scaled by {said} along {where}",
                "a division by the wrong count or norm",
            )
    for factors, where, _ in found:
        if np.any(np.abs(factors - 1.0) < 1e-9):
            continue  # right in some rows: which ones says more
        shown = ", ".join(list(dict.fromkeys(map(number, factors[np.isfinite(factors)])))[:3])
        return Explanation(
            f"the gradient of `{name}` is scaled by another factor at each index of {where}: "
            f"{shown}, ...",
            "scaled by k",
            f"scaled index by index along {where}",
            "a count, a norm or a sum of that row",
        )
    if ratio(evidence) is not None:
        raise TooSmall  # one factor for all rows here, which other examples may tell apart
    return None


def _factors(evidence: Evidence) -> Iterator[tuple[np.ndarray, str, str]]:
    """Along each axis of the output and of the input: the factors, where the truth has them."""
    names = output_axes(evidence)
    out = evidence.outputs[0].shape
    for a in range(len(out)):
        found = _along(evidence, a, (*out, -1))
        if found is not None:
            yield found, axis(names, a) if names[a] else f"axis {a} of the output", names[a]
    for a in range(len(evidence.shape)):
        found = _along(evidence, a + 1, (-1, *evidence.shape))
        if found is not None:
            yield found, axis(evidence.axes, a), evidence.axes[a]


def _along(evidence: Evidence, a: int, shape: tuple[int, ...]) -> np.ndarray | None:
    true = np.moveaxis(evidence.true.reshape(shape), a, 0)
    claimed = np.moveaxis(evidence.claimed.reshape(shape), a, 0)
    true, claimed = true.reshape(len(true), -1), claimed.reshape(len(claimed), -1)
    known = np.isfinite(true)
    weight = np.sum(np.where(known, true, 0.0) ** 2, axis=1)
    entries = np.sum(known & (true != 0.0), axis=1)
    live = weight > 0
    if np.sum(live) < 2 or np.sum(entries > 1) < 2 or np.any(claimed[~live]):
        return None
    factors = np.full(len(true), np.nan)
    factors[live] = (np.sum(np.where(known, true * claimed, 0.0), axis=1)[live]) / weight[live]
    if np.ptp(factors[live]) < 1e-6 or not np.all(factors[live]):
        return None
    off = np.abs(factors[:, None] * true - claimed)[known & live[:, None]]
    return factors if np.max(off) <= 1e-7 * np.max(np.abs(claimed)) else None


def _named(evidence: Evidence, factors: np.ndarray, dim: str) -> str | None:
    held = np.isfinite(factors)
    for index, value in evidence.integers().items():
        if value.shape != factors.shape:
            continue
        repeats = (value[:, None] == value).sum(axis=1)
        for said, told in (("1/", 1.0 / repeats), ("", 1.0 * repeats)):
            if np.allclose(told[held], factors[held], rtol=1e-6, atol=0):
                return f"{said}(how often `{index}` repeats an index)"
    for mask, value in evidence.masks().items():
        if value.ndim < 1 or value.shape[0] != len(factors):
            continue
        count = value.reshape(len(value), -1).sum(axis=1).astype(float)
        size = float(value.size // len(value))
        with np.errstate(all="ignore"):
            for said, told in (
                (f"the count of `{mask}`", count),
                (f"1/(the count of `{mask}`)", 1 / count),
                (f"(the count of `{mask}`)/(its size)", count / size),
                (f"(the size of `{mask}`)/(its count)", size / count),
            ):
                if np.allclose(told[held], factors[held], rtol=1e-6, atol=0):
                    return said
    return None
