"""One-dimensional transposed convolution: the adjoint of a convolution over one axis.

Formula
    y[n, o, s p + d i - m] += sum_c W[c, o, i] x[n, c, p],  then + b[o]
    It is conv_transpose2d on a height of 1, and so is its VJP.
    s, m, d: stride, padding, dilation.

Shapes
    x (batch, channels, length); W (channels, filters / groups, taps); b (filters);
    y (batch, filters, s (length - 1) - 2 m + d (taps - 1) + 1 + extra); extra < stride.

Errors
    ValueError: shapes that disagree; groups that do not divide channels; an output of no size;
    stride or dilation below 1; padding or extra below 0; extra not below stride.

Source
    Zeiler, Krishnan, Taylor and Fergus (2010); torch.nn.functional.conv_transpose1d, where extra
    is called output_padding.
"""

from reference.layers import conv_transpose2d
from reference.shapes import expect, expect_shape, whole


def forward(x, W, b, *, stride=1, padding=0, dilation=1, extra=0, groups=1):
    options = _flat(x, W, b, stride, padding, dilation, extra)
    y = conv_transpose2d.forward(x[:, :, None], W[:, :, None], b, groups=groups, **options)
    return y[:, :, 0]


def vjp(cotangent, x, W, b, *, stride=1, padding=0, dilation=1, extra=0, groups=1):
    options = _flat(x, W, b, stride, padding, dilation, extra)
    size = conv_transpose2d.output_size(x, W, *((along,) for _, along in options.values()))
    expect_shape("cotangent", cotangent, (len(x), len(b), *size))
    g = conv_transpose2d.vjp(
        cotangent[:, :, None], x[:, :, None], W[:, :, None], b, groups=groups, **options
    )
    return {"x": g["x"][:, :, 0], "W": g["W"][:, :, 0], "b": g["b"]}


def _flat(x, W, b, stride, padding, dilation, extra):
    expect(x=(x, "batch channels length"), W=(W, "channels _ taps"), b=(b, "filters"))
    options = {
        "stride": (1, whole("stride", stride, 1)),
        "padding": (0, whole("padding", padding, 0)),
        "dilation": (1, whole("dilation", dilation, 1)),
        "extra": (0, whole("extra", extra, 0)),
    }
    conv_transpose2d.output_size(x, W, *((along,) for _, along in options.values()))
    return options
