"""Activations, guards, thresholds, stochastic and quantised layers."""

import numpy as np
from scipy.special import erf, expit

from gradcheck import array, mask
from tests.faults.frameworks.planted import plant


def gelu(x):
    return x * (1 + erf(x / np.sqrt(2))) / 2


def gelu_slope(x):
    return (1 + erf(x / np.sqrt(2))) / 2 + x * np.exp(-x * x / 2) / np.sqrt(2 * np.pi)


def gelu_tanh_slope(x):
    k = np.sqrt(2 / np.pi)
    t = np.tanh(k * (x + 0.044715 * x**3))
    return (1 + t) / 2 + x * (1 - t * t) * k * (1 + 3 * 0.044715 * x * x) / 2


def dropout(x, keep):
    return x * keep / 0.8


def swiglu(x, W, V):
    return (x @ W) * expit(x @ W) * (x @ V)


def swiglu_backward(u, x, W, V, gate=True):
    a, b = x @ W, x @ V
    s = expit(a)
    da, db = u * b * (s + a * s * (1 - s) * gate), u * a * s
    return {"x": da @ W.T + db @ V.T, "W": x.T @ da, "V": x.T @ db}


def tied(x, E):
    """The same table embeds and reads out."""
    return np.tanh(x @ E) @ E.T


def tied_backward(u, x, E):
    h = np.tanh(x @ E)
    dz = (u @ E) * (1 - h * h)
    return {"x": dz @ E.T, "E": x.T @ dz + u.T @ h}


def parametric(x, a):
    return np.where(x > 0, x, a * x)


def snake(x, a):
    return x + np.sin(a * x) ** 2 / a


def temperature(x, t):
    e = np.exp(x / t)
    return e / e.sum(-1, keepdims=True)


def temperature_backward(u, x, t):
    p = temperature(x, t)
    d = p * (u - (u * p).sum(-1, keepdims=True))
    return {"x": d / t, "t": -np.sum(d * x) / t**2}


def residual(x, W):
    return x + np.tanh(x @ W)


FAULTS = [
    plant("gelu: tanh form in backward", gelu, lambda u, x: {"x": u * gelu_slope(x)},
          lambda u, x: {"x": u * gelu_tanh_slope(x)}, {"x": "n"}, "x", "gelu in its tanh form"),
    plant("softplus: threshold in backward", lambda x: np.logaddexp(0, x),
          lambda u, x: {"x": u * expit(x)}, lambda u, x: {"x": u * np.where(x > 3, 1, expit(x))},
          {"x": "n"}, "x", "beyond a bound"),
    plant("clip: bound too small in backward", lambda x: np.clip(x, -2, 2),
          lambda u, x: {"x": u * (np.abs(x) <= 2)}, lambda u, x: {"x": u * (np.abs(x) <= 1)},
          {"x": "n"}, "x", "1", "2"),
    plant("dropout: not divided by 1 - p", dropout, lambda u, x, keep: {"x": u * keep / 0.8},
          lambda u, x, keep: {"x": u * keep}, {"x": "n", "keep": mask("n")}, "x", "scaled by 4/5"),
    plant("dropout: mask forgotten", dropout, lambda u, x, keep: {"x": u * keep / 0.8},
          lambda u, x, keep: {"x": u / 0.8}, {"x": "n", "keep": mask("n")}, "x", "mask leak"),
    plant("straight through: tanh passed through", np.tanh,
          lambda u, x: {"x": u * (1 - np.tanh(x) ** 2)}, lambda u, x: {"x": 1.0 * u}, {"x": "n"},
          "x", "leaves out the derivative of tanh"),
    plant("swiglu: gate's own term left out", swiglu, swiglu_backward,
          lambda u, x, W, V: swiglu_backward(u, x, W, V, gate=False) | {
              "V": swiglu_backward(u, x, W, V)["V"]},
          {"x": "b n", "W": "n m", "V": "n m"}, "W", "that of silu",
          dims={"b": (1, 3), "n": (1, 3), "m": (1, 4)}),
    plant("tied weights: the read-out detached", tied, tied_backward,
          lambda u, x, E: {"E": x.T @ ((u @ E) * (1 - np.tanh(x @ E) ** 2))},
          {"x": "b v", "E": "v d"}, "E",
          dims={"b": (1, 3), "v": (1, 4), "d": (1, 4)}),
    plant("prelu: slope's gradient from every entry", parametric,
          lambda u, x, a: {"x": u * np.where(x > 0, 1, a), "a": (u * x * (x <= 0)).sum(0)},
          lambda u, x, a: {"a": (u * x).sum(0)}, {"x": "b n", "a": "n"}, "a",
          "where `x` is positive",
          dims={"b": (1, 5), "n": (1, 4)}),
    plant("prelu: slope's gradient not summed", parametric,
          lambda u, x, a: {"x": u * np.where(x > 0, 1, a), "a": (u * x * (x <= 0)).sum(0)},
          lambda u, x, a: {"a": (u * x * (x <= 0))[-1] if len(x) else 0 * a},
          {"x": "b n", "a": "n"}, "a", "sum", dims={"b": (1, 5), "n": (1, 4)}),
    plant("snake: factor a forgotten", snake,
          lambda u, x, a: {"x": u * (1 + np.sin(2 * a * x)),
                           "a": np.sum(u * (x * np.sin(2 * a * x) / a
                                            - np.sin(a * x) ** 2 / a**2))},
          lambda u, x, a: {"x": u * (1 + np.sin(2 * x))},
          {"x": "n", "a": array("", low=0.5, high=2)}, "x", "`a`"),
    plant("temperature: not divided", temperature, temperature_backward,
          lambda u, x, t: {"x": temperature_backward(u, x, t)["x"] * t},
          {"x": "b n", "t": array("", low=0.5, high=2)}, "x", "scaled by `t`",
          dims={"b": (1, 3), "n": (1, 5)}),
    plant("residual: skip forgotten", residual,
          lambda u, x, W: {"x": u + (u * (1 - np.tanh(x @ W) ** 2)) @ W.T,
                           "W": x.T @ (u * (1 - np.tanh(x @ W) ** 2))},
          lambda u, x, W: {"x": (u * (1 - np.tanh(x @ W) ** 2)) @ W.T},
          {"x": "b n", "W": "n n"}, "x", "skip connection", dims={"b": (1, 3), "n": (1, 4)}),
]  # fmt: skip
