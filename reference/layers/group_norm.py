"""Group normalisation: every sample standardised over groups of channels and their positions.

Formula
    y = gamma_c s(x) + beta_c,  s: standardise over each group of channels / groups channels
    dx = ds(g gamma_c)
    dgamma_c = sum g s(x),  dbeta_c = sum g, over all axes but 1

Shapes
    x, y (batch, channels, ...); gamma, beta (channels); groups divides channels;
    eps: a number in x's units squared.

Errors
    ValueError: shapes that disagree; channels not a multiple of groups; nothing to take a mean
    of; eps negative.

Source
    Wu and He (2018); torch.nn.functional.group_norm.
"""

import math

import numpy as np

from reference.channels import expect_channels, other_axes, per_channel
from reference.layers import standardise
from reference.shapes import expect, multiple_of


def forward(x, gamma, beta, *, groups=1, eps=1e-5):
    expect_channels(x, gamma=gamma, beta=beta)
    s = standardise.forward(_grouped(x, groups), eps=eps).reshape(x.shape)
    return per_channel(gamma, x) * s + per_channel(beta, x)


def vjp(cotangent, x, gamma, beta, *, groups=1, eps=1e-5):
    expect_channels(x, gamma=gamma, beta=beta)
    expect(x=(x, "..."), cotangent=(cotangent, "..."))
    s, deviation = standardise.scaled(_grouped(x, groups), (-1,), eps)
    g = _grouped(cotangent * per_channel(gamma, x), groups)
    return {
        "x": standardise.pull_back(g, s, deviation, (-1,)).reshape(x.shape),
        "gamma": np.sum(cotangent * s.reshape(x.shape), other_axes(x)),
        "beta": np.sum(cotangent, other_axes(x)),
    }


def _grouped(x, groups):
    multiple_of("channels", x.shape[1], "groups", groups)
    return x.reshape(x.shape[0], groups, math.prod(x.shape[1:]) // groups)
