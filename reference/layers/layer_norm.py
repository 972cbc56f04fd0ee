"""Layer normalisation: every sample standardised over its own features.

Formula
    y = gamma s(x) + beta,  s: standardise over the last axis
    dx = ds(g gamma),  dgamma = sum g s(x),  dbeta = sum g, both over the leading axes

Shapes
    x, y (..., features); gamma, beta (features); eps: a number in x's units squared.

Errors
    ValueError: shapes that disagree; no features; eps negative.

Source
    Ba, Kiros and Hinton (2016); torch.nn.functional.layer_norm.
"""

import numpy as np

from reference.layers import standardise
from reference.shapes import expect


def forward(x, gamma, beta, *, eps=1e-5):
    expect(x=(x, "... features"), gamma=(gamma, "features"), beta=(beta, "features"))
    return gamma * standardise.forward(x, eps=eps) + beta


def vjp(cotangent, x, gamma, beta, *, eps=1e-5):
    expect(x=(x, "... features"), gamma=(gamma, "features"), beta=(beta, "features"))
    expect(x=(x, "..."), cotangent=(cotangent, "..."))
    s, deviation = standardise.scaled(x, (-1,), eps)
    samples = tuple(range(x.ndim - 1))
    return {
        "x": standardise.pull_back(cotangent * gamma, s, deviation, (-1,)),
        "gamma": np.sum(cotangent * s, samples),
        "beta": np.sum(cotangent, samples),
    }
