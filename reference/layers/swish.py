"""Swish: x times the logistic function of beta x; with beta = 1 it is called SiLU.

Formula
    y = x s(beta x),  dx = g (s + beta x s (1 - s)),  s(z) = 1 / (1 + exp(-z))
    1 - s(z) is taken as s(-z).

Shapes
    x, y: any, the same; beta: a number.

Errors
    ValueError: cotangent not of x's shape.

Source
    Ramachandran, Zoph and Le (2017); torch.nn.functional.silu.
"""

from reference.layers.sigmoid import forward as sigmoid
from reference.shapes import expect


def forward(x, *, beta=1.0):
    expect(x=(x, "..."))
    return x * sigmoid(beta * x)


def vjp(cotangent, x, *, beta=1.0):
    expect(x=(x, "..."), cotangent=(cotangent, "..."))
    s = sigmoid(beta * x)
    return {"x": cotangent * s * (1 + beta * x * sigmoid(-beta * x))}
