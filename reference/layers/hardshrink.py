"""Hard shrinkage: keeps values larger than lam in magnitude, sets the others to zero.

Formula
    y = x  where |x| > lam,  0 elsewhere;  dx = g  where |x| > lam,  0 elsewhere

Shapes
    x, y: any, the same; lam: a positive number.

Kinks
    x = -lam and x = lam are jumps, no kinks: there is no derivative; 0 is returned.

Errors
    ValueError: lam not positive; cotangent not of x's shape.

Source
    Donoho and Johnstone (1994); torch.nn.functional.hardshrink.
"""

import numpy as np

from reference.shapes import expect, positive


def forward(x, *, lam=0.5):
    expect(x=(x, "..."))
    positive("lam", lam)
    return np.where(np.abs(x) > lam, x, 0)


def vjp(cotangent, x, *, lam=0.5):
    positive("lam", lam)
    expect(x=(x, "..."), cotangent=(cotangent, "..."))
    return {"x": cotangent * (np.abs(x) > lam)}
