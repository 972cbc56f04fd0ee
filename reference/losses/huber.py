"""Huber loss: quadratic near the target, linear beyond delta.

Formula
    r = p - t;  l = r^2 / 2  where |r| <= delta,  delta (|r| - delta / 2)  elsewhere
    then none, sum or mean over all elements;  dp = g min(max(r, -delta), delta),  dt = -dp
    (g / size for "mean")

Shapes
    prediction p, target t: any, the same; the loss: that shape ("none") or (); delta: a positive
    number in the units of p and t. The loss has their units squared.

Errors
    ValueError: target or cotangent of another shape (nothing broadcasts); delta not positive;
    "mean" over nothing.

Source
    Huber (1964); torch.nn.functional.huber_loss.
"""

import numpy as np

from reference.reduction import reduce, spread
from reference.shapes import expect, floating, positive


def forward(prediction, target, *, delta=1.0, reduction="mean"):
    a = np.abs(_residual(prediction, target, delta))
    c = np.minimum(a, delta)  # |r|, or delta beyond it: then nothing is squared that overflows
    return reduce(c * (a - 0.5 * c), reduction)


def vjp(cotangent, prediction, target, *, delta=1.0, reduction="mean"):
    r = _residual(prediction, target, delta)
    dp = spread(cotangent, r, reduction) * np.clip(r, -delta, delta)
    return {"prediction": dp, "target": -dp}


def _residual(prediction, target, delta):
    positive("delta", delta)
    expect(prediction=(prediction, "..."), target=(target, "..."))
    return floating(prediction) - floating(target)
