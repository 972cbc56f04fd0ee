"""Recurrences, iterated maps, solvers and filters."""

from __future__ import annotations

import numpy as np
from scipy.special import lambertw

from benchmarks.zoo.entry import each, member, near, normal, uniform
from benchmarks.zoo.kinked import CLOSE
from benchmarks.zoo.precise import is_exact
from benchmarks.zoo.smooth import sigmoid

CHAOS = "the map amplifies the rounding of its first step as much as its input"


def unrolled(step, slope, times):
    """An elementwise map iterated `times` times, and its VJP."""

    def forward(x):
        for _ in range(times):
            x = step(x)
        return x

    def vjp(u, x):
        for _ in range(times):
            u = u * slope(x)
            x = step(x)
        return {"x": u}

    return forward, vjp


def rnn(x, W, V):
    """Tanh recurrence over x: time by features; returns the last state."""
    h = 0 * x[0] @ V
    for row in x:
        h = np.tanh(h @ W + row @ V)
    return h


def rnn_vjp(u, x, W, V):
    """Backpropagation through time."""
    states = [np.zeros(V.shape[1])]
    for row in x:
        states.append(np.tanh(states[-1] @ W + row @ V))
    gx, gW, gV = np.zeros_like(x), np.zeros_like(W), np.zeros_like(V)
    for t in reversed(range(len(x))):
        d = u * (1 - states[t + 1] ** 2)
        gx[t], u = d @ V.T, d @ W.T
        gW += np.outer(states[t], d)
        gV += np.outer(x[t], d)
    return {"x": gx, "W": gW, "V": gV}


def rnn_inputs(steps, gain, scale=1.0):
    """Inputs of an RNN with recurrent weights of spectral radius about `gain`."""

    def sample(rng):
        W = gain * np.linalg.qr(rng.standard_normal((5, 5)))[0]
        return {
            "x": scale * rng.standard_normal((steps, 3)),
            "W": W,
            "V": rng.standard_normal((3, 5)) * 0.5,
        }

    return sample


def gru(x, W):
    """A bare GRU with three gates from [h, x]; W: gates by (units + features) by units."""
    h = 0 * x[0, :1] + np.zeros(W.shape[2])
    for row in x:
        s = np.concatenate([h, row])
        z, r = sigmoid(s @ W[0]), sigmoid(s @ W[1])
        n = np.tanh(np.concatenate([r * h, row]) @ W[2])
        h = (1 - z) * n + z * h
    return h


def gru_vjp(u, x, W):
    """Backpropagation through time."""
    units, tape, h = W.shape[2], [], np.zeros(W.shape[2])
    for row in x:
        s = np.concatenate([h, row])
        z, r = sigmoid(s @ W[0]), sigmoid(s @ W[1])
        c = np.concatenate([r * h, row])
        n = np.tanh(c @ W[2])
        tape.append((s, z, r, c, n, h))
        h = (1 - z) * n + z * h
    gx, gW = np.zeros_like(x), np.zeros_like(W)
    for t in reversed(range(len(x))):
        s, z, r, c, n, h = tape[t]
        dn = u * (1 - z) * (1 - n * n)
        dz = u * (h - n) * z * (1 - z)
        dc = W[2] @ dn
        dr = dc[:units] * h * r * (1 - r)
        gW += np.stack([np.outer(s, dz), np.outer(s, dr), np.outer(c, dn)])
        ds = W[0] @ dz + W[1] @ dr
        gx[t] = ds[units:] + dc[units:]
        u = u * z + ds[:units] + dc[:units] * r
    return {"x": gx, "W": gW}


def smooth_filter(x, a):
    """y[t] = a y[t-1] + (1 - a) x[t]."""
    y = [(1 - a[0]) * x[0]]
    for value in x[1:]:
        y.append(a[0] * y[-1] + (1 - a[0]) * value)
    return np.array(y)


def smooth_filter_vjp(u, x, a):
    """The filter run backwards."""
    y, g, ga, carry = smooth_filter(x, a), np.zeros_like(x), 0.0, 0.0
    for t in reversed(range(len(x))):
        carry = u[t] + a[0] * carry
        g[t] = (1 - a[0]) * carry
        ga += carry * ((y[t - 1] if t else 0.0) - x[t])
    return {"x": g, "a": np.array([ga])}


def newton_sqrt(x):
    """Square root by ten Newton steps."""
    y = 1 + x / 2
    for _ in range(10):
        y = (y + x / y) / 2
    return y


