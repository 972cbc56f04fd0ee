"""Gaussian error linear unit with the distribution function approximated by a tanh.

Formula
    y = x (1 + tanh u) / 2 = x s(2 u),  u = sqrt(2 / pi) (x + 0.044715 x^3)
    dx = g (s(2 u) + x s(2 u) s(-2 u) 2 u'),  u' = sqrt(2 / pi) (1 + 3 * 0.044715 x^2)
    The logistic s keeps the digits of 1 + tanh u where that is small.

Shapes
    x, y: any, the same.

Errors
    ValueError: cotangent not of x's shape.

Source
    Hendrycks and Gimpel (2016); torch.nn.functional.gelu(approximate="tanh").
"""

import math

import numpy as np

from reference.layers.sigmoid import forward as sigmoid
from reference.shapes import expect

SLOPE = math.sqrt(2 / math.pi)
CUBIC = 0.044715


def forward(x):
    expect(x=(x, "..."))
    return x * sigmoid(_twice_u(x))


def vjp(cotangent, x):
    expect(x=(x, "..."), cotangent=(cotangent, "..."))
    s = sigmoid(_twice_u(x))
    near = np.clip(x, -40, 40)  # beyond, the second term is below the smallest number
    bump = near * s * sigmoid(-_twice_u(x))
    return {"x": cotangent * (s + bump * (2 * SLOPE) * (1 + 3 * CUBIC * near * near))}


def _twice_u(x):
    near = np.clip(x, -40, 40)  # beyond, s is 0 or 1 to the last digit
    return (2 * SLOPE) * near * (1 + CUBIC * near * near)
