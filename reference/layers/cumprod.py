"""Cumulative product along one axis, with a VJP that never divides: zeros are exactly right.

Formula
    y_i = prod_{j <= i} x_j
    dx_i = p_i s_i,  p_i = prod_{j < i} x_j,  s_i = g_i + x_{i+1} s_{i+1}
    The recurrence for s is solved by doubling: after k rounds b_i holds the sum over 2^k terms
    and a_i the product of 2^k factors, b_i <- b_i + a_i b_{i + 2^k}, a_i <- a_i a_{i + 2^k}.

Shapes
    x, y: any but (), the same; axis: the axis multiplied along.

Errors
    ValueError: cotangent not of x's shape.

Source
    torch.cumprod; Hillis and Steele (1986) for the doubling.
"""

import numpy as np

from reference.shapes import expect


def forward(x, *, axis=-1):
    expect(x=(x, "..."))
    return np.cumprod(x, axis)


def vjp(cotangent, x, *, axis=-1):
    expect(x=(x, "..."), cotangent=(cotangent, "..."))
    x, g = np.moveaxis(x, axis, -1), np.moveaxis(cotangent, axis, -1)
    ones = np.ones_like(x[..., :1])
    before = np.cumprod(np.concatenate([ones, x[..., :-1]], axis=-1), axis=-1)
    after = _suffix_sums(g, np.concatenate([x[..., 1:], ones], axis=-1))
    return {"x": np.moveaxis(before * after, -1, axis)}


def _suffix_sums(g, factors):
    """s_i = g_i + factors_i s_{i+1}, with s = 0 past the end."""
    a, b = factors.copy(), g.astype(np.result_type(g, factors))
    step = 1
    while step < b.shape[-1]:
        b[..., :-step] += a[..., :-step] * b[..., step:]
        a[..., :-step] *= a[..., step:].copy()
        step *= 2
    return b
