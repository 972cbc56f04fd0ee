"""Logarithm of the softmax along one axis.

Formula
    y = x - log sum_j exp(x_j),  dx = g - exp(y) sum_j g_j
    The largest x is subtracted first, so nothing overflows.

Shapes
    x, y: any, the same; axis: the axis of the classes.

Errors
    ValueError: cotangent not of x's shape.

Source
    Bridle (1990); torch.nn.functional.log_softmax.
"""

import numpy as np

from reference.shapes import expect, floating


def forward(x, *, axis=-1):
    expect(x=(x, "..."))
    x = floating(x)
    shifted = x - np.max(x, axis, keepdims=True, initial=-np.inf)
    with np.errstate(divide="ignore"):  # the sum of nothing: there is no entry to be off
        return shifted - np.log(np.sum(np.exp(shifted), axis, keepdims=True))


def vjp(cotangent, x, *, axis=-1):
    expect(x=(x, "..."), cotangent=(cotangent, "..."))
    total = np.sum(cotangent, axis, keepdims=True)
    return {"x": cotangent - np.exp(forward(x, axis=axis)) * total}
