"""Product along one axis, with a VJP that never divides: zeros are exactly right.

Formula
    y = prod_j x_j,  dx_i = g prod_{j < i} x_j prod_{j > i} x_j

Shapes
    x: any but (); y: the same without `axis`; axis: the axis multiplied along. An empty product
    is 1.

Errors
    ValueError: cotangent not of y's shape.

Source
    torch.prod.
"""

import numpy as np

from reference.shapes import expect, expect_shape, without


def forward(x, *, axis=-1):
    expect(x=(x, "..."))
    return np.prod(x, axis)


def vjp(cotangent, x, *, axis=-1):
    expect(x=(x, "..."))
    expect_shape("cotangent", cotangent, without(x.shape, axis))
    before = _exclusive(x, axis)
    after = np.flip(_exclusive(np.flip(x, axis), axis), axis)
    return {"x": np.expand_dims(cotangent, axis) * before * after}


def _exclusive(x, axis):
    """Products of everything before each entry."""
    shifted = np.roll(x, 1, axis)
    np.moveaxis(shifted, axis, 0)[:1] = 1
    return np.cumprod(shifted, axis)
