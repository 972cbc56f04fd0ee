"""One-dimensional max pooling: the largest entry of every window along the last axis.

Formula
    y[n, c, p] = max_i x[n, c, s p + d i - m]
    dx: every g goes to the entry that its window took; windows that overlap add up.
    It is max_pool2d on a height of 1. s, m, d: stride (the kernel's size if not given), padding,
    dilation; x is -inf outside, and so is y where dilation puts a window into the padding alone.

Shapes
    x (batch, channels, length); y (batch, channels, (length + 2 m - d (kernel - 1) - 1) // s + 1)

Kinks
    Ties in a window: all of g to the first of the tied.

Errors
    ValueError: a kernel that does not fit; a padding of more than half the kernel; kernel,
    stride or dilation below 1; cotangent not of y's shape.

Source
    Ranzato et al. (2007); torch.nn.functional.max_pool1d.
"""

from reference.layers import max_pool2d
from reference.shapes import expect, expect_shape, whole
from reference.windows import count, half_at_most


def forward(x, *, kernel, stride=None, padding=0, dilation=1):
    options = _flat(x, kernel, stride, padding, dilation)
    return max_pool2d.forward(x[:, :, None], **options)[:, :, 0]


def vjp(cotangent, x, *, kernel, stride=None, padding=0, dilation=1):
    options = _flat(x, kernel, stride, padding, dilation)
    windows = count(x.shape[2], *(along for _, along in options.values()))
    expect_shape("cotangent", cotangent, (*x.shape[:2], windows))
    return {"x": max_pool2d.vjp(cotangent[:, :, None], x[:, :, None], **options)["x"][:, :, 0]}


def _flat(x, kernel, stride, padding, dilation):
    expect(x=(x, "batch channels length"))
    kernel, padding = whole("kernel", kernel, 1), whole("padding", padding, 0)
    half_at_most(padding, kernel)
    return {
        "kernel": (1, kernel),
        "stride": (1, kernel if stride is None else whole("stride", stride, 1)),
        "padding": (0, padding),
        "dilation": (1, whole("dilation", dilation, 1)),
    }
