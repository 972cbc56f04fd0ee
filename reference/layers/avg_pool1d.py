"""One-dimensional average pooling: the mean of every window along the last axis.

Formula
    y[n, c, p] = (1 / kernel) sum_i x[n, c, s p + i - m]
    dx: every g is shared evenly among its window; windows that overlap add up.
    It is avg_pool2d on a height of 1. s, m: stride (the kernel's size if not given), padding,
    which counts as zeros.

Shapes
    x (batch, channels, length); y (batch, channels, (length + 2 m - kernel) // s + 1)

Errors
    ValueError: a kernel that does not fit; a padding of more than half the kernel; kernel or
    stride below 1; cotangent not of y's shape.

Source
    LeCun et al. (1989); torch.nn.functional.avg_pool1d.
"""

from reference.layers import avg_pool2d
from reference.shapes import expect, expect_shape, whole
from reference.windows import count, half_at_most


def forward(x, *, kernel, stride=None, padding=0):
    options = _flat(x, kernel, stride, padding)
    return avg_pool2d.forward(x[:, :, None], **options)[:, :, 0]


def vjp(cotangent, x, *, kernel, stride=None, padding=0):
    options = _flat(x, kernel, stride, padding)
    windows = count(x.shape[2], *(along for _, along in options.values()), 1)
    expect_shape("cotangent", cotangent, (*x.shape[:2], windows))
    return {"x": avg_pool2d.vjp(cotangent[:, :, None], x[:, :, None], **options)["x"][:, :, 0]}


def _flat(x, kernel, stride, padding):
    expect(x=(x, "batch channels length"))
    kernel, padding = whole("kernel", kernel, 1), whole("padding", padding, 0)
    half_at_most(padding, kernel)
    stride = kernel if stride is None else whole("stride", stride, 1)
    return {"kernel": (1, kernel), "stride": (1, stride), "padding": (0, padding)}
