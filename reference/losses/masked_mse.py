"""Mean squared error of several outputs of which only some are known.

Unknown targets may hold anything, NaN too.

Formula
    L = sum m (p - t)^2 / sum m, 0 where nothing is known
    dp = 2 m (p - t) / sum m, dt = -dp; both times the scalar cotangent

Shapes
    prediction, target, mask (...), the same, the mask of 0 and 1; L () in the square of
    the units of prediction and target

Errors
    ValueError: shapes differ, (n, 1) against (n, k) too; the mask holds anything but 0 and 1.

Source
    (002) multi-output regression in nolearn, without setting unknown labels to 0
"""

import numpy as np

from reference.shapes import expect, floating, zeros_and_ones


def forward(prediction, target, mask):
    """L, a scalar."""
    error, known = _error(prediction, target, mask)
    return np.square(error).sum() / max(known, 1)


def vjp(cotangent, prediction, target, mask):
    error, known = _error(prediction, target, mask)
    expect(cotangent=(cotangent, ""))
    dp = cotangent * 2 * error / max(known, 1)
    return {"prediction": dp, "target": -dp}


def _error(prediction, target, mask):
    expect(prediction=(prediction, "..."), target=(target, "..."), mask=(mask, "..."))
    zeros_and_ones("mask", mask)
    return np.where(mask, floating(prediction) - floating(target), 0), int(np.count_nonzero(mask))
