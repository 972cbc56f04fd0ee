"""Logistic sigmoid.

The derivative is taken from both sides of zero, sigmoid(x) sigmoid(-x): it keeps its digits where
1 - y would lose them.

Formula
    y = 1 / (1 + exp(-x))
    dx = y (1 - y) g = sigmoid(x) sigmoid(-x) g

Shapes
    x, y (...)

Errors
    ValueError where the cotangent's shape is not x's.

Source
    (002) gates of the LSTM and GRU; "sigmoid(x) or whatever activation you use"
"""

from scipy import special

from reference.shapes import expect, floating


def sigmoid(x):
    """The function by itself, for layers that have checked their arguments: of floats."""
    return special.expit(x).astype(x.dtype, copy=False)  # SciPy's has no float16


def forward(x):
    expect(x=(x, "..."))
    return sigmoid(floating(x))


def vjp(cotangent, x):
    expect(x=(x, "..."), cotangent=(cotangent, "..."))
    x = floating(x)
    return {"x": sigmoid(x) * sigmoid(-x) * cotangent}
