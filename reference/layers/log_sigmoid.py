"""Logarithm of the logistic function.

Formula
    y = log s(x) = -log(1 + exp(-x)),  dx = g s(-x),  s(z) = 1 / (1 + exp(-z))

Shapes
    x, y: any, the same.

Errors
    ValueError: cotangent not of x's shape.

Source
    torch.nn.functional.logsigmoid.
"""

import numpy as np
from scipy.special import expit

from reference.shapes import expect


def forward(x):
    return -np.logaddexp(0, -x)


def vjp(cotangent, x):
    expect(x=(x, "..."), cotangent=(cotangent, "..."))
    return {"x": cotangent * expit(-x)}