def kepler(mean, times=60):
    """Eccentric anomaly at eccentricity 0.9, by damped Newton steps."""
    e = mean + 0
    for _ in range(times if not is_exact(mean) else 2 * times):
        e = e - (e - 0.9 * np.sin(e) - mean) / (1 - 0.9 * np.cos(e))
    return e


def kepler_vjp(u, mean):
    """By the implicit function theorem."""
    return {"mean": u / (1 - 0.9 * np.cos(kepler(mean)))}


def cosine_root(a):
    """Fixed point y = a cos(y), stopped once it moves by less than 1e-13."""
    y = np.full_like(a, 0.7)
    for _ in range(500):
        new = a * np.cos(y)
        if np.max(np.abs(new - y)) < 1e-13:
            break
        y = new
    return y


def cosine_vjp(u, a):
    """dy/da = cos y / (1 + a sin y)."""
    y = cosine_root(a)
    return {"a": u * np.cos(y) / (1 + a * np.sin(y))}


def horner(x, c):
    """A polynomial."""
    y = 0 * x
    for a in c:
        y = y * x + a
    return y


def horner_vjp(u, x, c):
    """Derivative polynomial for x; powers for the coefficients."""
    n = len(c) - 1
    powers = x[:, None] ** np.arange(n, -1, -1.0)
    slope = horner(x, c[:-1] * np.arange(n, 0, -1.0))
    return {"x": u * slope, "c": u @ powers}


def wilkinson(x):
    """Wilkinson's polynomial of degree 12, expanded."""
    return horner(x, np.poly(np.arange(1, 13)))


def wilkinson_vjp(u, x):
    """Derivative by the product form, which does not cancel."""
    d = x[:, None] - np.arange(1, 13)
    g = sum(np.prod(np.delete(d, k, 1), 1) for k in range(12))
    return {"x": u * g}


def euler(x, steps=100):
    """A damped pendulum by Euler steps; x: angle and speed."""
    q, p = x[0], x[1]
    for _ in range(steps):
        q, p = q + 0.02 * p, p - 0.02 * (np.sin(q) + 0.1 * p)
    return np.array([q, p])


def euler_vjp(u, x, steps=100):
    """Adjoint Euler steps."""
    path, (q, p) = [], x
    for _ in range(steps):
        path.append(q)
        q, p = q + 0.02 * p, p - 0.02 * (np.sin(q) + 0.1 * p)
    a, b = u
    for q in reversed(path):
        a, b = a - 0.02 * np.cos(q) * b, b + 0.02 * a - 0.002 * b
    return {"x": np.array([a, b])}


def sinkhorn(x, times=30):
    """Row and column normalisation of exp(x), unrolled in the log domain."""
    for k in range(times):
        top = np.max(x, axis=k % 2, keepdims=True)
        x = x - top - np.log(np.sum(np.exp(x - top), axis=k % 2, keepdims=True))
    return np.exp(x)


def sinkhorn_vjp(u, x, times=30):
    """Each normalisation backwards."""
    tape = []
    for k in range(times):
        top = np.max(x, axis=k % 2, keepdims=True)
        x = x - top - np.log(np.sum(np.exp(x - top), axis=k % 2, keepdims=True))
        tape.append(np.exp(x))
    u = u * np.exp(x)
    for k in reversed(range(times)):
        u = u - tape[k] * np.sum(u, axis=k % 2, keepdims=True)
    return {"x": u}


def running_max(x):
    """Cumulative maximum."""
    return np.maximum.accumulate(x)


def running_max_vjp(u, x):
    """To the entry that set the record."""
    record = np.maximum.accumulate(np.where(x >= np.maximum.accumulate(x), np.arange(x.size), 0))
    g = np.zeros_like(x)
    np.add.at(g, record, u)
    return {"x": g}


def ties_1e_9(rng):
    """A walk whose records exceed each other by little."""
    x = rng.standard_normal(10)
    x[5] = x[:5].max() + near([0.0], -9, -5, 1)(rng)[0]
    return x


def lambert(x):
    """Lambert's W by Newton steps."""
    w = np.log1p(x)
    for _ in range(12):
        e = np.exp(w)
        w = w - (w * e - x) / (e * (1 + w))
    return w


def lambert_vjp(u, x):
    """W / (x (1 + W))."""
    w = lambertw(x).real
    return {"x": u * w / (x * (1 + w))}


