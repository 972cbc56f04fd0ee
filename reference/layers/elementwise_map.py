"""Elementwise map of any function, with its derivative given beside it.

`function` and `derivative` take and return arrays. A function of one number is brought with
`np.vectorize(f, otypes=[float])`: without `otypes` the type of the first result decides for all.

Formula
    y_i = f(x_i)
    dx_i = f'(x_i) g_i

Shapes
    x, y (...); f(x) has x's shape; f'(x) has x's shape or is a scalar

Kinks
    those of f, with the value of f' there

Errors
    ValueError where f or f' returns another shape, or the cotangent's shape is not x's.

Source
    (003) MapLayer, In [7]
"""

import numpy as np

from reference.shapes import expect


def forward(x, *, function, derivative):
    """y_i = f(x_i)."""
    expect(x=(x, "..."))
    y = np.asarray(function(x))
    expect(x=(x, "..."), **{"function(x)": (y, "...")})
    return y.astype(_kind(x, y), copy=True)


def vjp(cotangent, x, *, function, derivative):
    """dx_i = f'(x_i) g_i."""
    expect(x=(x, "..."), cotangent=(cotangent, "..."))
    slope = np.asarray(derivative(x))
    if slope.ndim:
        expect(x=(x, "..."), **{"derivative(x)": (slope, "...")})
    return {"x": slope.astype(_kind(cotangent, slope)) * cotangent}


def _kind(x, y):
    return x.dtype if x.dtype.kind == "f" else y.dtype
