"""Soft shrinkage: pulls every value towards zero by lam; the proximal map of lam |x|.

Formula
    y = sign(x) max(|x| - lam, 0),  dx = g  where |x| > lam,  0 elsewhere

Shapes
    x, y: any, the same; lam: a positive number.

Kinks
    x = -lam and x = lam: 0.

Errors
    ValueError: lam not positive; cotangent not of x's shape.

Source
    Donoho (1995); torch.nn.functional.softshrink.
"""

import numpy as np

from reference.shapes import expect, positive


def forward(x, *, lam=0.5):
    expect(x=(x, "..."))
    positive("lam", lam)
    return np.sign(x) * np.maximum(np.abs(x) - lam, 0)


def vjp(cotangent, x, *, lam=0.5):
    positive("lam", lam)
    expect(x=(x, "..."), cotangent=(cotangent, "..."))
    return {"x": cotangent * (np.abs(x) > lam)}
