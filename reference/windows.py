"""Sliding windows over the last two axes: what convolutions and pooling share.

`unfold` copies every window out, `fold` adds windows back where they came from. Each is the
other's adjoint: <unfold(x), w> = <x, fold(w)>.
"""

import itertools
import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from reference.shapes import whole


def pair(name, value, low=1):
    """A number for both axes, or one for each; ValueError where one is below `low`."""
    values = (value, value) if np.ndim(value) == 0 else tuple(value)
    if len(values) != 2:
        raise ValueError(f"{name} is {value}: a number or a pair is needed")
    return whole(name, values[0], low), whole(name, values[1], low)


def some_taps(W):
    """ValueError where a kernel (filters, channels, kh, kw) is of no size."""
    if min(W.shape[2:]) < 1:
        raise ValueError(f"W has shape {W.shape}: a kernel has at least one tap along each axis")


def half_at_most(padding, kernel):
    """ValueError where the padding is more than half the kernel."""
    if np.any(2 * np.array(padding) > kernel):
        raise ValueError(f"padding is {padding} and kernel is {kernel}: at most half the kernel")


def count(size, kernel, stride, padding, dilation):
    """How many windows fit along one axis; ValueError where not even one does."""
    whole("kernel", kernel, 1)
    if size == 0:
        raise ValueError("x has no positions along an axis that windows slide over")
    room, span = size + 2 * padding, dilation * (kernel - 1) + 1
    if span > room:
        raise ValueError(f"a kernel spanning {span} does not fit into {room} positions of x")
    return (room - span) // stride + 1


def unfold(x, kernel, stride, padding, dilation, fill=0):
    """(batch, channels, height, width) -> (batch, channels, kh, kw, rows, columns), a copy.

    Every argument after x is a pair; `fill` is what stands in the padding.
    """
    for axis in (0, 1):
        count(x.shape[2 + axis], kernel[axis], stride[axis], padding[axis], dilation[axis])
    padded = _padded(x, *padding, fill) if any(padding) else x
    spans = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    windows = sliding_window_view(padded, spans, axis=(2, 3))
    windows = windows[:, :, :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]
    return np.ascontiguousarray(windows.transpose(0, 1, 4, 5, 2, 3))


def _padded(x, top, left, fill):
    batch, channels, height, width = x.shape
    padded = np.full((batch, channels, height + 2 * top, width + 2 * left), fill, x.dtype)
    padded[:, :, top : top + height, left : left + width] = x
    return padded


def fold(windows, size, stride, padding, dilation):
    """(batch, channels, kh, kw, rows, columns) -> (batch, channels, *size), the adjoint."""
    kh, kw, rows, columns = windows.shape[2:]
    (height, width), (top, left) = size, padding
    padded = np.zeros((*windows.shape[:2], height + 2 * top, width + 2 * left), windows.dtype)
    for i, j in itertools.product(range(kh), range(kw)):
        down = slice(i * dilation[0], i * dilation[0] + stride[0] * (rows - 1) + 1, stride[0])
        across = slice(j * dilation[1], j * dilation[1] + stride[1] * (columns - 1) + 1, stride[1])
        padded[:, :, down, across] += windows[:, :, i, j]
    return padded[:, :, top : top + height, left : left + width]


def by_group(kernels, groups):
    """Kernels (out, in / groups, kh, kw) -> one matrix a group, (groups, out / groups, rest)."""
    out, *rest = kernels.shape
    return kernels.reshape(groups, out // groups, math.prod(rest))


def columns(windows, groups):
    """Windows (batch, channels, kh, kw, rows, columns) -> (batch, groups, rest, positions)."""
    batch, *rest = windows.shape[:4]
    return windows.reshape(batch, groups, math.prod(rest) // groups, math.prod(windows.shape[4:]))
