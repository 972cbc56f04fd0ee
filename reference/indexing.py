"""Indices along one axis, one for every entry: what gather and scatter share."""

import numpy as np

from reference.shapes import indices_below


def expect_index(x, index, axis):
    """Check that index is like x except along the axis, and holds integers in [0, n)."""
    others = [np.delete(np.shape(array), axis) for array in (x, index)]
    if x.ndim != index.ndim or not np.array_equal(*others):
        raise ValueError(
            f"index has shape {index.shape} and x has shape {x.shape}: "
            f"they must agree except along axis {axis}"
        )
    indices_below("index", index, x.shape[axis])


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
