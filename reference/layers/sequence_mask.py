"""Mask over time: steps that are not kept become zero.

`from_lengths` makes the mask of padded sequences.

Formula
    y[n, t] = x[n, t] where mask[n, t], 0 elsewhere
    dx[n, t] = g[n, t] where mask[n, t], 0 elsewhere

Shapes
    x, y (batch, time, features), mask (batch, time) of 0 and 1, lengths (batch,) of integers;
    a step that the mask leaves out may hold anything

Errors
    ValueError where shapes differ, the mask holds anything but 0 and 1, or a length is no integer,
    negative or larger than `time`.

Source
    (002) zero padding of sequences, which needs a mask
"""

import numpy as np

from reference.shapes import expect, integers, one_of, whole, zeros_and_ones


def forward(x, mask):
    return np.where(_kept(x, mask), x, 0)


def vjp(cotangent, x, mask):
    expect(x=(x, "batch time features"), cotangent=(cotangent, "batch time features"))
    return {"x": np.where(_kept(x, mask), cotangent, 0)}


def from_lengths(lengths, time=None, *, side="post"):
    """mask[n, t] is True on the first (`side="post"`) or last (`"pre"`) lengths[n] steps."""
    one_of("side", side, ("post", "pre"))
    expect(lengths=(lengths, "batch"))
    integers("lengths", lengths)
    time = int(lengths.max(initial=0)) if time is None else whole("time", time, 0)
    bad = lengths[(lengths < 0) | (lengths > time)]
    if bad.size:
        raise ValueError(f"lengths holds {bad[0]}: it must lie between 0 and time, {time}")
    step = np.arange(time) if side == "post" else np.arange(time)[::-1]
    return step < lengths[:, None]


def _kept(x, mask):
    expect(x=(x, "batch time features"), mask=(mask, "batch time"))
    zeros_and_ones("mask", mask)
    return np.asarray(mask, bool)[..., None]
