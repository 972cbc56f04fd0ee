"""Batch normalisation in evaluation: an affine map with the statistics gathered in training.

Formula
    y = gamma_c (x - mean_c) / sqrt(variance_c + eps) + beta_c
    dx = g gamma_c / sqrt(variance_c + eps)
    dgamma_c = sum g (x - mean_c) / sqrt(variance_c + eps),  dbeta_c = sum g, over all axes but 1

Shapes
    x, y (batch, channels, ...); gamma, beta, mean, variance (channels), the last two data that
    are not differentiated; eps: a number in x's units squared.

Errors
    ValueError: shapes that disagree; a negative variance, or one of 0 with eps = 0; eps negative.

Source
    Ioffe and Szegedy (2015), algorithm 2; torch.nn.functional.batch_norm(training=False).
"""

import numpy as np

from reference.channels import expect_channels, other_axes, per_channel
from reference.shapes import at_least, expect


def forward(x, gamma, beta, mean, variance, *, eps=1e-5):
    centred, deviation = _centred(x, gamma, beta, mean, variance, eps)
    return per_channel(gamma, x) * centred / deviation + per_channel(beta, x)


def vjp(cotangent, x, gamma, beta, mean, variance, *, eps=1e-5):
    centred, deviation = _centred(x, gamma, beta, mean, variance, eps)
    expect(x=(x, "..."), cotangent=(cotangent, "..."))
    return {
        "x": cotangent * per_channel(gamma, x) / deviation,
        "gamma": np.sum(cotangent * centred / deviation, other_axes(x)),
        "beta": np.sum(cotangent, other_axes(x)),
    }


def _centred(x, gamma, beta, mean, variance, eps):
    expect_channels(x, gamma=gamma, beta=beta, mean=mean, variance=variance)
    at_least("eps", eps, 0)
    if not np.all((variance >= 0) & (variance + eps > 0)):
        least = np.min(variance)
        raise ValueError(f"variance holds {least} and eps is {eps}: their sum must be positive")
    return x - per_channel(mean, x), np.sqrt(per_channel(variance, x) + eps)
