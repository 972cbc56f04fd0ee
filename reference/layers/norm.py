"""Vector norm of order p along one axis.

Formula
    y = (sum_j |x_j|^p)^(1/p),  dx_j = g sign(x_j) (|x_j| / y)^(p - 1)
    p = inf: y = max_j |x_j|,  dx_j = g sign(x_j) / ties  where |x_j| = y,  0 elsewhere
    The largest |x| is taken out before raising to p, so squares neither overflow nor vanish.

Shapes
    x: any but (); y: the same without `axis`, in x's units; p: a number from 1 to inf.
    The norm of nothing is 0.

Kinks
    The zero vector: 0. p = 1 with an x_j = 0: 0. p = inf with ties: shared evenly.

Errors
    ValueError: p below 1; cotangent not of y's shape.

Source
    torch.linalg.vector_norm.
"""

import numpy as np

from reference.shapes import at_least, expect, expect_shape, without


def forward(x, *, p=2, axis=-1):
    expect(x=(x, "..."))
    return np.squeeze(_norm(x, p, axis), axis)


def vjp(cotangent, x, *, p=2, axis=-1):
    expect(x=(x, "..."))
    expect_shape("cotangent", cotangent, without(x.shape, axis))
    y = _norm(x, p, axis)
    if p == np.inf:
        top = np.abs(x) == y
        weight = top / np.maximum(np.sum(top, axis, keepdims=True), 1).astype(x.dtype)
    else:
        weight = (np.abs(x) / np.where(y == 0, 1, y)) ** (p - 1)
    return {"x": np.expand_dims(cotangent, axis) * np.sign(x) * weight}


def _norm(x, p, axis):
    at_least("p", p, 1)
    top = np.max(np.abs(x), axis, keepdims=True, initial=0)
    if p == np.inf:
        return top
    scale = np.where((top == 0) | np.isinf(top), 1, top)
    return scale * np.sum((np.abs(x) / scale) ** p, axis, keepdims=True) ** (1 / p)
