"""Logarithm of a sum of exponentials along one axis.

Formula
    y = log sum_j exp(x_j),  dx_i = g exp(x_i - y) = g exp(x_i) / sum_j exp(x_j)
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

from reference.shapes import expect, expect_shape, floating, without


def forward(x, *, axis=-1):
    expect(x=(x, "..."))
    top, e = _scaled(x, axis)
    with np.errstate(divide="ignore"):
        return np.squeeze(top + np.log(np.sum(e, axis, keepdims=True)), axis)


def vjp(cotangent, x, *, axis=-1):
    expect(x=(x, "..."))
    expect_shape("cotangent", cotangent, without(x.shape, axis))
    _, e = _scaled(x, axis)
    total = np.sum(e, axis, keepdims=True)  # e / total: far out, x - y would lose its digits
    return {"x": np.expand_dims(cotangent, axis) * (e / np.where(total == 0, 1, total))}


def _scaled(x, axis):
    """The largest x, 0 where it is infinite, and exp(x - it)."""
    x = floating(x)
    top = np.max(x, axis, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, 0)
    return top, np.exp(x - top)