def iterated(name, step, slope, times, sample, **facts):
    """An iterated elementwise map."""
    forward, vjp = unrolled(step, slope, times)
    return member(name, forward, vjp, each(x=sample), elementwise=True, nasty=True, **facts)


def logistic(x):
    """Logistic map at r = 3.9."""
    return 3.9 * x * (1 - x)


def logistic_slope(x):
    """Its derivative."""
    return 3.9 * (1 - 2 * x)


INSIDE = uniform(0.1, 0.9, 5)
ENTRIES = [
    member("rnn T=5", rnn, rnn_vjp, rnn_inputs(5, 0.9)),
    member("gru T=4", gru, gru_vjp, each(x=normal(4, 2), W=normal(3, 5, 3))),
    member(
        "smoothing filter",
        smooth_filter,
        smooth_filter_vjp,
        each(x=normal(12), a=uniform(0.3, 0.9, 1)),
    ),
    member("polynomial", horner, horner_vjp, each(x=normal(5), c=normal(6))),
    member("euler pendulum", euler, euler_vjp, each(x=normal(2))),
    member(
        "newton square root",
        newton_sqrt,
        lambda u, x: {"x": 0.5 * u / np.sqrt(x)},
        each(x=uniform(0.5, 4, 6)),
        elementwise=True,
    ),
    member("rnn T=50", rnn, rnn_vjp, rnn_inputs(50, 1.0), nasty=True),
    member("rnn T=50, gain 1.5", rnn, rnn_vjp, rnn_inputs(50, 1.5, 0.3), nasty=True, rounding=1e-7),
    member("rnn T=50, vanishing", rnn, rnn_vjp, rnn_inputs(50, 0.3), nasty=True),
    member(
        "gru T=20, saturated",
        gru,
        gru_vjp,
        nasty=True,
        rounding=1e-8,
        limit="saturated: what is left of a derivative is as small as the rounding of 1",
        make_inputs=each(x=normal(20, 2, scale=3), W=normal(3, 5, 3, scale=3)),
    ),
    member(
        "filter near the unit circle",
        smooth_filter,
        smooth_filter_vjp,
        nasty=True,
        make_inputs=each(x=normal(60), a=lambda rng: 1 - 10 ** rng.uniform(-7, -4, 1)),
    ),
    iterated("logistic map, 10 steps", logistic, logistic_slope, 10, INSIDE),
    iterated(
        "logistic map, 25 steps", logistic, logistic_slope, 25, INSIDE, limit=CHAOS, rounding=1e-4
    ),
    iterated(
        "logistic map, 60 steps", logistic, logistic_slope, 60, INSIDE, limit=CHAOS, exact=False
    ),
    iterated(
        "contraction, 40 steps", lambda x: 0.5 * np.sin(x), lambda x: 0.5 * np.cos(x), 40, normal(5)
    ),
    iterated(
        "square root, 30 times",
        np.sqrt,
        lambda x: 0.5 / np.sqrt(x),
        30,
        uniform(0.1, 9, 5),
        limit="thirty square roots squeeze every input to 1 within 1e-9",
    ),
    member(
        "kepler equation",
        kepler,
        kepler_vjp,
        each(mean=uniform(0.3, 3, 5)),
        nasty=True,
        elementwise=True,
    ),
    member(
        "fixed point stopped at 1e-13",
        cosine_root,
        cosine_vjp,
        each(a=uniform(0.3, 0.9, 5)),
        nasty=True,
        exact=False,
        limit="the solver stops 1e-13 from the fixed point, after more or fewer steps",
    ),
    member(
        "wilkinson polynomial near its roots",
        wilkinson,
        wilkinson_vjp,
        nasty=True,
        make_inputs=each(x=near(np.arange(1, 13), -4, -2, 6)),
        elementwise=True,
        limit="expanded polynomial: terms of 1e13 cancel",
    ),
    member(
        "polynomial of degree 30",
        horner,
        horner_vjp,
        nasty=True,
        make_inputs=each(x=uniform(-1.2, 1.2, 5), c=normal(31)),
    ),
    member(
        "sinkhorn, 30 sweeps", sinkhorn, sinkhorn_vjp, each(x=normal(4, 4, scale=5)), nasty=True
    ),
    member(
        "running maximum near ties",
        running_max,
        running_max_vjp,
        each(x=ties_1e_9),
        nasty=True,
        kinks=True,
        exact=False,
        limit=CLOSE,
    ),
    member(
        "lambert w", lambert, lambert_vjp, each(x=uniform(0.1, 50, 6)), nasty=True, elementwise=True
    ),
]
