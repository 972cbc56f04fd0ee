"""Rectified linear unit, with the derivative at the kink as an argument.

Formula
    y = max(e, x)
    dx = g where x > e, at_zero g where x = e, 0 where x < e

Shapes
    x, y (...)

Kinks
    at x = e the derivative is `at_zero`, any number in [0, 1]; by default 0

Errors
    ValueError where `at_zero` is outside [0, 1] or the cotangent's shape is not x's.

Source
    (002) f(x) = max(e, x) with 0, 1/2 or 1 at zero; (000) and (004) with 0
"""

import numpy as np

from reference.shapes import expect, in_range


def forward(x, *, at_zero=0.0, e=0.0):
    expect(x=(x, "..."))
    in_range("at_zero", at_zero, 0, 1)
    return np.maximum(x, float(e))


def vjp(cotangent, x, *, at_zero=0.0, e=0.0):
    in_range("at_zero", at_zero, 0, 1)
    expect(x=(x, "..."), cotangent=(cotangent, "..."))
    level = float(e)
    return {"x": np.where(x > level, cotangent, np.where(x == level, at_zero * cotangent, 0))}
