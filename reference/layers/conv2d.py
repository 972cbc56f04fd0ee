"""Two-dimensional convolution (cross-correlation) with stride, padding, dilation and groups.

Formula
    y[n, o, p, q] = b[o] + sum_{c, i, j} W[o, c, i, j] x[n, c, s p + d i - m, s q + d j - m]
    In windows: y = W u(x) + b,  du = W^T g,  dx = u^T(du),  dW = sum_n g u(x)^T,  db = sum g
    s, m, d: stride, padding, dilation; x is 0 outside; c runs over the group of channel o.

Shapes
    x (batch, channels, height, width); W (filters, channels / groups, kh, kw); b (filters);
    y (batch, filters, rows, columns), rows = (height + 2 m - d (kh - 1) - 1) // s + 1.
    stride, padding, dilation: a number, or a pair for the two axes.

Errors
    ValueError: shapes that disagree; a kernel without taps; groups that do not divide channels and
    filters; a kernel that does not fit; stride or dilation below 1; padding below 0.

Source
    LeCun et al. (1989); torch.nn.functional.conv2d.
"""

import numpy as np

from reference.shapes import expect, expect_shape, multiple_of
from reference.windows import by_group, columns, fold, pair, some_taps, unfold


def forward(x, W, b, *, stride=1, padding=0, dilation=1, groups=1):
    _check(x, W, b, groups)
    windows = unfold(x, W.shape[2:], *_steps(stride, padding, dilation))
    y = by_group(W, groups) @ columns(windows, groups)
    return y.reshape(len(x), len(W), *windows.shape[4:]) + b[:, None, None]


def vjp(cotangent, x, W, b, *, stride=1, padding=0, dilation=1, groups=1):
    _check(x, W, b, groups)
    steps = _steps(stride, padding, dilation)
    windows = unfold(x, W.shape[2:], *steps)
    u = columns(windows, groups)
    expect_shape("cotangent", cotangent, (len(x), len(W), *windows.shape[4:]))
    g = cotangent.reshape(len(x), groups, len(W) // groups, u.shape[-1])
    du = np.swapaxes(by_group(W, groups), -1, -2) @ g
    dW = np.sum(g @ np.swapaxes(u, -1, -2), axis=0)
    return {
        "x": fold(du.reshape(windows.shape), x.shape[2:], *steps),
        "W": dW.reshape(W.shape),
        "b": np.sum(cotangent, (0, 2, 3)),
    }


def _check(x, W, b, groups):
    expect(x=(x, "batch channels height width"), W=(W, "filters _ kh kw"), b=(b, "filters"))
    some_taps(W)
    multiple_of("channels", x.shape[1], "groups", groups)
    multiple_of("filters", W.shape[0], "groups", groups)
    expect_shape("W", W, (len(W), x.shape[1] // groups, *W.shape[2:]), "a kernel for x")


def _steps(stride, padding, dilation):
    return pair("stride", stride), pair("padding", padding, 0), pair("dilation", dilation)
