"""Instance normalisation: every channel of every sample standardised over its own positions.

Formula
    y = gamma_c s(x) + beta_c,  s: standardise over the axes from 2 on
    dx = ds(g gamma_c),  dgamma_c = sum g s(x),  dbeta_c = sum g, over all axes but 1

Shapes
    x, y (batch, channels, positions ...); gamma, beta (channels);
    eps: a number in x's units squared.

Errors
    ValueError: shapes that disagree; no position; eps negative.

Source
    Ulyanov, Vedaldi and Lempitsky (2016); torch.nn.functional.instance_norm.
"""

import numpy as np

from reference.channels import expect_channels, other_axes, per_channel
from reference.layers import standardise
from reference.shapes import expect


def forward(x, gamma, beta, *, eps=1e-5):
    s = standardise.forward(x, axes=_positions(x, gamma, beta), eps=eps)
    return per_channel(gamma, x) * s + per_channel(beta, x)


def vjp(cotangent, x, gamma, beta, *, eps=1e-5):
    positions = _positions(x, gamma, beta)
    expect(x=(x, "..."), cotangent=(cotangent, "..."))
    s, deviation = standardise.scaled(x, positions, eps)
    return {
        "x": standardise.pull_back(cotangent * per_channel(gamma, x), s, deviation, positions),
        "gamma": np.sum(cotangent * s, other_axes(x)),
        "beta": np.sum(cotangent, other_axes(x)),
    }


def _positions(x, gamma, beta):
    expect_channels(x, gamma=gamma, beta=beta)
    if x.ndim < 3:
        raise ValueError(f"x has shape {x.shape}: (batch, channels, positions ...) is needed")
    return tuple(range(2, x.ndim))
