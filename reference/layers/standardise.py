"""Standardisation over some axes: mean 0 and variance 1, up to eps.

Formula
    y = (x - m) / sqrt(v + eps),  m = mean x,  v = mean (x - m)^2, both over `axes`
    dx = (g - mean g - y mean(g y)) / sqrt(v + eps)
    The second term is the path through the mean, the third the path through the variance.

Shapes
    x, y: any, the same; axes: a tuple of axes; eps: a number in x's units squared, not negative.

    Squares overflow beyond the root of the largest number, 1e154 in float64: y is 0 there.

Kinks
    Equal numbers along the axes with eps = 0: y is NaN there; any eps above 0 makes it smooth.

Errors
    ValueError: no such axes, or nothing along them; eps negative; cotangent not of x's shape.

Source
    Ioffe and Szegedy (2015), section 3; the biased variance.
"""

import math

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from reference.shapes import at_least, expect


def forward(x, *, axes=(-1,), eps=1e-5):
    return scaled(x, axes, eps)[0]


def vjp(cotangent, x, *, axes=(-1,), eps=1e-5):
    expect(x=(x, "..."), cotangent=(cotangent, "..."))
    return {"x": pull_back(cotangent, *scaled(x, axes, eps), axes)}


def scaled(x, axes, eps):
    """Standardised numbers, and the deviation they were divided by."""
    expect(x=(x, "..."))
    at_least("eps", eps, 0)
    axes = normalize_axis_tuple(axes, x.ndim, "axes")
    if math.prod(x.shape[axis] for axis in axes) == 0:
        raise ValueError(f"x has shape {x.shape}: nothing along axes {axes} to take a mean of")
    y = x - np.mean(x, axes, keepdims=True)
    deviation = np.sqrt(np.mean(y * y, axes, keepdims=True) + eps)
    y /= deviation
    return y, deviation


def pull_back(g, y, deviation, axes):
    """The formula of dx."""
    dx = g - np.mean(g, axes, keepdims=True)
    dx -= y * np.mean(g * y, axes, keepdims=True)
    dx /= deviation
    return dx
