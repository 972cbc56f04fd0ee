"""One-dimensional convolution (a cross-correlation), channels last.

Formula
    y[n, t] = sum over k of x[n, stride t + dilation k - left] K[k] + b
    dx[n, stride t + dilation k - left] += g[n, t] K[k]^T, summed over t and k
    dK[k] = sum over n, t of x[n, stride t + dilation k - left]^T g[n, t]
    db = sum over n, t of g[n, t]

Shapes
    x (batch, length, channels), K (width, channels, filters), b (filters,);
    y (batch, steps, filters), with span = dilation (width - 1) + 1 and
    "valid": left = 0, steps = floor((length - span) / stride) + 1
    "same": steps = ceil(length / stride), zeros around x, the odd one at the end

Errors
    ValueError: shapes disagree; no tap in K; x shorter than the span ("valid"); stride or
    dilation below 1; unknown padding.

Source
    (002) Conv1D(5, 3, activation="relu"); padding "same" as in Keras
"""

import numpy as np

from reference.rows import over_rows
from reference.shapes import expect, expect_shape, one_of, whole


def forward(x, K, b, *, stride=1, dilation=1, padding="valid"):
    """y[n, t] = sum over k of x[n, stride t + dilation k - left] K[k] + b."""
    expect(x=(x, "batch length channels"), K=(K, "width channels filters"), b=(b, "filters"))
    left, right, taps = _plan(x, K, stride, dilation, padding)
    padded = _padded(x, left, right)
    return sum(padded[:, tap] @ K[k] for k, tap in enumerate(taps)) + b


def vjp(cotangent, x, K, b, *, stride=1, dilation=1, padding="valid"):
    """Each tap of the kernel sends the cotangent back to where it read."""
    expect(x=(x, "batch length channels"), K=(K, "width channels filters"), b=(b, "filters"))
    left, right, taps = _plan(x, K, stride, dilation, padding)
    padded = _padded(x, left, right)
    expect_shape("cotangent", cotangent, (len(x), padded[:, taps[0]].shape[1], len(b)))
    dtype = np.result_type(cotangent, x, K)
    dpadded, dK = np.zeros(padded.shape, dtype), np.empty(K.shape, dtype)
    for k, tap in enumerate(taps):
        dpadded[:, tap] += cotangent @ K[k].T
        dK[k] = over_rows(padded[:, tap], cotangent)
    dx = dpadded[:, left : left + x.shape[1]].copy()
    return {"x": dx, "K": dK, "b": cotangent.sum((0, 1))}


def _padded(x, left, right):
    return np.pad(x, ((0, 0), (left, right), (0, 0))) if left or right else x


def _plan(x, K, stride, dilation, padding):
    """Zeros to the left and right, and for each tap the slice of padded x that it reads."""
    stride, dilation = whole("stride", stride, 1), whole("dilation", dilation, 1)
    one_of("padding", padding, ("valid", "same"))
    length, width = x.shape[1], len(K)
    span = dilation * (width - 1) + 1
    if width == 0:
        raise ValueError(f"K has shape {K.shape}: a kernel has at least one tap")
    if padding == "same":
        steps = -(-length // stride)
        zeros = max((steps - 1) * stride + span - length, 0)
    elif length < span:
        raise ValueError(f"x has shape {x.shape}: shorter than the {span} steps a kernel spans")
    else:
        steps, zeros = (length - span) // stride + 1, 0
    starts = range(0, span, dilation)
    return zeros // 2, zeros - zeros // 2, [slice(s, s + stride * steps, stride) for s in starts]
