"""Softmax over the last axis.

Formula
    s_k = exp(x_k) / sum of exp(x_j)
    dx = s (g - <g, s>)

Shapes
    x, s (..., classes)

Errors
    ValueError where x has no axis or the cotangent's shape is not x's.

Source
    (002) Dense(2, softmax)
"""

import numpy as np

from reference.shapes import expect, floating


def forward(x):
    """s_k = exp(x_k) / sum of exp(x_j), shifted by the largest x so that nothing overflows."""
    expect(x=(x, "... classes"))
    x = floating(x)
    e = np.exp(x - x.max(axis=-1, keepdims=True, initial=-np.inf))
    return e / e.sum(axis=-1, keepdims=True)


def vjp(cotangent, x):
    expect(x=(x, "... classes"), cotangent=(cotangent, "... classes"))
    s = forward(x)
    return {"x": s * (cotangent - (cotangent * s).sum(axis=-1, keepdims=True))}
