"""Two-dimensional average pooling: the mean of every window, its padding counted as zeros.

Formula
    y[n, c, p, q] = (1 / k) sum_{i, j} x[n, c, s p + i - m, s q + j - m],  k = kh kw
    dx: every g is shared evenly among its window; windows that overlap add up.
    s, m: stride (the kernel's size if not given), padding.

Shapes
    x (batch, channels, height, width); y (batch, channels, rows, columns),
    rows = (height + 2 m - kh) // s + 1.
    kernel, stride, padding: a number, or a pair for the two axes.

Errors
    ValueError: a kernel that does not fit; a padding of more than half the kernel; kernel or
    stride below 1; cotangent not of y's shape.

Source
    LeCun et al. (1989); torch.nn.functional.avg_pool2d.
"""

import numpy as np

from reference.shapes import expect, expect_shape
from reference.windows import count, fold, half_at_most, pair, unfold


def forward(x, *, kernel, stride=None, padding=0):
    return np.mean(unfold(x, *_steps(x, kernel, stride, padding)), axis=(2, 3))


def vjp(cotangent, x, *, kernel, stride=None, padding=0):
    kernel, *steps = _steps(x, kernel, stride, padding)
    positions = map(count, x.shape[2:], kernel, *steps)
    shape = *x.shape[:2], *kernel, *positions
    expect_shape("cotangent", cotangent, (*shape[:2], *shape[4:]))
    share = (cotangent / (kernel[0] * kernel[1]))[:, :, None, None]
    return {"x": fold(np.broadcast_to(share, shape), x.shape[2:], *steps)}


def _steps(x, kernel, stride, padding):
    expect(x=(x, "batch channels height width"))
    kernel, padding = pair("kernel", kernel), pair("padding", padding, 0)
    half_at_most(padding, kernel)
    return kernel, kernel if stride is None else pair("stride", stride), padding, (1, 1)
