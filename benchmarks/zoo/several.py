"""Tuples of outputs, outputs of very different scale, unused inputs, empty arrays, wide arrays."""

from __future__ import annotations

import numpy as np

from benchmarks.zoo.entry import each, member, normal, of, uniform
from benchmarks.zoo.reductions import variance, variance_vjp


def scales_vjp(u, x):
    """Both outputs feed x."""
    return {"x": 1e8 * u[0] * np.cos(x) - 1e-8 * u[1] * np.sin(x)}


def moments(x):
    """Mean and variance of rows."""
    return np.mean(x, axis=-1, keepdims=True), variance(x)


def moments_vjp(u, x):
    """Mean's and variance's gradients."""
    return {"x": u[0] / x.shape[-1] + variance_vjp(u[1], x)["x"]}


def sort_vjp(u, x):
    """Back to where each came from."""
    g = np.zeros_like(x)
    g[np.argsort(x)] = u
    return {"x": g}


def split(x):
    """Two halves of unequal kind."""
    return np.exp(x[:3]), x[3:] ** 2


def split_vjp(u, x):
    """Each half its own."""
    return {"x": np.append(u[0] * np.exp(x[:3]), 2 * u[1] * x[3:])}


def product_vjp(u, x, y):
    """X y."""
    return {"x": u * y, "y": u * x}


def wide_vjp(u, x, w):
    """Tanh of a weighted sum."""
    return {"x": u * (1 - np.tanh(x @ w) ** 2) * w, "w": u * (1 - np.tanh(x @ w) ** 2) * x}


ENTRIES = [
    member(
        "sin and cos",
        lambda x: (np.sin(x), np.cos(x)),
        lambda u, x: {"x": u[0] * np.cos(x) - u[1] * np.sin(x)},
        each(x=normal(5)),
    ),
    member("mean and variance", moments, moments_vjp, each(x=normal(3, 6))),
    member("exp and square of halves", split, split_vjp, each(x=normal(7))),
    member(
        "unused input",
        lambda x, y: np.sin(x),
        lambda u, x, y: {"x": u * np.cos(x), "y": 0 * y},
        each(x=normal(4), y=normal(3)),
    ),
    member(
        "empty",
        of("x", np.sin),
        lambda u, x: {"x": u * np.cos(x)},
        lambda rng: {"x": np.zeros((0, 3))},
    ),
    member(
        "sum over an empty axis",
        lambda x: x.sum(axis=1),
        lambda u, x: {"x": np.zeros((3, 0))},
        lambda rng: {"x": np.zeros((3, 0))},
    ),
    member(
        "outer product",
        of("x y", np.outer),
        lambda u, x, y: {"x": u @ y, "y": x @ u},
        each(x=normal(4), y=normal(5)),
    ),
    member("sort", of("x", np.sort), sort_vjp, each(x=normal(9)), kinks=True),
    member(
        "wide dot",
        lambda x, w: np.tanh(np.sum(x * w, keepdims=True)),
        wide_vjp,
        each(x=normal(4096, scale=0.02), w=normal(4096)),
        exact=False,
    ),
    member(
        "wide sine",
        of("x", np.sin),
        lambda u, x: {"x": u * np.cos(x)},
        each(x=normal(20000)),
        exact=False,
        elementwise=True,
    ),
    member(
        "outputs of 1e8 and 1e-8",
        lambda x: (1e8 * np.sin(x), 1e-8 * np.cos(x)),
        scales_vjp,
        each(x=normal(5)),
        nasty=True,
    ),
    member(
        "an output far from 0",
        lambda x: (np.sin(x), 1e9 + 0 * x),
        nasty=True,
        vjp=lambda u, x: {"x": u[0] * np.cos(x)},
        make_inputs=each(x=normal(5)),
        limit="a constant output of 1e9 stands beside the one that moves",
    ),
    member(
        "products of 1e-8 and 1e8",
        lambda x, y: x * y,
        product_vjp,
        nasty=True,
        elementwise=True,
        make_inputs=each(x=normal(5, scale=1e-8), y=normal(5, scale=1e8)),
    ),
    member(
        "product with zeros",
        lambda x, y: x * y,
        product_vjp,
        nasty=True,
        elementwise=True,
        make_inputs=each(x=lambda rng: np.zeros(5), y=lambda rng: rng.integers(-1, 2, 5) * 1.0),
    ),
    member(
        "flat but for one entry",
        lambda x: np.exp(-x * x),
        lambda u, x: {"x": -2 * u * x * np.exp(-x * x)},
        each(x=lambda rng: np.append(rng.uniform(6, 9, 30), rng.uniform(0.5, 1, 1))),
        nasty=True,
        elementwise=True,
    ),
    member(
        "power law",
        lambda x, p: x**p,
        lambda u, x, p: {"x": u * p * x ** (p - 1), "p": u * x**p * np.log(x)},
        nasty=True,
        make_inputs=each(x=uniform(0.1, 10, 6), p=uniform(-20, 20, 6)),
        elementwise=True,
    ),
]
