"""Bilinear layer: every output is a bilinear form of two inputs.

Formula
    y[n, o] = sum_{i, j} a[n, i] W[o, i, j] b[n, j] + c[o]
    da[n, i] = sum_{o, j} g[n, o] W[o, i, j] b[n, j]
    db[n, j] = sum_{o, i} g[n, o] W[o, i, j] a[n, i]
    dW[o, i, j] = sum_n g[n, o] a[n, i] b[n, j],  dc[o] = sum_n g[n, o]

Shapes
    a (batch, left); b (batch, right); W (outputs, left, right); c (outputs); y (batch, outputs)

Errors
    ValueError: shapes that disagree.

Source
    torch.nn.functional.bilinear.
"""

import numpy as np

from reference.shapes import expect


def forward(a, b, W, c):
    _check(a, b, W, c)
    return np.einsum("ni,oij,nj->no", a, W, b, optimize=True) + c


def vjp(cotangent, a, b, W, c):
    _check(a, b, W, c, cotangent=(cotangent, "batch outputs"))
    return {
        "a": np.einsum("no,oij,nj->ni", cotangent, W, b, optimize=True),
        "b": np.einsum("no,oij,ni->nj", cotangent, W, a, optimize=True),
        "W": np.einsum("no,ni,nj->oij", cotangent, a, b, optimize=True),
        "c": np.sum(cotangent, axis=0),
    }


def _check(a, b, W, c, **more):
    expect(
        a=(a, "batch left"),
        b=(b, "batch right"),
        W=(W, "outputs left right"),
        c=(c, "outputs"),
        **more,
    )
