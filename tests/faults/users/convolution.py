"""Mistakes in convolutions and pooling."""

import numpy as np

from reference.windows import fold, unfold
from suites.test_convolution import SUBJECTS as CONVOLUTIONS
from suites.test_pooling import SUBJECTS as POOLING
from tests.faults.users.planted import Planter

plant, pool = Planter(CONVOLUTIONS), Planter(POOLING)
ONE, ZERO = (1, 1), (0, 0)


def kernel_flipped(right, g, x, W, b, **options):
    """Dx as if the forward were a true convolution."""
    turned = W[:, :, ::-1, ::-1]
    return {"x": right.vjp(g, x=x, W=turned, b=b, **options)["x"]}


def taps_flipped(right, g, W, **inputs):
    return {"W": right.vjp(g, W=W, **inputs)["W"][:, :, ::-1].copy()}


def padding_off_by_one(right, g, **inputs):
    return {"x": np.roll(right.vjp(g, **inputs)["x"], 1, axis=3)}


def other_group(right, g, W, groups, **inputs):
    """The kernels of the first group for every group."""
    first = np.tile(W[: len(W) // groups], (groups, 1, 1, 1))
    return {"x": right.vjp(g, W=first, groups=groups, **inputs)["x"]}


def positions_averaged(right, g, **inputs):
    return {"b": g.mean((2, 3)).sum(0)}


def every_winner(right, g, x, kernel):
    """All of the tied get the cotangent."""
    windows = unfold(x, (2, 2), (2, 2), ZERO, ONE)
    top = windows == windows.max((2, 3), keepdims=True)
    return {"x": fold(top * g[:, :, None, None], x.shape[2:], (2, 2), ZERO, ONE)}


def last_winner(right, g, x, **options):
    """Dx of the sequence read backwards: of the tied the last."""
    size = x.shape[2] // 2 * 2
    dx = np.zeros_like(x)
    dx[:, :, :size] = right.vjp(g[:, :, ::-1], x=x[:, :, :size][:, :, ::-1], **options)["x"][
        :, :, ::-1
    ]
    return {"x": dx}


def not_accumulated(right, g, x, kernel, stride, padding):
    """Overlapping windows overwrite each other."""
    dx = np.zeros((*x.shape[:2], x.shape[2] + 2 * padding))
    for k in range(kernel):
        stop = k + stride * g.shape[2]
        dx[:, :, k:stop:stride] = g[:, :, : dx[:, :, k:stop:stride].shape[2]] / kernel
    return {"x": dx[:, :, padding : padding + x.shape[2]]}


def summed_windows(right, g, kernel, **inputs):
    return {"x": right.vjp(g, kernel=kernel, **inputs)["x"] * np.prod(kernel)}


def first_window_only(right, g, x, **options):
    """Of the windows that overlap, odd ones forget theirs."""
    kept = g.copy()
    kept[:, :, 1::2] = 0
    return {"x": right.vjp(kept, x=x, **options)["x"]}


FAULTS = [
    plant("conv2d: kernel flipped in dx", "conv2d", "x", kernel_flipped),
    plant("conv2d: padding off by one", "conv2d-strided", "x", padding_off_by_one, "rolled"),
    plant("conv2d: first group's kernels for all", "conv2d-groups", "x", other_group),
    plant("conv2d: bias averaged over positions", "conv2d", "b", positions_averaged),
    plant("conv_transpose2d: kernel flipped in dx", "conv_transpose2d", "x", kernel_flipped),
    plant("conv_transpose1d: dW flipped", "conv_transpose1d-strided", "W", taps_flipped, "flipped"),
    pool("max_pool2d: all of the tied", "max_pool2d", "x", every_winner, "kink"),
    pool(
        "max_pool1d: last of the tied",
        "max_pool1d",
        "x",
        last_winner,
        "convention",
        keep_twin=True,
    ),
    pool("max_pool1d: every other window", "max_pool1d-overlapping", "x", first_window_only),
    pool("avg_pool2d: sum for mean", "avg_pool2d", "x", summed_windows, "scaled", "6"),
    pool(
        "avg_pool1d: overlapping windows overwritten",
        "avg_pool1d-overlapping",
        "x",
        not_accumulated,
        "several outputs",
    ),
]
