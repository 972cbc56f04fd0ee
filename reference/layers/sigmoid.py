"""Logistic sigmoid.

1 - s(x) is taken as s(-x), which keeps its digits for large x.

Formula
    y = s(x) = 1 / (1 + exp(-x))
    dx = s(x) s(-x) g

Shapes
    x, y (...)

Errors
    ValueError where the cotangent's shape is not x's.

Source
    (002) gates of the LSTM and GRU; "sigmoid(x) or whatever activation you use"
"""

from scipy.special import expit

from reference.shapes import expect


def forward(x):
    return expit(x)


def vjp(cotangent, x):
    expect(x=(x, "..."), cotangent=(cotangent, "..."))
    return {"x": expit(x) * expit(-x) * cotangent}
