"""Through one product alone: the path by way of x W is missing, or only some of its terms are kept.

Where forward uses W in the product x W only, the derivatives by x and by W tell what the product
itself would get: J_W = x^T g and, of the part of J_x that comes through W, g W^T. One is known
from forward, so that the other is known too, whatever forward does before and after.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gradcheck.diagnosis.evidence import Evidence, TooSmall, axes_of, equal, leaves_little
from gradcheck.diagnosis.explanation import Explanation
from gradcheck.diagnosis.parts import one_sample
from gradcheck.diagnosis.words import axis, factor
from gradcheck.judgement.problem import Judgement

HINT = "every place where forward uses the input contributes one term to its gradient"
# Weights of a path that have a name: J - K is so many times the path.
MISSING, TURNED = 1.0, 2.0


@dataclass(frozen=True)
class Product:
    """A product x W: x as (groups, rows, inner), W as (groups, inner, outer), Jacobians likewise.

    of_x, of_w: the derivatives of every output by x and W, outputs first. matrix: its name.
    """

    matrix: str
    blocks: int
    x: np.ndarray
    w: np.ndarray
    of_x: np.ndarray
    of_w: np.ndarray


def explain(evidence: Evidence, judgement: Judgement) -> Explanation | None:
    if evidence.is_complex or not evidence.scene.is_linear(evidence.name):
        return None
    if any(np.iscomplexobj(o) for o in evidence.outputs) or not np.any(evidence.claimed):
        return None
    if not np.all(np.isfinite(evidence.true)):
        return None
    told = _path(evidence) or _terms(evidence)
    if told is None and any(w.ndim == 2 for w in evidence.matrices().values()):
        raise TooSmall  # more rows or units than the inner axis is long: nothing can be solved for
    return told


def _path(evidence: Evidence) -> Explanation | None:
    missing = evidence.true - evidence.claimed
    for matrix in evidence.matrices():
        for product in _products(evidence, evidence.name, matrix):
            inner = _cotangents(product.x, product.of_w, product.of_x)
            if inner is None:
                continue
            for part, said in _blocks(product):
                path = inner[..., part] @ np.swapaxes(product.w[..., part], -1, -2)
                told = _weighed(evidence, missing, path.reshape(missing.shape), matrix, said)
                if told is not None:
                    return told
    return None


def _products(evidence: Evidence, x: str, matrix: str) -> Iterator[Product]:
    """The products of two inputs that their shapes allow: x W, x W^T, and batches of them."""
    scene = evidence.scene
    a, w = np.asarray(scene.arrays[x]), np.asarray(scene.arrays[matrix])
    batched = w.ndim == a.ndim == 3 and len(a) == len(w)
    if not a.ndim or not a.size or not (w.ndim == 2 or batched) or not w.size:
        return
    groups = len(a) if batched else 1
    rows = a.reshape(groups, -1, a.shape[-1])
    plain = w.reshape(groups, *w.shape[-2:])
    declared = axes_of(scene.inputs.get(matrix), w.ndim)
    for turned in (False, True):
        tables = np.swapaxes(plain, -1, -2) if turned else plain
        if tables.shape[1] != rows.shape[2]:
            continue
        of_x, of_w = scene.numerical(x)[0], scene.numerical(matrix)[0]
        if not (np.all(np.isfinite(of_x)) and np.all(np.isfinite(of_w))):
            return
        of_x = of_x.reshape(len(of_x), *rows.shape)
        of_w = of_w.reshape(len(of_w), *plain.shape)
        of_w = np.swapaxes(of_w, -1, -2) if turned else of_w
        count = declared[-2 if turned else -1].split("*")[0].strip()
        blocks = int(count) if count.isdigit() and tables.shape[2] % int(count) == 0 else 1
        yield Product(matrix, blocks, rows, tables, of_x, of_w)


def _cotangents(x: np.ndarray, of_w: np.ndarray, of_x: np.ndarray) -> np.ndarray | None:
    """The g of x^T g = J_W, for every output and group, of the rows that an output uses."""
    found = np.zeros((len(of_w), *x.shape[:2], of_w.shape[-1]))
    for r, g in np.ndindex(len(of_w), len(x)):
        used = np.any(of_x[r, g] != 0.0, axis=-1)
        rows = x[g][used]
        if not len(rows):
            if np.any(of_w[r, g]):
                return None
            continue
        if len(rows) > rows.shape[1] or np.linalg.cond(rows) > 1e6:
            return None
        found[r, g, used] = np.linalg.pinv(rows.T) @ of_w[r, g]
    again = np.einsum("gni,rgno->rgio", x, found)
    return found if equal(again, of_w) else None


def _blocks(product: Product) -> Iterator[tuple[slice, str]]:
    """The whole product, and each of the equal parts that an axis such as `3*units` declares."""
    yield slice(None), ""
    size = product.w.shape[-1] // product.blocks
    for k in range(product.blocks if product.blocks > 1 else 0):
        yield slice(k * size, (k + 1) * size), f"part {k + 1} of {product.blocks} of "


def _weighed(
    evidence: Evidence, missing: np.ndarray, path: np.ndarray, matrix: str, part: str
) -> Explanation | None:
    weight = float(np.sum(path * path))
    if not weight:
        return None
    c = float(np.sum(path * missing)) / weight
    gap = float(np.max(np.abs(missing)))
    if c == 0.0 or not equal(c * path, missing, evidence.error):
        return None
    if not leaves_little(c * path, missing, gap, evidence.error):
        return None
    name, what = evidence.name, f"the product of `{evidence.name}` with {part}`{matrix}`"
    if abs(c - MISSING) < 1e-6:
        text = f"the gradient of `{name}` lacks a path: the gradient through {what} is missing"
        return Explanation(text, "path missing", f"path missing: {part}{matrix}", HINT)
    how = "has the wrong sign" if abs(c - TURNED) < 1e-6 else f"is scaled by {factor(1 - c)}"
    text = f"the gradient of `{name}` has one path wrong: the gradient through {what} {how}"
    return Explanation(text, "wrong factor", f"path {how}: {part}{matrix}", HINT)


def _terms(evidence: Evidence) -> Explanation | None:
    """Of the sum over rows x^T g that is the gradient of W, one index of an axis kept."""
    if len(evidence.shape) != 2:
        return None
    for other in evidence.matrices():
        x = np.asarray(evidence.scene.arrays[other])
        for product in _products(evidence, other, evidence.name):
            w = product.w[0]
            if w.shape[1] > w.shape[0] or np.linalg.cond(w) > 1e6:
                continue
            inner = product.of_x[:, 0] @ np.linalg.pinv(w.T)
            terms = np.einsum("ni,rno->rnio", product.x[0], inner)
            if not equal(terms.sum(axis=1), product.of_w[:, 0]):
                continue
            turned = w.shape != evidence.shape or not np.array_equal(w, evidence.array)
            told = _kept(
                evidence, other, terms.reshape(len(terms), *x.shape[:-1], *w.shape), turned
            )
            if told is not None:
                return told
    return None


def _kept(evidence: Evidence, other: str, terms: np.ndarray, turned: bool) -> Explanation | None:
    names = axes_of(evidence.scene.inputs.get(other), terms.ndim - 2)
    for a in range(1, terms.ndim - 2):
        if terms.shape[a] < 2:
            continue
        over = axis(names, a - 1)
        for which, k in (("first", 0), ("last", -1)):
            table = np.take(terms, k, a)
            whole = table.sum(axis=tuple(range(1, table.ndim - 2)))
            whole = np.swapaxes(whole, -1, -2) if turned else whole
            if evidence.matches(whole.reshape(evidence.claimed.shape)):
                return one_sample(evidence.name, which, over)
    return None
