"""A model of one weight: every input is multiplied by the same scalar.

Formula
    p = x w
    dx = g w
    dw = sum of g x

Shapes
    x, p (...), w ()

Errors
    ValueError where w is not a scalar or the cotangent's shape is not x's.

Source
    (001) SimpleModel
"""

import numpy as np

from reference.shapes import expect


def forward(x, w):
    expect(x=(x, "..."), w=(w, ""))
    return x * w


def vjp(cotangent, x, w):
    expect(x=(x, "..."), w=(w, ""), cotangent=(cotangent, "..."))
    return {"x": cotangent * w, "w": np.sum(cotangent * x)}
