"""Logarithm of the logistic function.

Formula
    y = log s(x) = -softplus(-x),  dx = g s(-x),  s(z) = 1 / (1 + exp(-z))

Shapes
    x, y: any, the same.

Errors
    ValueError: cotangent not of x's shape.

Source
    torch.nn.functional.logsigmoid.
"""

from reference.layers import softplus
from reference.layers.sigmoid import forward as sigmoid
from reference.shapes import expect, floating


def forward(x):
    expect(x=(x, "..."))
    return -softplus.forward(-floating(x))


def vjp(cotangent, x):
    expect(x=(x, "..."), cotangent=(cotangent, "..."))
    return {"x": cotangent * sigmoid(-floating(x))}
