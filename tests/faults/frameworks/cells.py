"""Recurrent cells and scans: gates, carries, what is detached between steps."""

import numpy as np
from scipy.special import expit

from tests.faults.frameworks.planted import plant


def lstm(x, c, W):
    i, f, g, o = np.split(x @ W, 4, axis=1)
    return expit(o) * np.tanh(expit(f) * c + expit(i) * np.tanh(g))


def lstm_backward(u, x, c, W, order=(0, 1, 2, 3), peep=True):
    i, f, g, o = np.split(x @ W, 4, axis=1)
    i, f, g, o = expit(i), expit(f), np.tanh(g), expit(o)
    t = np.tanh(f * c + i * g)
    dc = u * o * (1 - t * t)
    gates = [dc * g * i * (1 - i), dc * c * f * (1 - f), dc * i * (1 - g * g), u * t * o * (1 - o)]
    dz = np.concatenate([gates[k] for k in order], axis=1)
    return {"x": dz @ W.T, "c": dc * f, "W": x.T @ dz}


def gates_swapped(u, x, c, W):
    return {"W": lstm_backward(u, x, c, W, order=(1, 0, 2, 3))["W"]}


def gates_turned(u, x, c, W):
    return {"W": lstm_backward(u, x, c, W, order=(0, 1, 3, 2))["W"]}


LSTM = {"x": "batch n", "c": "batch m", "W": "n 4*m"}
LSTM_SIZES = {"batch": (1, 4), "n": (1, 4), "m": (1, 3)}


def gru(x, h, z):
    return expit(z) * h + (1 - expit(z)) * np.tanh(x)


def gru_backward(u, x, h, z):
    s, n = expit(z), np.tanh(x)
    return {"x": u * (1 - s) * (1 - n * n), "h": u * s, "z": u * (h - n) * s * (1 - s)}


def scan(x, a, carried=True):
    """h_t = tanh(a h_{t-1} + x_t)"""
    out, h = np.zeros_like(x), np.zeros(x.shape[1:])
    for t in range(len(x)):
        out[t] = h = np.tanh(a * h + x[t])
    return out


def scan_backward(u, x, a, carried=True):
    y, dh = scan(x, a), np.zeros(x.shape[1:])
    dx, da = np.zeros_like(x), np.zeros_like(a)
    for t in reversed(range(len(x))):
        dz = (u[t] + dh) * (1 - y[t] ** 2)
        before = y[t - 1] if t else 0 * a
        dx[t], da, dh = dz, da + dz * before, a * dz * carried
    return {"x": dx, "a": da}


def detached(u, x, a):
    return scan_backward(u, x, a, carried=False)


SCAN, SCAN_SIZES = {"x": "time m", "a": "m"}, {"time": (1, 7), "m": (1, 3)}


def ema(x):
    """y_t = 0.9 y_{t-1} + 0.1 x_t"""
    y, h = np.zeros_like(x), 0.0
    for t in range(len(x)):
        y[t] = h = 0.9 * h + 0.1 * x[t]
    return y


def ema_backward(u, x):
    g, d = np.zeros_like(x), 0.0
    for t in reversed(range(len(x))):
        d = u[t] + 0.9 * d
        g[t] = 0.1 * d
    return {"x": g}


def bidirectional(x):
    return np.concatenate([np.cumsum(x, 0), np.cumsum(x[::-1], 0)[::-1]], axis=1)


def bidirectional_backward(u, x):
    f, b = np.split(u, 2, axis=1)
    return {"x": np.cumsum(f[::-1], 0)[::-1] + np.cumsum(b, 0)}


FAULTS = [
    plant("lstm: gates i and f swapped", lstm, lstm_backward, gates_swapped, LSTM, "W",
          "swapped", dims=LSTM_SIZES),
    plant("lstm: gates g and o swapped", lstm, lstm_backward, gates_turned, LSTM, "W",
          "swapped", dims=LSTM_SIZES),
    plant("gru: z for 1 - z", gru, gru_backward,
          lambda u, x, h, z: {"h": u * (1 - expit(z))}, {"x": "n", "h": "n", "z": "n"}, "h",
          "sigmoid"),
    plant("scan: carry detached", scan, scan_backward, detached, SCAN, "x",
          "truncated through time", dims=SCAN_SIZES),
    plant("average: run forward in backward", ema, ema_backward,
          lambda u, x: {"x": ema(u)}, {"x": "time m"}, "x", "not its transpose",
          dims={"time": (1, 7), "m": (1, 3)}),
    plant("bidirectional: backward half not turned round", bidirectional, bidirectional_backward,
          lambda u, x: {"x": bidirectional_backward(
              np.concatenate([np.split(u, 2, 1)[0], np.split(u, 2, 1)[1][::-1]], 1), x)["x"]},
          {"x": "time m"}, "x", dims={"time": (1, 7), "m": (1, 3)}),
]  # fmt: skip
