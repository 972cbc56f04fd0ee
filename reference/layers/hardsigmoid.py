"""Hard sigmoid: the logistic function in three straight pieces.

Formula
    y = min(max(x / 6 + 1/2, 0), 1),  dx = g / 6  where -3 < x < 3,  0 elsewhere

Shapes
    x, y: any, the same.

Kinks
    x = -3 and x = 3: 0.

Errors
    ValueError: cotangent not of x's shape.

Source
    Courbariaux, Bengio and David (2015); the slope 1/6 is torch.nn.functional.hardsigmoid's.
"""

import numpy as np

from reference.shapes import expect


def forward(x):
    expect(x=(x, "..."))
    return np.clip(x + 3, 0, 6) / 6


def vjp(cotangent, x):
    expect(x=(x, "..."), cotangent=(cotangent, "..."))
    return {"x": cotangent / 6 * ((x > -3) & (x < 3))}
