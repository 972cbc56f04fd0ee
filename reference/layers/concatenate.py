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

from reference.shapes import expect_shape, real_numbers, without


def forward(*inputs, axis=-1):
    _check(inputs, axis)
    return np.concatenate(inputs, axis=axis)


def vjp(cotangent, *inputs, axis=-1):
    """The pieces of g."""
    _check(inputs, axis)
    ends = np.cumsum([x.shape[axis] for x in inputs])
    shape = list(inputs[0].shape)
    shape[axis] = int(ends[-1])
    expect_shape("cotangent", cotangent, shape)
    pieces = np.split(cotangent, ends[:-1], axis=axis)
    return {f"x{k}": piece.copy() for k, piece in enumerate(pieces, 1)}


def _check(inputs, axis):
    if not inputs:
        raise ValueError("inputs is empty: at least one array is needed")
    first = inputs[0]
    for k, x in enumerate(inputs, 1):
        real_numbers(f"x{k}", x)
        if x.ndim != first.ndim or without(x.shape, axis) != without(first.shape, axis):
            raise ValueError(
                f"x{k} has shape {x.shape} and x1 has shape {first.shape}: "
                f"they must agree except along axis {axis}"
            )
