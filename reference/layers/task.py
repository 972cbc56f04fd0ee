"""The Task network: two layers whose weights come from outside, one set a sample.

Formula
    w = [W1 | b1 | W2 | b2], each in C order
    z = x W1 + b1, y = relu(z) W2 + b2
    dW2 = relu(z)^T g, db2 = g, dz = relu'(z) (g W2^T)
    dW1 = x^T dz, db1 = dz, dx = dz W1^T

Shapes
    x (batch, features), w (batch, weights), y (batch, outputs), with
    weights = hidden (features + 1 + outputs) + outputs, from which hidden is found

Kinks
    relu takes 0 at zero

Errors
    ValueError: shapes disagree; `weights` fits no number of hidden units.

Source
    (000) task, 3-5-1: 26 weights
"""

import numpy as np

from reference.layers import relu
from reference.shapes import expect, expect_shape, whole


def forward(x, w, *, outputs=1):
    W1, b1, W2, b2 = unflatten(x, w, outputs)
    return _times(relu.forward(_times(x, W1) + b1), W2) + b2


def vjp(cotangent, x, w, *, outputs=1):
    """dx, and dw in the order of w."""
    W1, b1, W2, _ = unflatten(x, w, outputs)
    expect_shape("cotangent", cotangent, (len(x), outputs))
    z = _times(x, W1) + b1
    dz = relu.vjp(_times(cotangent, W2.swapaxes(1, 2)), z)["x"]
    dW1 = x[:, :, None] * dz[:, None, :]
    dW2 = relu.forward(z)[:, :, None] * cotangent[:, None, :]
    return {"x": _times(dz, W1.swapaxes(1, 2)), "w": flatten(dW1, dz, dW2, cotangent)}


def unflatten(x, w, outputs):
    """W1 (batch, features, hidden), b1, W2 (batch, hidden, outputs), b2 of each sample."""
    expect(x=(x, "batch features"), w=(w, "batch weights"))
    batch, features = x.shape
    whole("outputs", outputs, 0)
    hidden, rest = divmod(w.shape[1] - outputs, features + 1 + outputs)
    if rest or hidden < 0:
        raise ValueError(
            f"w has shape {w.shape} and x has shape {x.shape}: weights must be "
            f"hidden ({features} + 1 + {outputs}) + {outputs}"
        )
    sizes = [features * hidden, hidden, hidden * outputs]
    W1, b1, W2, b2 = np.split(w, np.cumsum(sizes), axis=1)
    return W1.reshape(batch, features, hidden), b1, W2.reshape(batch, hidden, outputs), b2


def flatten(W1, b1, W2, b2):
    """The inverse of `unflatten`: w (batch, weights)."""
    rows = [part.reshape(len(part), int(np.prod(part.shape[1:]))) for part in (W1, b1, W2, b2)]
    return np.concatenate(rows, axis=1)


def _times(rows, matrices):
    return (rows[:, None, :] @ matrices)[:, 0, :]
