"""Convolution, pooling, windows, padding, resampling."""

import numpy as np

from gradcheck import array
from tests.faults.frameworks.planted import plant


def windows(x, size, stride=1, dilation=1):
    count = max((len(x) - dilation * (size - 1) - 1) // stride + 1, 0)
    return np.arange(count)[:, None] * stride + dilation * np.arange(size)


def conv(x, w, stride=1, dilation=1):
    return x[windows(x, len(w), stride, dilation)] @ w


def conv_backward(u, x, w, stride=1, dilation=1):
    at = windows(x, len(w), stride, dilation)
    dx = np.zeros_like(x)
    np.add.at(dx, at, u[:, None] * w)
    return {"x": dx, "w": u @ x[at]}


def dilated(x, w):
    return conv(x, w, dilation=2)


def dilated_backward(u, x, w):
    return conv_backward(u, x, w, dilation=2)


def dilation_ignored(u, x, w):
    at = windows(x, len(w))[: len(u)]
    dx = np.zeros_like(x)
    np.add.at(dx, at, u[:, None] * w)
    return {"x": dx}


def dilation_ignored_in_w(u, x, w):
    return {"w": u @ x[windows(x, len(w))[: len(u)]]}


def strided(x, w):
    return conv(x, w, stride=2)


def stride_ignored(u, x, w):
    dx = np.zeros_like(x)
    np.add.at(dx, windows(x, len(w))[: len(u)], u[:, None] * w)
    return {"x": dx}


def strided_backward(u, x, w):
    return conv_backward(u, x, w, stride=2)


def overlap_assigned(u, x, w):
    dx = np.zeros_like(x)
    for k, at in enumerate(windows(x, len(w))):
        dx[at] = u[k] * w
    return {"x": dx}


def kernel_not_turned(u, x, w):
    return {"x": np.convolve(u, w[::-1])} if len(u) else {}


CONV = {"x": "n", "w": "k"}
CONV_SIZES = {"n": (4, 12), "k": (2, 3)}


def padded(x):
    return np.sin(np.pad(x, 1))


def average(x):
    """Means over pairs; the entry that is left over is dropped."""
    return x[: len(x) // 2 * 2].reshape(-1, 2).mean(1)


def average_backward(u, x):
    return {"x": np.concatenate([np.repeat(u, 2) / 2, np.zeros(len(x) % 2)])}


def resized(x, corners=True):
    """Linear interpolation to twice the length."""
    weights = resampling(len(x), corners)
    return weights @ x


def resampling(n, corners):
    m = 2 * n
    if corners:
        place = np.arange(m) * (n - 1) / (m - 1)
    else:
        place = np.clip((np.arange(m) + 0.5) / 2 - 0.5, 0, n - 1)
    low = np.minimum(place.astype(int), max(n - 2, 0))
    W = np.zeros((m, n))
    W[np.arange(m), low] = 1 - (place - low)
    W[np.arange(m), np.minimum(low + 1, n - 1)] += place - low
    return W


def maxima(x):
    return x[: len(x) // 2 * 2].reshape(-1, 2).max(1)


def maxima_backward(u, x):
    g = np.zeros_like(x)
    g[2 * np.arange(len(u)) + x[: len(x) // 2 * 2].reshape(-1, 2).argmax(1)] = u
    return {"x": g}


def averaged_maxima(u, x):
    return {"x": average_backward(u, x)["x"]}


def depthwise(x, w):
    return x * w[:, None, None]


FAULTS = [
    plant("convolution: dilation ignored in dx", dilated, dilated_backward, dilation_ignored, CONV,
          "x", "dilation", dims={"n": (7, 12), "k": (2, 3)}),
    plant("convolution: dilation ignored in dw", dilated, dilated_backward, dilation_ignored_in_w,
          CONV, "w", "dilation", dims={"n": (7, 12), "k": (2, 3)}),
    plant("convolution: stride ignored in dx", strided, strided_backward, stride_ignored, CONV,
          "x", "stride", dims={"n": (7, 12), "k": (2, 3)}),
    plant("convolution: overlaps assigned", conv, conv_backward, overlap_assigned, CONV, "x",
          "duplicate overwritten", dims=CONV_SIZES),
    plant("convolution: kernel not turned round", conv, conv_backward, kernel_not_turned, CONV,
          "x", "flipped", dims=CONV_SIZES),
    plant("padding: cut one off", padded, lambda u, x: {"x": (u * np.cos(np.pad(x, 1)))[1:-1]},
          lambda u, x: {"x": (u * np.cos(np.pad(x, 1)))[2:]}, {"x": "n"}, "x", "off by one"),
    plant("average pooling: not divided", average, average_backward,
          lambda u, x: {"x": 2 * average_backward(u, x)["x"]}, {"x": array("n")}, "x",
          "scaled by 2", dims={"n": (2, 12)}),
    plant("resizing: corners not aligned in backward", resized,
          lambda u, x: {"x": u @ resampling(len(x), True)},
          lambda u, x: {"x": u @ resampling(len(x), False)}, {"x": "n"}, "x",
          dims={"n": (2, 9)}),
    plant("max pooling: gradient of average pooling", maxima, maxima_backward, averaged_maxima,
          {"x": "n"}, "x", dims={"n": (2, 12)}),
    plant("channels: sum over batch only", lambda x, w: x * w[:, None],
          lambda u, x, w: {"x": u * w[:, None], "w": (u * x).sum((0, 2))},
          lambda u, x, w: {"w": (u * x)[:, :, 0].sum(0)},
          {"x": "batch c width", "w": "c"}, "w", "sum over `width`",
          dims={"batch": (1, 4), "c": (1, 4), "width": (1, 5)}),
]  # fmt: skip
