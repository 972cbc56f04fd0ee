"""Mish: x times the tanh of its softplus.

Formula
    y = x tanh(p),  p = softplus(x),  dx = g (tanh(p) + x (1 - tanh(p)^2) s(x))
    s(x) = 1 / (1 + exp(-x)) is the derivative of p.

Shapes
    x, y: any, the same.

Errors
    ValueError: cotangent not of x's shape.

Source
    Misra (2019); torch.nn.functional.mish.
"""

import numpy as np

from reference.layers import softplus
from reference.layers.sigmoid import forward as sigmoid
from reference.shapes import expect


def forward(x):
    expect(x=(x, "..."))
    return x * np.tanh(softplus.forward(x))


def vjp(cotangent, x):
    expect(x=(x, "..."), cotangent=(cotangent, "..."))
    t = np.tanh(softplus.forward(x))
    return {"x": cotangent * (t + x * (1 - t * t) * sigmoid(x))}
