"""Adds updates into an array along one axis by index; an index may come up many times.

Formula
    y = x, then y[..., index[..., j, ...], ...] += updates[..., j, ...]
    dx = g,  dupdates[..., j, ...] = g[..., index[..., j, ...], ...]

Shapes
    x, y (..., n, ...); index, updates (..., m, ...): like x except along `axis`, index integer in
    [0, n).

Errors
    ValueError: shapes that disagree; an index that is not an integer in [0, n).

Source
    torch.scatter_add.
"""

import numpy as np

from reference.indexing import add_at, expect_index
from reference.shapes import expect, expect_shape


def forward(x, index, updates, *, axis=-1):
    _check(x, index, updates, axis)
    y = np.array(x, np.result_type(x, updates), order="C")
    return add_at(y, index, updates, axis)


def vjp(cotangent, x, index, updates, *, axis=-1):
    _check(x, index, updates, axis)
    expect(x=(x, "..."), cotangent=(cotangent, "..."))
    return {"x": cotangent.copy(), "updates": np.take_along_axis(cotangent, index, axis)}


def _check(x, index, updates, axis):
    expect_index(x, index, axis)
    expect_shape("updates", updates, index.shape, "index")
