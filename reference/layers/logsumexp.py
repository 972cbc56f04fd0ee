"""Logarithm of a sum of exponentials along one axis.

Formula
    y = log sum_j exp(x_j),  dx_i = g exp(x_i - y)
    The largest x is taken out first, so nothing overflows. Where every x is -inf, y = -inf, and
    dx = 0.

Shapes
    x: any but (); y: the same without `axis`. The sum of nothing is 0, and its logarithm -inf.

Errors
    ValueError: cotangent not of y's shape.

Source
    torch.logsumexp; Blanchard, Higham and Higham (2021) for the rounding errors.
"""

import numpy as np

from reference.shapes import expect_shape


def forward(x, *, axis=-1):
    return np.squeeze(_log_sum(x, axis), axis)


def vjp(cotangent, x, *, axis=-1):
    expect_shape("cotangent", cotangent, np.delete(x.shape, axis))
    y = _log_sum(x, axis)
    softmax = np.exp(x - np.where(y == -np.inf, 0, y))
    return {"x": np.expand_dims(cotangent, axis) * softmax}


def _log_sum(x, axis):
    top = np.max(x, axis, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, 0)
    with np.errstate(divide="ignore"):
        return top + np.log(np.sum(np.exp(x - top), axis, keepdims=True))
