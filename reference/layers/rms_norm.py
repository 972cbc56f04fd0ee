"""Root-mean-square normalisation: features divided by their root mean square, no mean taken off.

Formula
    y = gamma x / r,  r = sqrt(mean x^2 + eps) over the last axis
    dx = (h - (x / r) mean(h x / r)) / r,  h = g gamma
    dgamma = sum g x / r over the leading axes

Shapes
    x, y (..., features); gamma (features); eps: a number in x's units squared.
    Squares overflow beyond the root of the largest number, 1e154 in float64: y is 0 there.

Kinks
    x = 0 with eps = 0: y is NaN there; any eps above 0 makes it smooth.

Errors
    ValueError: shapes that disagree; no features; eps negative.

Source
    Zhang and Sennrich (2019); torch.nn.functional.rms_norm.
"""

import numpy as np

from reference.shapes import at_least, expect


def forward(x, gamma, *, eps=1e-6):
    return gamma * (x / _root_mean_square(x, gamma, eps))


def vjp(cotangent, x, gamma, *, eps=1e-6):
    expect(x=(x, "..."), cotangent=(cotangent, "..."))
    r = _root_mean_square(x, gamma, eps)
    y, h = x / r, cotangent * gamma
    dx = (h - y * np.mean(h * y, axis=-1, keepdims=True)) / r
    return {"x": dx, "gamma": np.sum(cotangent * y, tuple(range(x.ndim - 1)))}


def _root_mean_square(x, gamma, eps):
    at_least("eps", eps, 0)
    expect(x=(x, "... features"), gamma=(gamma, "features"))
    if x.shape[-1] == 0:
        raise ValueError(f"x has shape {x.shape}: there are no features to take a mean of")
    return np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + eps)
