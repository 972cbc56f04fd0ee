"""The k largest entries along the last axis, largest first, and where they stood.

Formula
    (y, i):  i = the first k of the stable descending order,  y = x[i]
    dx[i] = g,  0 elsewhere; the indices have no cotangent.

Shapes
    x (..., n); y, i (..., k); k: from 0 to n. Returns (y, i), and vjp takes (g, None).

Kinks
    Ties: the first of the tied is taken first.

Errors
    ValueError: k outside [0, n]; cotangent not of y's shape.

Source
    torch.topk.
"""

import numpy as np

from reference.shapes import expect, expect_shape, in_range


def forward(x, *, k):
    order = _order(x, k)
    return np.take_along_axis(x, order, -1), order


def vjp(cotangent, x, *, k):
    g, _ = cotangent
    expect_shape("cotangent", g, (*x.shape[:-1], k))
    dx = np.zeros_like(x)
    np.put_along_axis(dx, _order(x, k), g, -1)
    return {"x": dx}


def _order(x, k):
    expect(x=(x, "... n"))
    in_range("k", k, 0, x.shape[-1])
    return np.argsort(-x, axis=-1, kind="stable")[..., :k]
