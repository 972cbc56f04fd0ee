"""Zero padding: sequences of different lengths, one after another, into one array.

Padding is not neutral for a recurrent layer: hand the mask on (`sequence_mask.from_lengths`).

Formula
    y[n, t] = step t of sequence n, 0 where it has ended (or, `side="pre"`, not begun)
    dx = g at those steps, in the same order

Shapes
    x (sum of lengths, features), lengths (batch,) of integers, y (batch, time, features)

Errors
    ValueError where x has another number of rows than the lengths' sum, or a length is no integer,
    negative or larger than `time`.

Source
    (002) "I usually pad the short sequences with 0s"
"""

import numpy as np

from reference.layers.sequence_mask import from_lengths
from reference.shapes import expect, expect_shape


def forward(x, lengths, *, time=None, side="post"):
    """y[n, t] = step t of sequence n, 0 elsewhere."""
    mask = _mask(x, lengths, time, side)
    y = np.zeros((*mask.shape, x.shape[1]), x.dtype)
    y[mask] = x
    return y


def vjp(cotangent, x, lengths, *, time=None, side="post"):
    mask = _mask(x, lengths, time, side)
    expect_shape("cotangent", cotangent, (*mask.shape, x.shape[1]))
    return {"x": cotangent[mask]}


def _mask(x, lengths, time, side):
    expect(x=(x, "total features"))
    mask = from_lengths(lengths, time, side=side)
    if mask.sum() != len(x):
        raise ValueError(f"x has shape {x.shape}: lengths add up to {mask.sum()} rows")
    return mask
