"""Forwards that compute, or round, in less than float64."""

from __future__ import annotations

import numpy as np

from benchmarks.zoo.entry import each, member, normal, pointwise, uniform
from benchmarks.zoo.precise import is_exact
from benchmarks.zoo.smooth import tanh_slope

SINGLE = "computed in float32 inside: 6e-8 of noise"
HALF = "computed in float16 inside: 5e-4 of noise"
STEPS = "the output is rounded to a grid"


def cast(dtype):
    """Rounding to `dtype`; high-precision numbers pass through."""
    return lambda x: x if is_exact(x) else np.asarray(x).astype(dtype)


single, half = cast(np.float32), cast(np.float16)


def double(x):
    """Back to float64."""
    return x if is_exact(x) else np.asarray(x).astype(np.float64)


def noisy(name, f, slope, sample, limit, **facts):
    """An elementwise function limited by a coarse number format."""
    return pointwise(name, f, slope, sample, nasty=True, limit=limit, **facts)


def single_dense(x, W):
    """A dense layer in float32."""
    return double(np.tanh(single(x) @ single(W)))


def dense_vjp(u, x, W):
    """Its gradient in float64."""
    d = u * tanh_slope(x @ W)
    return {"x": d @ W.T, "W": x.T @ d}


def single_mean(x):
    """A mean accumulated in float32."""
    return double(single(x).sum(axis=-1)) / x.shape[-1]


def single_softmax(x):
    """Softmax in float32."""
    e = np.exp(single(x) - single(x).max(axis=-1, keepdims=True))
    return double(e / e.sum(axis=-1, keepdims=True))


def softmax_vjp(u, x):
    """P (u - <u, p>)."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    p = e / e.sum(axis=-1, keepdims=True)
    return {"x": p * (u - (u * p).sum(axis=-1, keepdims=True))}


ENTRIES = [
    noisy("float32 sin", lambda x: double(np.sin(single(x))), np.cos, normal(8), SINGLE),
    noisy("float32 exp", lambda x: double(np.exp(single(x))), np.exp, normal(8), SINGLE),
    noisy("float32 result", lambda x: double(single(np.sin(x))), np.cos, normal(8), SINGLE),
    noisy(
        "float32 square",
        lambda x: double(single(x) * single(x)),
        lambda x: 2 * x,
        normal(8),
        SINGLE,
    ),
    noisy("float16 tanh", lambda x: double(np.tanh(half(x))), tanh_slope, normal(8), HALF),
    noisy("float16 result", lambda x: double(half(x * x)), lambda x: 2 * x, uniform(1, 3, 8), HALF),
    noisy(
        "output rounded to 1e-6",
        lambda x: np.round(np.sin(x), 6),
        np.cos,
        normal(8),
        STEPS,
        exact=False,
    ),
    noisy(
        "output rounded to 1e-3",
        lambda x: np.round(np.sin(x), 3),
        np.cos,
        normal(8),
        STEPS,
        exact=False,
    ),
    noisy(
        "input rounded to 1e-9",
        lambda x: np.sin(np.round(x, 9)),
        np.cos,
        normal(8),
        STEPS,
        exact=False,
    ),
    noisy(
        "float32 inside a float64 sum",
        lambda x: 3 * x + double(single(1e-3 * np.cos(x))),
        lambda x: 3 - 1e-3 * np.sin(x),
        normal(6),
        SINGLE,
    ),
    member(
        "float32 dense",
        single_dense,
        dense_vjp,
        each(x=normal(3, 4), W=normal(4, 5)),
        nasty=True,
        limit=SINGLE,
    ),
    member(
        "float32 mean of 1000",
        single_mean,
        lambda u, x: {"x": np.repeat(u[:, None] / 1000, 1000, 1)},
        each(x=uniform(0, 1, 2, 1000)),
        nasty=True,
        limit=SINGLE,
        exact=False,
    ),
    member(
        "float32 softmax",
        single_softmax,
        softmax_vjp,
        each(x=normal(3, 5)),
        nasty=True,
        limit=SINGLE,
    ),
]
