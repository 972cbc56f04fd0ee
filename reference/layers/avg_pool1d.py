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
from reference.shapes import expect


def forward(x, *, kernel, stride=None, padding=0):
    return avg_pool2d.forward(x[:, :, None], **_flat(x, kernel, stride, padding))[:, :, 0]


def vjp(cotangent, x, *, kernel, stride=None, padding=0):
    options = _flat(x, kernel, stride, padding)
    expect(x=(x, "batch channels length"), cotangent=(cotangent, "batch channels windows"))
    return {"x": avg_pool2d.vjp(cotangent[:, :, None], x[:, :, None], **options)["x"][:, :, 0]}


def _flat(x, kernel, stride, padding):
    expect(x=(x, "batch channels length"))
    stride = kernel if stride is None else stride
    return {"kernel": (1, kernel), "stride": (1, stride), "padding": (0, padding)}
