"""Dense layer with some weights held at zero by a mask.

Formula
    Z = X (m * W) + b
    Y = act(Z), by default relu
    dZ = act'(Z) applied to G
    dX = dZ (m * W)^T
    dW = m * (X^T dZ)
    db = sum of the rows of dZ

Shapes
    x (..., features), W (features, units), b (units,), mask (features, units) of 0 and 1

Kinks
    those of the activation, at Z; relu takes 0 at zero

Errors
    ValueError where a shape disagrees or the mask holds anything but 0 and 1.

Source
    (002) "Selectively zero weights", the mask on the gradient's side
"""

import numpy as np

from reference.layers import dense, relu
from reference.shapes import expect, zeros_and_ones


def forward(x, W, b, mask, *, activation=(relu.forward, relu.vjp)):
    """Y = act(X (m * W) + b)."""
    return dense.forward(x, _kept(W, mask), b, activation=activation)


def vjp(cotangent, x, W, b, mask, *, activation=(relu.forward, relu.vjp)):
    """The dense pullback at m * W, and the mask again on dW."""
    gradients = dense.vjp(cotangent, x, _kept(W, mask), b, activation=activation)
    return gradients | {"W": _kept(gradients["W"], mask)}


def _kept(W, mask):
    expect(W=(W, "features units"), mask=(mask, "features units"))
    zeros_and_ones("mask", mask)
    return np.where(mask, W, 0)
