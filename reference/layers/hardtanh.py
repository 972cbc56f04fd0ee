"""Hard tanh: the identity between two bounds, constant outside.

Formula
    y = min(max(x, low), high),  dx = g  where low < x < high,  0 elsewhere

Shapes
    x, y: any, the same; low, high: numbers.

Kinks
    x = low and x = high: 0.

Errors
    ValueError: low not below high; cotangent not of x's shape.

Source
    Collobert (2004); torch.nn.functional.hardtanh.
"""

import numpy as np

from reference.shapes import expect


def forward(x, *, low=-1.0, high=1.0):
    expect(x=(x, "..."))
    _check(low, high)
    return np.clip(x, low, high)


def vjp(cotangent, x, *, low=-1.0, high=1.0):
    _check(low, high)
    expect(x=(x, "..."), cotangent=(cotangent, "..."))
    return {"x": cotangent * ((low < x) & (x < high))}


def _check(low, high):
    if not low < high:
        raise ValueError(f"low is {low} and high is {high}: low must be below high")
