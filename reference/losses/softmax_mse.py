"""Mean squared error of a softmax over the last axis, from its logits.

Formula
    s = softmax(z), L = mean over all elements of (s - t)^2
    u = 2 (s - t) / size
    dz = s (u - <u, s>), dt = -u; both times the scalar cotangent

Shapes
    logits, target (..., classes), the same; L ()

Errors
    ValueError: shapes differ; the mean of no element.

Source
    (002) Dense(2, activation="softmax") compiled with loss="mse"
"""

from reference.layers import softmax
from reference.losses import mse
from reference.shapes import expect, some_elements


def forward(logits, target):
    """L = mean of (softmax(z) - t)^2."""
    _check(logits, target)
    return mse.forward(softmax.forward(logits), target)


def vjp(cotangent, logits, target):
    _check(logits, target)
    outer = mse.vjp(cotangent, softmax.forward(logits), target)
    inner = softmax.vjp(outer["prediction"], logits)
    return {"logits": inner["x"], "target": outer["target"]}


def _check(logits, target):
    expect(logits=(logits, "... classes"), target=(target, "... classes"))
    some_elements("logits", logits)
