"""Leaky rectified linear unit: a pair whose slope and derivative agree.

The document halves the leak in the function and not in the derivative; here both are the leak.

Formula
    y = (x (1 + leak) + |x| (1 - leak)) / 2, which is x for x > 0 and leak x otherwise
    dx = g where x > 0, leak g elsewhere

Shapes
    x, y (...)

Kinks
    at x = 0 the derivative is the left slope, `leak`

Errors
    ValueError where the cotangent's shape is not x's.

Source
    (003) MapLayer with a leak, In [36], corrected
"""

import numpy as np

from reference.shapes import expect


def forward(x, *, leak=0.2):
    expect(x=(x, "..."))
    return np.where(x > 0, x, leak * x)


def vjp(cotangent, x, *, leak=0.2):
    expect(x=(x, "..."), cotangent=(cotangent, "..."))
    return {"x": np.where(x > 0, cotangent, leak * cotangent)}
