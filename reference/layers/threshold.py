"""Threshold: keeps values above theta, replaces the others by a constant.

Formula
    y = x  where x > theta,  value elsewhere;  dx = g  where x > theta,  0 elsewhere

Shapes
    x, y: any, the same; theta, value: numbers.

Kinks
    x = theta: 0. With value = theta it is a kink, otherwise a jump with no derivative.

Errors
    ValueError: cotangent not of x's shape.

Source
    torch.nn.functional.threshold.
"""

import numpy as np

from reference.shapes import expect


def forward(x, *, theta=0.0, value=0.0):
    expect(x=(x, "..."))
    return np.where(x > theta, x, value)


def vjp(cotangent, x, *, theta=0.0, value=0.0):
    expect(x=(x, "..."), cotangent=(cotangent, "..."))
    return {"x": cotangent * (x > theta)}
