"""Indices along one axis, one for every entry: what gather, scatter and sorting share."""

import numpy as np

from reference.shapes import indices_below, integers, real_numbers, without


def expect_index(x, index, axis):
    """Check that index is like x except along the axis, and holds integers in [0, n)."""
    real_numbers("x", x)
    integers("index", index)
    if x.ndim != index.ndim or without(x.shape, axis) != without(index.shape, axis):
        raise ValueError(
            f"index has shape {index.shape} and x has shape {x.shape}: "
            f"they must agree except along axis {axis}"
        )
    indices_below("index", index, x.shape[axis])


def stable_order(x, axis, descending):
    """Indices that sort x along the axis: of the tied the first goes first, NaN is the largest."""
    if not descending:
        return np.argsort(x, axis, kind="stable")
    from_the_end = np.argsort(np.flip(x, axis), axis, kind="stable")
    return np.flip(x.shape[axis] - 1 - from_the_end, axis)


def add_at(target, index, values, axis):
    """target[..., index[..., j, ...], ...] += values[..., j, ...], in place on a contiguous target.

    A repeated index accumulates. Works on flat indices, where NumPy's `add.at` is fast.
    """
    if index.size:
        places = list(np.indices(index.shape))
        places[axis] = index
        flat = np.ravel_multi_index(places, target.shape)
        np.add.at(target.reshape(-1), flat.ravel(), values.ravel())
    return target
