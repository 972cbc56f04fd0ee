"""Two-dimensional max pooling: the largest entry of every window.

Formula
    y[n, c, p, q] = max_{i, j} x[n, c, s p + d i - m, s q + d j - m]
    dx: every g goes to the entry that its window took; windows that overlap add up.
    s, m, d: stride (the kernel's size if not given), padding, dilation; x is -inf outside,
    and so is y where dilation puts a window into the padding alone.

Shapes
    x (batch, channels, height, width); y (batch, channels, rows, columns),
    rows = (height + 2 m - d (kh - 1) - 1) // s + 1.
    kernel, stride, padding, dilation: a number, or a pair for the two axes.

Kinks
    Ties in a window: all of g to the first of the tied, in the order of rows.

Errors
    ValueError: a kernel that does not fit; a padding of more than half the kernel; kernel,
    stride or dilation below 1; cotangent not of y's shape.

Source
    Ranzato et al. (2007); torch.nn.functional.max_pool2d.
"""

import numpy as np

from reference.shapes import expect, expect_shape, floating
from reference.windows import fold, half_at_most, pair, unfold


def forward(x, *, kernel, stride=None, padding=0, dilation=1):
    return np.max(_windows(x, kernel, stride, padding, dilation)[0], axis=(2, 3))


def vjp(cotangent, x, *, kernel, stride=None, padding=0, dilation=1):
    windows, steps = _windows(x, kernel, stride, padding, dilation)
    n, c, kh, kw, rows, columns = windows.shape
    expect_shape("cotangent", cotangent, (n, c, rows, columns))
    first = np.argmax(windows.reshape(n, c, kh * kw, rows, columns), axis=2)
    taken = np.arange(kh * kw)[:, None, None] == first[:, :, None]
    dwindows = (taken * cotangent[:, :, None]).reshape(windows.shape)
    return {"x": fold(dwindows, x.shape[2:], *steps)}


def _windows(x, kernel, stride, padding, dilation):
    expect(x=(x, "batch channels height width"))
    kernel = pair("kernel", kernel)
    stride = kernel if stride is None else pair("stride", stride)
    steps = stride, pair("padding", padding, 0), pair("dilation", dilation)
    half_at_most(padding, kernel)
    return unfold(floating(x), kernel, *steps, fill=-np.inf), steps
