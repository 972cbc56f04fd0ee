"""Hyperbolic tangent.

Formula
    y = tanh x
    dx = (1 + y) (1 - y) g

Shapes
    x, y (...)

Errors
    ValueError where the cotangent's shape is not x's.

Source
    (003) dtanh, In [68]; (002) SimpleRNN's activation
"""

import numpy as np

from reference.shapes import expect


def forward(x):
    expect(x=(x, "..."))
    return np.tanh(x)


def vjp(cotangent, x):
    expect(x=(x, "..."), cotangent=(cotangent, "..."))
    y = np.tanh(x)
    return {"x": (1 + y) * (1 - y) * cotangent}
