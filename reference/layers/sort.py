"""Sorting along one axis; the VJP sends every cotangent back to where its value came from.

Formula
    y = x[order],  order: the stable ascending order, or the stable descending one
    dx[order] = g

Shapes
    x, y: any but (), the same; axis: the axis sorted along.

Kinks
    Ties: the stable order decides, the first of the tied goes first in both directions.
    NaN counts as largest.

Errors
    ValueError: cotangent not of x's shape.

Source
    torch.sort(stable=True).
"""

import numpy as np

from reference.indexing import stable_order
from reference.shapes import expect


def forward(x, *, axis=-1, descending=False):
    expect(x=(x, "..."))
    return np.take_along_axis(x, stable_order(x, axis, descending), axis)


def vjp(cotangent, x, *, axis=-1, descending=False):
    expect(x=(x, "..."), cotangent=(cotangent, "..."))
    dx = np.empty_like(cotangent)
    np.put_along_axis(dx, stable_order(x, axis, descending), cotangent, axis)
    return {"x": dx}
