"""Smooth, well behaved elementwise functions: nobody may raise an alarm here."""

from __future__ import annotations

import numpy as np
from scipy import special

from benchmarks.zoo.entry import normal, pointwise, uniform
from benchmarks.zoo.precise import ctx, either

erf = either(special.erf, ctx.erf)
R = np.sqrt(2 / np.pi)


def sigmoid(x):
    """1 / (1 + exp(-x))."""
    return 1 / (1 + np.exp(-x))


def sigmoid_slope(x):
    """Derivative of the sigmoid, without cancellation at either end."""
    e = np.exp(-np.abs(x))
    return e / (1 + e) ** 2


def softplus(x):
    """log(1 + exp(x))."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def tanh_slope(x):
    """1 / cosh^2."""
    return 1 / np.cosh(x) ** 2


def gelu_tanh(x):
    """The tanh form of GELU."""
    return 0.5 * x * (1 + np.tanh(R * (x + 0.044715 * x**3)))


def gelu_tanh_slope(x):
    """Its derivative."""
    z = R * (x + 0.044715 * x**3)
    return 0.5 * (1 + np.tanh(z)) + 0.5 * x * tanh_slope(z) * R * (1 + 3 * 0.044715 * x**2)


def mish_slope(x):
    """d/dx of x tanh(softplus(x))."""
    s = softplus(x)
    return np.tanh(s) + x * tanh_slope(s) * sigmoid(x)


def gauss_cdf(x):
    """Normal distribution function."""
    return 0.5 * (1 + erf(x / np.sqrt(2)))


def gauss_pdf(x):
    """Normal density."""
    return np.exp(-x * x / 2) / np.sqrt(2 * np.pi)


few = normal(6)
ENTRIES = [
    pointwise("identity", lambda x: x + 0, np.ones_like, normal(7)),
    pointwise("affine", lambda x: 3 * x - 2, lambda x: np.full_like(x, 3), normal(4, 5)),
    pointwise("square", lambda x: x * x, lambda x: 2 * x, few),
    pointwise("cube", lambda x: x**3, lambda x: 3 * x * x, normal(3, 4)),
    pointwise("exp", np.exp, np.exp, few),
    pointwise("log", np.log, lambda x: 1 / x, uniform(0.2, 5, 8)),
    pointwise("sin", np.sin, np.cos, normal(10)),
    pointwise("cos", np.cos, lambda x: -np.sin(x), normal(2, 3, 2)),
    pointwise("tanh", np.tanh, tanh_slope, few),
    pointwise("sigmoid", sigmoid, sigmoid_slope, normal(20)),
    pointwise("softplus", softplus, sigmoid, normal(9), exact=True),
    pointwise(
        "gelu erf", lambda x: x * gauss_cdf(x), lambda x: gauss_cdf(x) + x * gauss_pdf(x), few
    ),
    pointwise("gelu tanh", gelu_tanh, gelu_tanh_slope, few),
    pointwise(
        "silu", lambda x: x * sigmoid(x), lambda x: sigmoid(x) + x * sigmoid_slope(x), normal(16)
    ),
    pointwise("mish", lambda x: x * np.tanh(softplus(x)), mish_slope, few),
    pointwise("sqrt", np.sqrt, lambda x: 0.5 / np.sqrt(x), uniform(0.3, 4, 6)),
    pointwise("reciprocal", lambda x: 1 / x, lambda x: -1 / x**2, uniform(0.5, 3, 6)),
    pointwise("arctan", np.arctan, lambda x: 1 / (1 + x * x), normal(6, scale=2)),
    pointwise("erf", erf, lambda x: 2 / np.sqrt(np.pi) * np.exp(-x * x), few),
    pointwise("power 2.5", lambda x: x**2.5, lambda x: 2.5 * x**1.5, uniform(0.3, 3, 5)),
    pointwise(
        "inverse quadratic", lambda x: 1 / (1 + x * x), lambda x: -2 * x / (1 + x * x) ** 2, few
    ),
    pointwise("gaussian", lambda x: np.exp(-x * x), lambda x: -2 * x * np.exp(-x * x), few),
    pointwise("log cosh", lambda x: softplus(2 * x) - x - np.log(2), np.tanh, few),
    pointwise("zero at zero", lambda x: x * x, lambda x: 2 * x, lambda rng: np.zeros(5)),
    pointwise("one number", np.sin, np.cos, lambda rng: np.array(rng.standard_normal())),
    pointwise("constant", lambda x: 0 * x + 4, lambda x: 0 * x, normal(5)),
]
