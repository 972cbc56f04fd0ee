"""A path missing: what the claim lacks is the gradient through a mean, a norm, a skip, ..."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from gradcheck.diagnosis import constant
from gradcheck.diagnosis.evidence import Evidence, TooSmall, equal
from gradcheck.diagnosis.explanation import Explanation
from gradcheck.diagnosis.words import axis, listed
from gradcheck.judgement.problem import Judgement

Basis = list[np.ndarray]
# Along a shorter axis a difference can be spanned by nearly anything.
LEAST = 5


def explain(evidence: Evidence, judgement: Judgement) -> Explanation | None:
    if evidence.is_complex or not evidence.scene.is_linear(evidence.name):
        return None
    true, claimed = evidence.true, evidence.claimed
    if not np.all(np.isfinite(true)):
        return None
    missing = (true - claimed).reshape(len(true), *evidence.shape)
    told = _output(evidence) or _skip(evidence) or _twice(evidence) or _direct(evidence)
    told = told or _statistic(evidence, missing) or constant.linear_part(evidence)
    told = told or _passed_through(evidence)
    if told is None and min(evidence.shape, default=9) < LEAST:
        raise TooSmall
    return told


def _output(evidence: Evidence) -> Explanation | None:
    """Of several outputs, the cotangent of one is not used."""
    numbers = np.array([k for k, _ in evidence.scene.rows])
    if evidence.one_output:
        return None
    true, claimed = evidence.true, evidence.claimed
    for k in range(len(evidence.outputs)):
        own = numbers == k
        if np.any(claimed[own]) or not np.any(true[own]) or not np.any(claimed[~own]):
            continue
        if equal(true[~own], claimed[~own], evidence.error[~own]):
            return _told(evidence, f"output {k} (its cotangent is not used)", f"output {k}")
    return None


def _skip(evidence: Evidence) -> Explanation | None:
    """One of the two terms of y = x + f(x) forgotten."""
    true, claimed = evidence.true, evidence.claimed
    if true.shape[0] != true.shape[1] or not np.any(claimed):
        return None
    eye = np.eye(len(true))
    if evidence.matches(true - eye):
        return _told(evidence, "the skip connection (the cotangent itself)", "skip connection")
    if evidence.matches(true + eye):
        return Explanation(
            f"the gradient of `{evidence.name}` has the cotangent itself added, "
            "as if there were a skip connection",
            "path added",
            "skip connection added",
            "a residual term that forward does not have",
        )
    return None


def _direct(evidence: Evidence) -> Explanation | None:
    """What is missing is elementwise and what is there is not: a carry, a gate, a weighted skip."""
    missing, claimed = evidence.true - evidence.claimed, evidence.claimed
    if evidence.outputs[0].shape != evidence.shape or missing.shape[0] < 4:
        return None
    apart = ~np.eye(len(missing), dtype=bool)
    small = 1e-9 * np.max(np.abs(missing)) + 30 * evidence.error
    if np.any((np.abs(missing) > small) & apart) or not np.any(claimed[apart]):
        return None
    if (
        np.count_nonzero(np.abs(np.diag(missing)) > 1e-6 * np.max(np.abs(missing)))
        < len(missing) / 2
    ):
        return None
    what = "the direct way from each entry to the output of its index (a carry, a skip, a gate)"
    return _told(evidence, what, "direct way", certain=False)


def _twice(evidence: Evidence) -> Explanation | None:
    """A product of x with itself, y = x x^T: only one of the two uses is differentiated."""
    shape = evidence.outputs[0].shape
    if not evidence.one_output or len(shape) != 2 or shape[0] != shape[1]:
        return None
    other = np.swapaxes(evidence.claimed.reshape(*shape, -1), 0, 1).reshape(evidence.claimed.shape)
    if equal(other, evidence.claimed) or not equal(evidence.outputs[0], evidence.outputs[0].T):
        return None
    use = f"the second use of `{evidence.name}` in a product with itself"
    for share, cause in ((1.0, "twice"), (0.5, "twice the same")):
        if evidence.matches(share * (evidence.claimed + other), evidence.true):
            if share == 1.0:
                return _told(evidence, use, cause)
            return Explanation(
                f"the gradient of `{evidence.name}` counts one of its two uses in a product with "
                "itself twice, and the other not at all",
                "path missing",
                f"path missing: {cause}",
                "2 u X where (u + u.T) X is meant",
            )
    return None


def _local(missing: np.ndarray, one_hot: bool) -> bool:
    """Whether what is missing concerns each entry alone: no path through a statistic does."""
    flat = missing.reshape(len(missing), -1)
    present = np.abs(flat) > 1e-9 * np.max(np.abs(flat))
    if one_hot and np.max(present.sum(axis=0)) < 2:
        return True
    return flat.shape[0] == flat.shape[1] and not np.any(present & ~np.eye(len(flat), dtype=bool))


def _passed_through(evidence: Evidence) -> Explanation | None:
    true, claimed = evidence.true, evidence.claimed
    if true.shape[0] != true.shape[1] or not equal(claimed, np.eye(len(claimed))):
        return None
    gate = np.diag(true)
    if equal(np.diag(gate), true) and equal(gate, np.round(gate)) and set(np.round(gate)) <= {0, 1}:
        return Explanation(
            f"the gradient of `{evidence.name}` gets the cotangent also where the output does not "
            "depend on it: forward writes something else there",
            "path added",
            "path added: what forward overwrites",
            "zeros where forward overwrites an entry or takes another branch",
        )
    return Explanation(
        f"the gradient of `{evidence.name}` is the cotangent itself, passed through unchanged",
        "path missing",
        "cotangent passed through",
        "multiply the cotangent by the derivative of forward",
    )


def _statistic(evidence: Evidence, missing: np.ndarray) -> Explanation | None:
    """The difference is spanned by what a mean, a variance, a norm, ... would contribute."""
    if not np.any(evidence.claimed):
        return None
    off = np.abs(missing).reshape(len(missing), -1).max(axis=1, initial=0.0)
    live = np.abs(evidence.true).max(axis=1, initial=0.0) > 0
    if np.mean(off[live] > 1e-7 * np.max(off)) < 0.6:
        return None  # a statistic enters most outputs: here some outputs alone are wrong
    for count in (1, 2):
        for along, where in _axes(evidence):
            for said, basis in _bases(evidence, along):
                if len(basis) != count or _local(missing, "imum" in said):
                    continue
                group = [np.moveaxis(b, along, range(len(along))) for b in basis]
                size = int(np.prod([evidence.shape[a] for a in along]))
                if size >= len(basis) + 2 and _spanned(missing, group, along, size):
                    if evidence.outputs[0].shape != evidence.shape and constant.holds(evidence):
                        return constant.told(evidence)
                    whole = _whole(evidence, along, said)
                    what = f"{said} over {where}"
                    if _coupled_by_claim_alone(evidence):
                        return Explanation(
                            f"the gradient of `{evidence.name}` has a path that forward has not: "
                            f"the gradient through {what}",
                            "path added",
                            f"path added: {what}",
                            "statistics that forward takes as constants, as in evaluation mode",
                        )
                    return _told(evidence, what, what, certain=whole)
    return None


def _coupled_by_claim_alone(evidence: Evidence) -> bool:
    """Whether forward is elementwise, so that no path through a statistic can be missing."""
    true = evidence.true
    if true.shape[0] != true.shape[1]:
        return False
    apart = true - np.diag(np.diag(true))
    return bool(np.all(np.abs(apart) <= 1e-9 * np.max(np.abs(true)) + 30 * evidence.error))


def _axes(evidence: Evidence) -> Iterator[tuple[tuple[int, ...], str]]:
    """Sets of axes, large ones first: what fits over more axes says more."""
    ndim = len(evidence.shape)
    names = [axis(evidence.axes, a) for a in range(ndim)]
    for count in range(ndim, 0, -1):
        for along in reversed(list(combinations(range(ndim), count))):
            left = [a for a in range(ndim) if a not in along]
            if not left and ndim > 1:
                yield along, "the whole array"
            elif len(left) == 1 and ndim > 2:
                yield along, f"every axis but {names[left[0]]}"
            else:
                yield along, listed([names[a] for a in along])


def _bases(evidence: Evidence, along: tuple[int, ...]) -> Iterator[tuple[str, Basis]]:
    x = evidence.array
    ones, centred = np.ones_like(x), x - x.mean(axis=along, keepdims=True)
    yield "the mean (or sum)", [ones]
    yield "the variance", [centred]
    yield "the norm", [x]
    yield "the mean and the variance", [ones, centred]
    yield "the maximum", [_one_hot(x, along, np.max)]
    yield "the minimum", [_one_hot(x, along, np.min)]
    for y in evidence.outputs:
        if y.shape == x.shape:
            yield "the normaliser (the sum)", [y]
            if np.all(np.isfinite(np.exp(np.minimum(y, 50)))):
                yield "the normaliser (the sum)", [np.exp(np.minimum(y, 50))]
    yield "the sum of squares and the mean", [ones, x]
    yield "the maximum and the minimum", [_one_hot(x, along, np.max), _one_hot(x, along, np.min)]


def _one_hot(x: np.ndarray, along: tuple[int, ...], pick: np.ufunc | object) -> np.ndarray:
    return np.asarray(x == pick(x, axis=along, keepdims=True), dtype=float)  # type: ignore[operator]


def _spanned(missing: np.ndarray, group: Basis, along: tuple[int, ...], size: int) -> bool:
    """Whether every row of the difference, in every group, is a combination of the basis."""
    ends = np.moveaxis(missing, [a + 1 for a in along], range(1, len(along) + 1))
    parts = ends.reshape(len(ends), size, -1)
    scale = float(np.max(np.abs(parts)))
    for g in range(parts.shape[2]):
        columns = np.stack([b.reshape(size, -1)[:, g] for b in group], axis=1)
        if np.linalg.matrix_rank(columns, 1e-9) < columns.shape[1]:
            return False
        target = parts[:, :, g].T
        left = target - columns @ np.linalg.lstsq(columns, target, rcond=None)[0]
        if np.max(np.abs(left)) > 1e-7 * scale:
            return False
    return True


def _whole(evidence: Evidence, along: tuple[int, ...], said: str) -> bool:
    """What is left is elementwise, or one other path: this one is missing, not wrongly weighted."""
    claimed = evidence.claimed
    if claimed.shape[0] != claimed.shape[1]:
        return False
    size = int(np.prod([evidence.shape[a] for a in along]))
    mine = next(basis for name, basis in _bases(evidence, along) if name == said)
    own = [np.moveaxis(b, along, range(len(along))) for b in mine]
    largest = np.max(np.abs(claimed))
    rest = claimed - np.diag(np.diag(claimed))
    if not np.any(np.abs(rest) > 1e-9 * largest):
        return True
    for other, basis in _bases(evidence, along):
        if len(basis) > 1 or other == said or _spanned(basis[0][None], own, along, size):
            continue
        column = np.broadcast_to(basis[0].ravel(), claimed.shape).copy()
        np.fill_diagonal(column, 0.0)
        column[np.abs(rest) <= 1e-12 * largest] = 0.0
        weight = (rest * column).sum(1) / np.maximum((column * column).sum(1), 1e-300)
        if np.max(np.abs(rest - weight[:, None] * column)) <= 1e-8 * largest:
            return True
    return False


def _told(evidence: Evidence, what: str, cause: str, certain: bool = True) -> Explanation:
    said = "is missing" if certain else "is missing or wrong"
    return Explanation(
        f"the gradient of `{evidence.name}` lacks a path: the gradient through {what} {said}",
        "path missing",
        f"path missing: {cause}",
        "every place where forward uses the input contributes one term to its gradient",
    )
