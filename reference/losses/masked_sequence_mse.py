"""Mean squared error over the steps of sequences that the mask keeps.

Formula
    l[n, t] = mean over the features of (p - t)^2
    L = sum m l / sum m, 0 where no step is kept
    dp = 2 m (p - t) / (features sum m), dt = -dp; both times the scalar cotangent

Shapes
    prediction, target (batch, time, features), mask (batch, time) of 0 and 1;
    L () in the square of the units of prediction and target

Errors
    ValueError: shapes differ; no feature; the mask holds anything but 0 and 1.

Source
    (002) masking outputs of different size in sequence prediction
"""

import numpy as np

from reference.losses import masked_mse
from reference.shapes import expect


def forward(prediction, target, mask):
    """L, a scalar."""
    return masked_mse.forward(prediction, target, _every_feature(prediction, target, mask))


def vjp(cotangent, prediction, target, mask):
    every = _every_feature(prediction, target, mask)
    return masked_mse.vjp(cotangent, prediction, target, every)


def _every_feature(prediction, target, mask):
    expect(
        prediction=(prediction, "batch time features"),
        target=(target, "batch time features"),
        mask=(mask, "batch time"),
    )
    if prediction.shape[2] == 0:
        raise ValueError(f"prediction has shape {prediction.shape}: a step has no feature")
    return np.broadcast_to(mask[..., None], prediction.shape)
