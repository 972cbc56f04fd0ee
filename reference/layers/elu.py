"""Exponential linear unit: the identity above zero, saturating at -alpha below.

Formula
    y = x                   for x > 0
    y = alpha (exp(x) - 1)  otherwise
    dx = g  for x > 0,  g alpha exp(x)  otherwise

Shapes
    x, y: any, the same; alpha: a number, the saturation level.

Kinks
    x = 0, unless alpha = 1: the left slope alpha.

Errors
    ValueError: cotangent not of x's shape.

Source
    Clevert, Unterthiner and Hochreiter (2016); torch.nn.functional.elu.
"""

import numpy as np

from reference.shapes import expect


def forward(x, *, alpha=1.0):
    expect(x=(x, "..."))
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def vjp(cotangent, x, *, alpha=1.0):
    expect(x=(x, "..."), cotangent=(cotangent, "..."))
    return {"x": cotangent * np.where(x > 0, 1, alpha * np.exp(np.minimum(x, 0)))}
