"""Functions that return a value and its pullback."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import check


def sine(x, slope=np.cos):
    return np.sin(x), lambda grad: grad * slope(x)


def wrong_sine(x):
    return sine(x, slope=np.sin)


def product(x, w):
    return x @ w, lambda grad: (grad @ w.T, x.T @ grad)


def wrong_product(x, w):
    return x @ w, lambda grad: (grad @ w.T, 2 * x.T @ grad)


def pair(x):
    return (np.sin(x), x**2), lambda du, dv: {"x": du * np.cos(x) + 2 * dv * x}


def test_a_pullback_is_called_with_the_cotangent(at_a_point, blames):
    assert at_a_point(sine).passed
    blames(wrong_sine, "x")


def test_gradients_in_the_order_of_the_arguments(at_a_point, blames):
    inputs = {"x": "n k", "w": "k m"}
    assert at_a_point(product, inputs).passed
    blames(wrong_product, "w", inputs)


def test_two_outputs_and_gradients_by_name(at_a_point):
    assert at_a_point(pair, {"x": "n"}).passed


def test_a_pullback_that_waits_keeps_its_own_point():
    kept = {}

    def shared(x):
        kept["x"] = x
        return np.sin(x), lambda grad: grad * np.cos(kept["x"])

    report = check(shared, {"x": "n"}, examples=8, seed=1)
    assert "stale cache" in {finding.fault for finding in report.findings}


def test_vjp_of_jax(at_a_point):
    jax = pytest.importorskip("jax")

    def tanh(x):
        return jax.vjp(jax.numpy.tanh, x)

    report = at_a_point(tanh, {"x": "n"})
    assert report.passed, str(report)
