"""Batch normalisation in training: every channel standardised over the batch and its positions.

Formula
    y = gamma_c s(x) + beta_c,  s: standardise over all axes but 1
    dx = ds(g gamma_c),  dgamma_c = sum g s(x),  dbeta_c = sum g, over all axes but 1

Shapes
    x, y (batch, channels, ...); gamma, beta (channels); eps: a number in x's units squared.
    The variance is the biased one; no running statistics are kept.

Errors
    ValueError: shapes that disagree; nothing to take a mean of; eps negative.

Source
    Ioffe and Szegedy (2015), algorithm 1; torch.nn.functional.batch_norm(training=True).
"""

import numpy as np

from reference.channels import expect_channels, other_axes, per_channel
from reference.layers import standardise
from reference.shapes import expect


def forward(x, gamma, beta, *, eps=1e-5):
    expect_channels(x, gamma=gamma, beta=beta)
    s = standardise.forward(x, axes=other_axes(x), eps=eps)
    return per_channel(gamma, x) * s + per_channel(beta, x)


def vjp(cotangent, x, gamma, beta, *, eps=1e-5):
    expect_channels(x, gamma=gamma, beta=beta)
    expect(x=(x, "..."), cotangent=(cotangent, "..."))
    axes = other_axes(x)
    s, deviation = standardise.scaled(x, axes, eps)
    return {
        "x": standardise.pull_back(cotangent * per_channel(gamma, x), s, deviation, axes),
        "gamma": np.sum(cotangent * s, axes),
        "beta": np.sum(cotangent, axes),
    }
