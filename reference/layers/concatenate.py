"""Concatenation of any number of arrays along one axis.

The gradients are named x1, x2, ... in the order of the inputs.

Formula
    y = [x1 | x2 | ...]
    dx1, dx2, ... = the pieces of g

Shapes
    the inputs agree in every dimension but `axis`

Errors
    ValueError where there is no input, the inputs disagree elsewhere than along `axis`, or the
    cotangent's shape is not y's.

Source
    (002) concatenate(to_concat)
"""

import numpy as np


def forward(*inputs, axis=-1):
    return np.concatenate(inputs, axis=axis)


def vjp(cotangent, *inputs, axis=-1):
    """The pieces of g."""
    shape = np.concatenate(inputs, axis=axis).shape
    if cotangent.shape != shape:
        raise ValueError(f"cotangent has shape {cotangent.shape} and y has shape {shape}")
    ends = np.cumsum([x.shape[axis] for x in inputs])
    pieces = np.split(cotangent, ends[:-1], axis=axis)
    return {f"x{k}": piece.copy() for k, piece in enumerate(pieces, 1)}
