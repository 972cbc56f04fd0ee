"""Logistic sigmoid.

By e = exp(-|x|) nothing overflows, and the derivative keeps its digits on both sides, where
1 - y would lose them.

Formula
    y = 1 / (1 + exp(-x))
    dx = y (1 - y) g = e / (1 + e)^2 g

Shapes
    x, y (...)

Errors
    ValueError where the cotangent's shape is not x's.

Source
    (002) gates of the LSTM and GRU; "sigmoid(x) or whatever activation you use"
"""

import numpy as np

from reference.shapes import expect, floating


def forward(x):
    expect(x=(x, "..."))
    e = np.exp(-np.abs(floating(x)))
    return np.where(x >= 0, 1, e) / (1 + e)


def vjp(cotangent, x):
    expect(x=(x, "..."), cotangent=(cotangent, "..."))
    e = np.exp(-np.abs(floating(x)))
    return {"x": e / (1 + e) ** 2 * cotangent}
