"""The Lift network: from an input to the weights of a Task network.

Formula
    w = relu(x A + a) B + c
    the gradients are those of two dense layers

Shapes
    x (batch, features), A (features, hidden), a (hidden,), B (hidden, weights), c (weights,);
    w (batch, weights)

Kinks
    relu takes 0 at zero

Errors
    ValueError: shapes disagree.

Source
    (000) class lifter, 3-10-26 (the helper lift() lacks the relu and is not used)
"""

from reference.layers import dense, linear, relu
from reference.shapes import expect

_RELU = (relu.forward, relu.vjp)


def forward(x, A, a, B, c):
    _check(x, A, a, B, c)
    return linear.forward(dense.forward(x, A, a, activation=_RELU), B, c)


def vjp(cotangent, x, A, a, B, c):
    """Back through both layers."""
    _check(x, A, a, B, c, cotangent=(cotangent, "batch weights"))
    last = linear.vjp(cotangent, dense.forward(x, A, a, activation=_RELU), B, c)
    first = dense.vjp(last["x"], x, A, a, activation=_RELU)
    return {"x": first["x"], "A": first["W"], "a": first["b"], "B": last["W"], "c": last["b"]}


def _check(x, A, a, B, c, **more):
    expect(
        x=(x, "batch features"),
        A=(A, "features hidden"),
        a=(a, "hidden"),
        B=(B, "hidden weights"),
        c=(c, "weights"),
        **more,
    )
