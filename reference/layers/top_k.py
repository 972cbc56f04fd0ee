"""The k largest entries along the last axis, largest first, and where they stood.

Formula
    (y, i):  i = the first k of the stable descending order,  y = x[i]
    dx[i] = g,  0 elsewhere; the indices have no cotangent.

Shapes
    x (..., n); y, i (..., k); k: from 0 to n. Returns (y, i), and vjp takes (g, None).

Kinks
    Ties: the first of the tied is taken first. NaN counts as largest.

Errors
    ValueError: k no integer in [0, n]; a cotangent that is no tuple of two, or not of y's shape.

Source
    torch.topk.
"""

import numpy as np

from reference.indexing import stable_order
from reference.shapes import expect, expect_shape, in_range, pieces, whole


def forward(x, *, k):
    order = _order(x, k)
    return np.take_along_axis(x, order, -1), order


def vjp(cotangent, x, *, k):
    g, _ = pieces("cotangent", cotangent, 2)
    order = _order(x, k)
    expect_shape("cotangent", g, (*x.shape[:-1], k))
    dx = np.zeros(x.shape, g.dtype)
    np.put_along_axis(dx, order, g, -1)
    return {"x": dx}


def _order(x, k):
    expect(x=(x, "... n"))
    in_range("k", whole("k", k, 0), 0, x.shape[-1])
    return stable_order(x, -1, descending=True)[..., :k]
