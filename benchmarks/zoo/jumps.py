"""Discontinuities: steps with zero derivative, and branch cuts near the point."""

from __future__ import annotations

import numpy as np

from benchmarks.zoo.entry import each, member, near, normal, pointwise, uniform
from benchmarks.zoo.smooth import sigmoid, softplus

CUT = "a branch cut or a jump nearby leaves room for small steps only"


def jumping(name, f, slope, sample, **facts):
    """An elementwise function with jumps."""
    return pointwise(name, f, slope, sample, kinks=True, nasty=True, exact=False, **facts)


def torch_softplus(x):
    """Softplus that is linear above 20: it jumps by 2e-9 there."""
    return np.where(x > 20, x, softplus(x))


def zero(x):
    """The derivative of a step."""
    return np.zeros_like(x)


def angle(y, x):
    """The angle of (x, y), with its cut along negative x."""
    return np.arctan2(y, x)


def angle_vjp(u, y, x):
    """Gradient of atan2(y, x)."""
    r = x * x + y * y
    return {"y": u * x / r, "x": -u * y / r}


def behind(distance):
    """Points just above or below the negative half axis, where atan2 jumps by 2 pi."""
    return lambda rng: {
        "y": near([0.0], distance, distance + 1, 5)(rng),
        "x": -rng.uniform(0.5, 2, 5),
    }


def bucket_vjp(u, x, table):
    """Gradient reaches the table only: the index is a step function of x."""
    g = np.zeros_like(table)
    np.add.at(g, np.floor(4 * x).astype(int), u)
    return {"x": np.zeros_like(x), "table": g}


def gated_vjp(u, x, y):
    """Y is let through where x is positive: a step in x."""
    return {"x": np.zeros_like(x), "y": u * (x > 0)}


def hard_attention(x, y):
    """The y whose x is largest: piecewise constant in x."""
    return y[[np.argmax(x)]]


def hard_attention_vjp(u, x, y):
    """All to the chosen y."""
    g = np.zeros_like(y)
    g[np.argmax(x)] = u[0]
    return {"x": np.zeros_like(x), "y": g}


ENTRIES = [
    jumping("floor", np.floor, zero, normal(6, scale=5)),
    jumping(
        "floor near integers",
        np.floor,
        zero,
        near([0.0, 1.0, 2.0], -9, -3, 6),
        limit="a jump 1e-9 away leaves room for small steps only",
    ),
    jumping(
        "floor at integers",
        np.floor,
        zero,
        lambda rng: rng.integers(-3, 4, 6).astype(float),
        limit="the function jumps at the point itself",
    ),
    jumping("round", np.round, zero, uniform(-3, 3, 8)),
    jumping("sign", np.sign, zero, normal(8)),
    jumping(
        "sawtooth",
        lambda x: x - np.floor(x),
        np.ones_like,
        near([0.0, 1.0, 2.0], -6, -1, 6),
        limit=CUT,
    ),
    jumping(
        "sawtooth squared",
        lambda x: (x % 1) ** 2,
        lambda x: 2 * (x % 1),
        near([1.0, 2.0], -6, -1, 6),
        limit=CUT,
    ),
    jumping(
        "softplus linear above 20",
        torch_softplus,
        lambda x: np.where(x > 20, 1.0, sigmoid(x)),
        near([20.0], -5, 0, 6),
    ),
    jumping("8-bit steps", lambda x: np.round(127 * np.tanh(x)) / 127, zero, normal(6)),
    jumping(
        "x sign(x - 1) near the jump",
        lambda x: x * np.sign(x - 1),
        lambda x: np.sign(x - 1),
        near([1.0], -8, -2, 6),
        limit=CUT,
    ),
    member("atan2 near its cut 1e-3", angle, angle_vjp, behind(-3), nasty=True, kinks=True),
    member(
        "atan2 near its cut 1e-7", angle, angle_vjp, behind(-7), nasty=True, kinks=True, limit=CUT
    ),
    member(
        "bucket lookup",
        lambda x, table: table[np.floor(4 * x).astype(int)],
        bucket_vjp,
        each(x=uniform(0.02, 0.98, 7), table=normal(4)),
        nasty=True,
        kinks=True,
        exact=False,
        domains={"x": (0.0, 1.0, True)},
    ),
    member(
        "gate by sign",
        lambda x, y: np.where(x > 0, y, 0),
        gated_vjp,
        each(x=near([0.0], -6, 0, 6), y=normal(6)),
        nasty=True,
        kinks=True,
    ),
    member(
        "hard attention",
        hard_attention,
        hard_attention_vjp,
        each(x=normal(6), y=normal(6)),
        nasty=True,
        kinks=True,
    ),
]
