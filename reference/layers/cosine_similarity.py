"""Cosine of the angle between vectors along one axis, with norms kept away from 0.

Formula
    y = <a, b> / (|a|' |b|'),  |a|' = max(|a|, eps)
    da = (g / |a|') (b / |b|' - y a / |a|)  where |a| >= eps,  g b / (|a|' |b|')  elsewhere
    and db likewise.

Shapes
    a, b: any but (), the same; y: the same without `axis`; eps: a positive number in a's units.

Kinks
    |a| = eps: the derivative of the side with |a| > eps.

Errors
    ValueError: b of another shape than a; eps not positive; cotangent not of y's shape.

Source
    torch.nn.functional.cosine_similarity.
"""

import numpy as np

from reference.layers import norm
from reference.shapes import expect, expect_shape, positive, without


def forward(a, b, *, axis=-1, eps=1e-8):
    return np.sum(_unit(a, b, axis, eps)[0] * _unit(b, a, axis, eps)[0], axis)


def vjp(cotangent, a, b, *, axis=-1, eps=1e-8):
    expect(a=(a, "..."), b=(b, "..."))
    expect_shape("cotangent", cotangent, without(a.shape, axis))
    unit_a, size_a, long_a = _unit(a, b, axis, eps)
    unit_b, size_b, long_b = _unit(b, a, axis, eps)
    y = np.sum(unit_a * unit_b, axis, keepdims=True)
    g = np.expand_dims(cotangent, axis)
    return {
        "a": g / size_a * (unit_b - long_a * y * unit_a),
        "b": g / size_b * (unit_a - long_b * y * unit_b),
    }


def _unit(a, b, axis, eps):
    """The vector over its norm or eps, that divisor, and whether it is the norm."""
    positive("eps", eps)
    expect(a=(a, "..."), b=(b, "..."))
    size = np.expand_dims(norm.forward(a, axis=axis), axis)
    divisor = np.maximum(size, eps)
    return a / divisor, divisor, size >= eps
