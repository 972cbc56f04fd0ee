"""Picks entries along one axis by index; an index may come up many times.

Formula
    y[..., j, ...] = x[..., index[..., j, ...], ...]
    dx[..., i, ...] = sum of g[..., j, ...] over every j with index[..., j, ...] = i

Shapes
    x (..., n, ...); index, y (..., m, ...): like x except along `axis`, index integer in [0, n).

Errors
    ValueError: shapes that disagree off the axis; an index that is not an integer in [0, n).

Source
    torch.gather.
"""

import numpy as np

from reference.indexing import add_at, expect_index
from reference.shapes import expect_shape


def forward(x, index, *, axis=-1):
    expect_index(x, index, axis)
    return np.take_along_axis(x, index, axis)


def vjp(cotangent, x, index, *, axis=-1):
    expect_index(x, index, axis)
    expect_shape("cotangent", cotangent, index.shape, "index")
    return {"x": add_at(np.zeros(x.shape, cotangent.dtype), index, cotangent, axis)}
