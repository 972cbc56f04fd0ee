"""Two-dimensional transposed convolution: the adjoint of conv2d, as a layer of its own.

Formula
    y[n, o, s p + d i - m, s q + d j - m] += sum_c W[c, o, i, j] x[n, c, p, q],  then + b[o]
    In windows: y = u^T(W^T x) + b,  h = u(g),  dx = W h,  dW = sum_n x h^T,  db = sum g
    s, m, d: stride, padding, dilation; u cuts windows out as conv2d does, u^T adds them back.

Shapes
    x (batch, channels, height, width); W (channels, filters / groups, kh, kw); b (filters);
    y (batch, filters, rows, columns), rows = s (height - 1) - 2 m + d (kh - 1) + 1 + extra.
    stride, padding, dilation, extra: a number, or a pair for the two axes; extra < stride.

Errors
    ValueError: shapes that disagree; a kernel without taps; groups that do not divide channels; an
    output of no size; stride or dilation below 1; padding or extra below 0; extra not below stride.

Source
    Zeiler, Krishnan, Taylor and Fergus (2010); torch.nn.functional.conv_transpose2d, where extra
    is called output_padding.
"""

import numpy as np

from reference.shapes import expect, expect_shape, multiple_of
from reference.windows import by_group, columns, fold, pair, some_taps, unfold


def forward(x, W, b, *, stride=1, padding=0, dilation=1, extra=0, groups=1):
    _check(x, W, b, groups)
    steps = _steps(stride, padding, dilation)
    size = output_size(x, W, *steps, pair("extra", extra, 0))
    u = np.swapaxes(by_group(W, groups), -1, -2) @ columns(x[:, :, None, None], groups)
    windows = u.reshape(len(x), len(b), *W.shape[2:], *x.shape[2:])
    return fold(windows, size, *steps) + b[:, None, None]


def vjp(cotangent, x, W, b, *, stride=1, padding=0, dilation=1, extra=0, groups=1):
    _check(x, W, b, groups)
    steps = _steps(stride, padding, dilation)
    size = output_size(x, W, *steps, pair("extra", extra, 0))
    expect_shape("cotangent", cotangent, (len(x), len(b), *size))
    windows = unfold(cotangent, W.shape[2:], *steps)
    h = columns(windows, groups)
    dx = by_group(W, groups) @ h
    dW = np.sum(columns(x[:, :, None, None], groups) @ np.swapaxes(h, -1, -2), axis=0)
    return {
        "x": dx.reshape(x.shape),
        "W": dW.reshape(W.shape),
        "b": np.sum(cotangent, (0, 2, 3)),
    }


def _check(x, W, b, groups):
    expect(x=(x, "batch channels height width"), W=(W, "channels _ kh kw"), b=(b, "filters"))
    some_taps(W)
    multiple_of("channels", x.shape[1], "groups", groups)
    expect_shape("b", b, (W.shape[1] * groups,), "a bias for W")


def _steps(stride, padding, dilation):
    return pair("stride", stride), pair("padding", padding, 0), pair("dilation", dilation)


def output_size(x, W, stride, padding, dilation, extra):
    """The positions of y along each axis; every option holds one number an axis."""
    size = tuple(
        s * (n - 1) - 2 * m + d * (k - 1) + 1 + e
        for n, k, s, m, d, e in zip(
            x.shape[2:], W.shape[2:], stride, padding, dilation, extra, strict=True
        )
    )
    if min(size) < 1 or min(x.shape[2:]) < 1:
        raise ValueError(f"x has shape {x.shape} and W has shape {W.shape}: y would be {size}")
    if any(e >= s for e, s in zip(extra, stride, strict=True)):
        raise ValueError(f"extra is {extra} and stride is {stride}: extra must be below stride")
    return size
