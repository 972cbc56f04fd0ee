"""Softplus: a smooth ReLU, the integral of the logistic function.

Formula
    y = log(1 + exp(beta x)) / beta,  dx = g s(beta x),  s(z) = 1 / (1 + exp(-z))
    log(1 + exp(z)) = max(z, 0) + log(1 + exp(-|z|)) does not overflow.

Shapes
    x, y: any, the same; beta: a positive number, the sharpness.

Errors
    ValueError: beta not positive; cotangent not of x's shape.

Source
    Dugas et al. (2001); torch.nn.functional.softplus (which is linear above its threshold of 20,
    where this form differs by less than 3e-9).
"""

import numpy as np

from reference.layers.sigmoid import forward as sigmoid
from reference.shapes import expect, positive


def forward(x, *, beta=1.0):
    expect(x=(x, "..."))
    positive("beta", beta)
    z = beta * x
    return (np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))) / beta


def vjp(cotangent, x, *, beta=1.0):
    positive("beta", beta)
    expect(x=(x, "..."), cotangent=(cotangent, "..."))
    return {"x": cotangent * sigmoid(beta * x)}
