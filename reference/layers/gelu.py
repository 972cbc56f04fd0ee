"""Gaussian error linear unit, exact: x times the probability that a standard normal is below x.

Formula
    y = x Phi(x),  dx = g (Phi(x) + x phi(x))
    Phi, phi: distribution function and density of the standard normal.

Shapes
    x, y: any, the same.

Errors
    ValueError: cotangent not of x's shape.

Source
    Hendrycks and Gimpel (2016); torch.nn.functional.gelu.
"""

import math

import numpy as np
from scipy.special import ndtr

from reference.shapes import expect, float_type


def forward(x):
    expect(x=(x, "..."))
    return x * _below(x)


def vjp(cotangent, x):
    expect(x=(x, "..."), cotangent=(cotangent, "..."))
    near = np.clip(x, -40, 40)  # beyond, the density is below the smallest number
    density = np.exp(-0.5 * near * near) / math.sqrt(2 * math.pi)
    return {"x": cotangent * (_below(x) + near * density)}


def _below(x):
    """Phi(x), in the precision of x: SciPy has none in float16."""
    return ndtr(x).astype(float_type(x))
