"""A jvp is linear, of every input, of the outputs' shapes; at a kink it may take its own side."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import Subject, check


def product(jvp):
    return Subject(
        "product",
        lambda a, b: a * b,
        lambda u, a, b: {"a": u * b, "b": u * a},
        {"a": "n", "b": "n"},
        jvp=jvp,
    )


def right(t, a, b):
    return b * t["a"] + a * t["b"]


def in_place(t, a, b):
    t["a"] *= b
    return t["a"] + a * t["b"]


def on_the_input(t, a, b):
    held = right(t, a, b)
    a *= 2
    return held


WRONG = {
    "clipped": (lambda t, a, b: np.clip(right(t, a, b), -1e6, 1e6), "not linear"),
    "only together": (lambda t, a, b: right(t, a, b) * (t["a"].any() and t["b"].any()), "alone"),
    "a tangent in place": (in_place, "changed the tangent of `a`"),
    "an input in place": (on_the_input, "changed the input `a`"),
    "a column": (lambda t, a, b: right(t, a, b)[:, None], "returned shape"),
}


@pytest.mark.parametrize(("jvp", "said"), WRONG.values(), ids=WRONG)
def test_what_is_no_derivative(jvp, said):
    report = check(product(jvp), seed=1)
    assert said in str(report), str(report)


def test_the_derivative_passes():
    assert check(product(right), seed=1).passed


def relu(jvp, forward=lambda x: np.maximum(x, 0)):
    return Subject("relu", forward, lambda u, x: {"x": u * (x > 0)}, {"x": "n"}, jvp=jvp)


def test_at_a_kink_each_may_take_its_side():
    report = check(relu(lambda t, x: t["x"] * (x >= 0)), seed=1)
    assert report.passed
    assert "at a kink jvp and vjp take different sides" in report.remarks
    assert not check(relu(lambda t, x: t["x"] * (x >= 0) * 1.001), seed=1).passed


def test_what_the_last_forward_left_is_no_kink():
    kept = {}

    def forward(x):
        kept[x.shape] = x > 0
        return np.maximum(x, 0)

    assert not check(relu(lambda t, x: t["x"] * kept[x.shape], forward), seed=1).passed


def test_what_cancels_is_off_by_the_rounding_of_its_terms():
    """Of a saturated softmax's derivative little more than rounding is left."""

    def softmax(x):
        e = np.exp(x - x.max(-1, keepdims=True, initial=-np.inf))
        return e / e.sum(-1, keepdims=True)

    def product(v, x):
        p = softmax(x)
        return p * (v - (v * p).sum(-1, keepdims=True))

    def layer(factor):
        return Subject(
            "softmax", softmax, lambda u, x: {"x": product(u, x)}, {"x": "b n"},
            jvp=lambda t, x: factor * product(t["x"], x),
        )  # fmt: skip

    assert check(layer(1.0), seed=5).passed
    assert not check(layer(1 + 1e-8), seed=5).passed
