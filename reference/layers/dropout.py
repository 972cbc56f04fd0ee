"""Inverted dropout with the mask given from outside.

Formula
    y = m x / (1 - rate)
    dx = m g / (1 - rate)
    y = x and dx = g when not training

Shapes
    x, mask, y (...); the mask is of 0 and 1, 1 keeps

Errors
    ValueError where shapes differ, the mask holds anything but 0 and 1, or the rate is not in
    [0, 1).

Source
    (002) nolearn's dropout layers, p the probability to drop; Srivastava et al., JMLR 15 (2014)
"""

import numpy as np

from reference.shapes import expect, zeros_and_ones


def forward(x, mask, *, rate=0.5, training=True):
    _check(x, mask, rate)
    return np.where(mask, x / (1 - rate), 0) if training else x.copy()


def vjp(cotangent, x, mask, *, rate=0.5, training=True):
    _check(x, mask, rate)
    expect(x=(x, "..."), cotangent=(cotangent, "..."))
    return {"x": np.where(mask, cotangent / (1 - rate), 0) if training else cotangent.copy()}


def _check(x, mask, rate):
    expect(x=(x, "..."), mask=(mask, "..."))
    zeros_and_ones("mask", mask)
    if not 0 <= rate < 1:
        raise ValueError(f"rate is {rate}: it must be in [0, 1)")
