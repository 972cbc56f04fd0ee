"""Sets that inputs may have to lie on: what they ask of a shape, how numbers are mapped onto them.

The law that is verified on a set: points are *drawn* on it, then forward is stepped freely around
them, as `torch.autograd.gradcheck` does, within the `low` and `high` of the set. So forward is the
function of all entries that its code computes, whatever it means off the set: `cholesky` reads a
lower triangle, and its gradient has zeros above.

With `steps="along"` the derivative along the set is verified, and nothing else: of forward after P,
a smooth map of the points around the set back onto it, against the claim after the transpose of P'.
What a gradient holds at right angles to the set does not count. Checks that compare claims with
each other or with a twin's see that part alone, too.

A new domain is one map and its line in DOMAINS. A map takes numbers of any style and scale, also
zeros and ties, and returns an array of its own of the same shape; it keeps simple numbers simple.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.dimensions import Shape
from gradcheck.errors import UsageError

Numbers = np.ndarray
# Least share of the whole that keeps a point off an edge of its set, or two entries apart. Steps
# are taken within half the distance to a bound, and meet no tie.
APART = 2.0**-6


@dataclass(frozen=True)
class Domain:
    """A set, by the map `onto` it (None: low and high say all).

    low, high: bounds of each entry, left out of the set (None: unbounded). axes: how many of the
    last axes make one element of the set; square: whether two of them are equal. empty: whether an
    element may have no entry. scales: whether a multiple of an element is one. differentiable:
    False where there is nothing to step along.

    near(points): P, which takes points around the set onto it and leaves those on it where they
    are. pushed(points, tangents), pulled(points, gradients): times P' at the points, and times its
    transpose. None where the set is as wide as the space around it: free steps are along it.
    """

    onto: Callable[[Numbers], Numbers] | None = None
    low: float | None = None
    high: float | None = None
    axes: int = 0
    square: bool = False
    empty: bool = True
    scales: bool = False
    differentiable: bool = True
    near: Callable[[Numbers], Numbers] | None = None
    pushed: Callable[[Numbers, Numbers], Numbers] | None = None
    pulled: Callable[[Numbers, Numbers], Numbers] | None = None


def simplex(numbers: Numbers) -> Numbers:
    """Positive entries, the last axis summing to 1."""
    weights = np.abs(numbers)
    largest = weights.max(-1, keepdims=True, initial=0.0)
    weights = np.maximum(weights / np.where(largest > 0, largest, 1.0), APART)
    return np.asarray(weights / weights.sum(-1, keepdims=True))


def orthogonal(numbers: Numbers) -> Numbers:
    """Orthonormal columns, or rows where there are fewer of them."""
    wide = numbers.shape[-1] > numbers.shape[-2]
    q, r = np.linalg.qr(_transposed(numbers) if wide else numbers)
    diagonal = np.diagonal(r, axis1=-2, axis2=-1)
    q = q * np.where(diagonal < 0, -1.0, 1.0)[..., None, :]
    return _transposed(q) if wide else np.asarray(q)


def symmetric(numbers: Numbers) -> Numbers:
    """A = A.T, from the upper triangle."""
    return np.asarray(np.triu(numbers) + _transposed(np.triu(numbers, 1)))


def spd(numbers: Numbers) -> Numbers:
    """Symmetric positive definite, of the size of `numbers`; condition up to about 16 n."""
    n = numbers.shape[-1]
    size = np.abs(numbers).max((-2, -1), keepdims=True, initial=0.0)
    # A matrix of zeros is as large as the others of its batch, and 1 where all are zero.
    whole = np.max(size, initial=0.0)
    size = np.where(size > 0, size, whole if whole > 0 else 1.0)
    factor = numbers / size
    return symmetric((factor @ _transposed(factor) / max(n, 1) + np.eye(n) / 8) * size)


def sorted_(numbers: Numbers) -> Numbers:
    """Increasing along the last axis, with gaps."""
    if not numbers.size:
        return numbers.copy()
    extent = np.abs(numbers).max(-1, keepdims=True)
    gap = np.where(extent > 0, extent, 1.0) * 16 * APART / numbers.shape[-1]
    ordered = np.sort(numbers, axis=-1)
    steps = np.maximum(np.diff(ordered, axis=-1), gap)
    return np.concatenate([ordered[..., :1], ordered[..., :1] + np.cumsum(steps, axis=-1)], axis=-1)


def distinct(numbers: Numbers) -> Numbers:
    """No two entries of the whole array equal, with gaps; their order is kept."""
    flat = numbers.ravel()
    apart = np.empty_like(flat)
    apart[np.argsort(flat, kind="stable")] = sorted_(flat)
    return apart.reshape(numbers.shape)


def one_hot(numbers: Numbers) -> Numbers:
    """A single 1 along the last axis, where the number is largest; 0 elsewhere."""
    hot = np.zeros(numbers.shape)
    if numbers.size:
        np.put_along_axis(hot, numbers.argmax(-1)[..., None], 1.0, axis=-1)
    return hot


def symmetrised(numbers: Numbers) -> Numbers:
    """The nearest symmetric matrix; a projection, hence its own derivative and transpose."""
    return np.asarray((numbers + _transposed(numbers)) / 2)


def normalised(points: Numbers) -> Numbers:
    """Over their sum along the last axis: positive numbers stay positive."""
    return np.asarray(points / points.sum(-1, keepdims=True))


def of_normalised(points: Numbers, gradients: Numbers) -> Numbers:
    """(g - <g, p>) / sum x, at p = x / sum x: gradients that differ by a constant are one."""
    mean = (gradients * normalised(points)).sum(-1, keepdims=True)
    return np.asarray((gradients - mean) / points.sum(-1, keepdims=True))


def to_normalised(points: Numbers, tangents: Numbers) -> Numbers:
    """(v - p sum v) / sum x, at p = x / sum x."""
    away = normalised(points) * tangents.sum(-1, keepdims=True)
    return np.asarray((tangents - away) / points.sum(-1, keepdims=True))


def polar(points: Numbers) -> Numbers:
    """The nearest matrix with orthonormal columns, or rows where there are fewer of them."""
    u, _, v = np.linalg.svd(points, full_matrices=False)
    return np.asarray(u @ v)


def of_polar(points: Numbers, gradients: Numbers) -> Numbers:
    """The derivative of the polar factor, which is its own transpose.

    X = U S V': within the spans of U and V the skew part K - K' of K = U'GV over s_i + s_j, outside
    of them G over s. At an orthogonal X = Q that is G - Q sym(Q'G), the tangent part of G.
    """
    u, s, v = np.linalg.svd(points, full_matrices=False)
    left, right = _transposed(u), _transposed(v)
    inner = left @ gradients @ right
    skew = (inner - _transposed(inner)) / (s[..., :, None] + s[..., None, :])
    rest = gradients - u @ (left @ gradients)
    tall = rest @ right / s[..., None, :] @ v
    beside = gradients - gradients @ right @ v
    wide = u @ (left @ beside / s[..., :, None])
    return np.asarray(u @ skew @ v + tall + wide)


def _transposed(numbers: Numbers) -> Numbers:
    return np.swapaxes(numbers, -1, -2)


def _smooth(near: Any, pushed: Any, pulled: Any = None) -> dict[str, Any]:
    """The fields of a set with a map onto it; without `pulled`, P' is its own transpose."""
    return {"near": near, "pushed": pushed, "pulled": pulled or pushed}


FLAT = _smooth(symmetrised, lambda _, v: symmetrised(v))
POLAR = _smooth(polar, of_polar)
NORMALISED = _smooth(normalised, to_normalised, of_normalised)
DOMAINS: dict[str, Domain] = {
    "positive": Domain(low=0.0, scales=True),
    "unit interval": Domain(low=0.0, high=1.0),
    "simplex": Domain(simplex, low=0.0, axes=1, empty=False, **NORMALISED),
    "orthogonal": Domain(orthogonal, axes=2, **POLAR),
    "symmetric": Domain(symmetric, axes=2, square=True, scales=True, **FLAT),
    "spd": Domain(spd, axes=2, square=True, scales=True, **FLAT),
    "sorted": Domain(sorted_, axes=1, scales=True),
    "distinct": Domain(distinct, scales=True),
    "one-hot": Domain(one_hot, axes=1, empty=False, differentiable=False),
}


def domain(name: str, shape: Shape) -> Domain:
    """The domain of a name. Raises UsageError where there is none, or the shape cannot hold it."""
    if name not in DOMAINS:
        raise UsageError(f"array: domain={name!r}, expected one of {', '.join(map(repr, DOMAINS))}")
    found = DOMAINS[name]
    own = [axis.text for axis in shape.dimensions]
    if len(own) < found.axes:
        raise UsageError(
            f"array: domain={name!r} needs {found.axes} axes, shape={shape.text!r} has {len(own)}"
        )
    if found.square and own[-1] != own[-2]:
        raise UsageError(
            f"array: domain={name!r} needs its last two axes equal, "
            f"shape={shape.text!r} has {own[-2]!r} and {own[-1]!r}"
        )
    return found
