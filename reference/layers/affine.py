"""Affine map of one column vector.

The transpose in dx answers the document's open question: M^T multiplies the column gradient from
the left, or M the row gradient from the right.

Formula
    y = M x + b
    dx = M^T g
    dM = g x^T
    db = g

Shapes
    x (n,), M (m, n), b (m,), y (m,)

Errors
    ValueError where a shape disagrees; a column of shape (n, 1) is not a vector of shape (n,).

Source
    (003) AffinityLayer, In [6]
"""

import numpy as np

from reference.shapes import expect


def forward(x, M, b):
    expect(x=(x, "n"), M=(M, "m n"), b=(b, "m"))
    return M @ x + b


def vjp(cotangent, x, M, b):
    expect(x=(x, "n"), M=(M, "m n"), b=(b, "m"), cotangent=(cotangent, "m"))
    return {"x": M.T @ cotangent, "M": np.outer(cotangent, x), "b": cotangent.copy()}
