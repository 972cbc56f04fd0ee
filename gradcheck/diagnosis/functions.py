"""Activations people use, with their derivatives, to know one by its numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.special import erf, expit, log_expit

Map = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Function:
    """f and its derivative f'; `inverse` where f has one that is easy to write."""

    name: str
    f: Map
    slope: Map
    inverse: Map | None = None


def _normal(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.exp(-x * x / 2) / np.sqrt(2 * np.pi))


def _leaky(a: float) -> Function:
    return Function(
        f"leaky relu of slope {a:g}",
        lambda x: np.where(x > 0, x, a * x),
        lambda x: np.where(x > 0, 1.0, a),
        lambda y: np.where(y > 0, y, y / a),
    )


def _elu(name: str, alpha: float, scale: float) -> Function:
    return Function(
        name,
        lambda x: scale * np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0))),
        lambda x: scale * np.where(x > 0, 1.0, alpha * np.exp(np.minimum(x, 0))),
    )


def _gelu_tanh(x: np.ndarray) -> np.ndarray:
    return np.asarray(0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))))


def _gelu_tanh_slope(x: np.ndarray) -> np.ndarray:
    t = np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))
    inner = np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * x**2)
    return np.asarray(0.5 * (1 + t) + 0.5 * x * (1 - t * t) * inner)


def _mish_slope(x: np.ndarray) -> np.ndarray:
    t = np.tanh(-log_expit(-x))
    return np.asarray(t + x * (1 - t * t) * expit(x))


def _inside(low: float, high: float) -> Map:
    return lambda x: ((x > low) & (x < high)).astype(float)


@cache
def known() -> tuple[Function, ...]:
    ones = np.ones_like
    return (
        Function("the identity", lambda x: x, ones, lambda y: y),
        Function("tanh", np.tanh, lambda x: 1 - np.tanh(x) ** 2, np.arctanh),
        Function("sigmoid", expit, lambda x: expit(x) * expit(-x), lambda y: np.log(y / (1 - y))),
        Function("relu", lambda x: np.maximum(x, 0), lambda x: (x > 0).astype(float)),
        _leaky(0.01),
        _leaky(0.1),
        _leaky(0.2),
        Function("softplus", lambda x: -log_expit(-x), expit, lambda y: np.log(np.expm1(y))),
        Function("log sigmoid", log_expit, lambda x: expit(-x)),
        _elu("elu", 1.0, 1.0),
        _elu("selu", 1.6732632423543772, 1.0507009873554805),
        Function(
            "gelu",
            lambda x: x * (1 + erf(x / np.sqrt(2))) / 2,
            lambda x: (1 + erf(x / np.sqrt(2))) / 2 + x * _normal(x),
        ),
        Function("gelu in its tanh form", _gelu_tanh, _gelu_tanh_slope),
        Function("silu", lambda x: x * expit(x), lambda x: expit(x) * (1 + x * expit(-x))),
        Function("mish", lambda x: x * np.tanh(-log_expit(-x)), _mish_slope),
        Function(
            "softsign",
            lambda x: x / (1 + np.abs(x)),
            lambda x: 1 / (1 + np.abs(x)) ** 2,
            lambda y: y / (1 - np.abs(y)),
        ),
        Function("exp", np.exp, np.exp, np.log),
        Function("expm1", np.expm1, np.exp, np.log1p),
        Function("log", np.log, lambda x: 1 / x, np.exp),
        Function("log1p", np.log1p, lambda x: 1 / (1 + x), np.expm1),
        Function("sqrt", np.sqrt, lambda x: 0.5 / np.sqrt(x), np.square),
        Function("sin", np.sin, np.cos),
        Function("cos", np.cos, lambda x: -np.sin(x)),
        Function("the square", np.square, lambda x: 2 * x),
        Function("half the square", lambda x: x * x / 2, lambda x: x),
        Function("the cube", lambda x: x**3, lambda x: 3 * x**2),
        Function("the reciprocal", lambda x: 1 / x, lambda x: -1 / x**2, lambda y: 1 / y),
        Function("abs", np.abs, np.sign),
        Function("arctan", np.arctan, lambda x: 1 / (1 + x * x), np.tan),
        Function("erf", erf, lambda x: 2 / np.sqrt(np.pi) * np.exp(-x * x)),
        Function(
            "huber",
            lambda x: np.where(np.abs(x) < 1, x * x / 2, np.abs(x) - 0.5),
            lambda x: np.clip(x, -1, 1),
        ),
        Function("hardtanh", lambda x: np.clip(x, -1, 1), _inside(-1, 1)),
        Function("relu6", lambda x: np.clip(x, 0, 6), _inside(0, 6)),
        Function(
            "hardsigmoid", lambda x: np.clip(x / 6 + 0.5, 0, 1), lambda x: _inside(-3, 3)(x) / 6
        ),
        Function(
            "hardswish",
            lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
            lambda x: np.where(x >= 3, 1.0, np.where(x <= -3, 0.0, x / 3 + 0.5)),
        ),
    )
