"""Cumulative sum along one axis.

Formula
    y_i = sum_{j <= i} x_j,  dx_i = sum_{j >= i} g_j

Shapes
    x, y: any but (), the same; axis: the axis summed along.

Errors
    ValueError: cotangent not of x's shape.

Source
    torch.cumsum.
"""

import numpy as np

from reference.shapes import expect


def forward(x, *, axis=-1):
    expect(x=(x, "..."))
    return np.cumsum(x, axis)


def vjp(cotangent, x, *, axis=-1):
    expect(x=(x, "..."), cotangent=(cotangent, "..."))
    return {"x": np.flip(np.cumsum(np.flip(cotangent, axis), axis), axis)}
