"""Functions with kinks, at points close to them, exactly on them, or smooth but only just."""

from __future__ import annotations

import numpy as np

from benchmarks.zoo.entry import each, member, near, normal, pointwise, uniform
from benchmarks.zoo.smooth import sigmoid

CLOSE = "kinks lie so close to the point that few steps fit between them and the noise"
THERE = "the point is at a kink: there is no derivative"


def kinked(name, f, slope, sample, **facts):
    """An elementwise function with kinks."""
    return pointwise(name, f, slope, sample, kinks=True, nasty=True, **facts)


def with_zeros(rng):
    """Normal numbers, a third of them exactly zero."""
    x = rng.standard_normal(12)
    x[rng.permutation(12)[:4]] = 0.0
    return x


def relu(x):
    """max(x, 0)."""
    return np.maximum(x, 0)


def step(x):
    """1 where positive."""
    return (x > 0).astype(float)


def leaky(x):
    """Leaky ReLU with slope 0.01."""
    return np.where(x > 0, x, 0.01 * x)


def soft_shrink(x):
    """sign(x) max(|x| - 0.5, 0)."""
    return np.sign(x) * np.maximum(np.abs(x) - 0.5, 0)


def hard_swish(x):
    """X relu6(x + 3) / 6."""
    return x * np.clip(x + 3, 0, 6) / 6


def hard_swish_slope(x):
    """Its derivative."""
    return np.where(x <= -3, 0.0, np.where(x >= 3, 1.0, x / 3 + 0.5))


def huber(x):
    """Huber with threshold 1: C1, its second derivative jumps."""
    a = np.abs(x)
    return np.where(a <= 1, 0.5 * x * x, a - 0.5)


def elu(x):
    """ELU: C1."""
    return np.where(x > 0, x, np.exp(np.minimum(x, 0 * x)) - 1)


def hinge(scores, labels):
    """Mean hinge loss; labels are -1 or 1."""
    return np.mean(np.maximum(1 - labels * scores, 0), keepdims=True)


def hinge_vjp(u, scores, labels):
    """Zero where the margin is reached."""
    return {"scores": -u * labels * (labels * scores < 1) / scores.size}


def near_margin(rng):
    """Scores whose margins lie within 1e-9 .. 1e-3 of the hinge."""
    labels = rng.choice([-1.0, 1.0], 8)
    return {"scores": labels * near([1.0], -9, -3, 8)(rng), "labels": labels}


def total_variation(x):
    """Sum of |x[i+1] - x[i]|."""
    return np.sum(np.abs(np.diff(x)), keepdims=True)


def total_variation_vjp(u, x):
    """Differences of the signs."""
    s = np.sign(np.diff(x))
    return {"x": u * (np.append(0, s) - np.append(s, 0))}


def stairs(rng):
    """A nearly constant signal: neighbours differ by 1e-9 .. 1e-4."""
    return np.cumsum(near([0.0], -9, -4, 10)(rng)) + 1


def max_of(x):
    """The largest of each row."""
    return np.max(x, axis=-1)


def max_vjp(u, x):
    """All to the first of the largest."""
    g = np.zeros_like(x)
    np.put_along_axis(g, np.argmax(x, axis=-1)[:, None], np.asarray(u)[:, None], axis=-1)
    return {"x": g}


def near_ties(rng):
    """Rows whose two largest entries differ by 1e-12 .. 1e-4."""
    x = rng.uniform(-1, 0, (5, 4))
    x[:, 1] = x[:, 2] + near([0.0], -12, -4, 5)(rng) + 1
    x[:, 2] += 1
    return x


def tied(rng):
    """Rows with two equal largest entries."""
    x = rng.uniform(-1, 0, (4, 5))
    x[:, 3] = x[:, 1] = rng.uniform(0.5, 1, 4)
    return x


def norm(x):
    """Euclidean norm."""
    return np.sqrt(np.sum(x * x, keepdims=True))


def norm_vjp(u, x):
    """Zero at the origin."""
    length = norm(x)
    return {"x": u * np.divide(x, length, out=np.zeros_like(x), where=length > 0)}


SIXES = uniform(-5, 5, 8)
ENTRIES = [
    kinked("relu", relu, step, normal(20)),
    kinked("relu near 0", relu, step, near([0.0], -15, -3, 8), limit=CLOSE),
    kinked(
        "relu one entry near 0",
        relu,
        step,
        lambda rng: np.append(rng.standard_normal(7), near([0.0], -15, -3, 1)(rng)),
        limit=CLOSE,
    ),
    kinked("relu at 0", relu, step, with_zeros, exact=False, limit=THERE),
    kinked("relu at 0, half", relu, lambda x: np.heaviside(x, 0.5), with_zeros, limit=THERE),
    kinked(
        "relu at 0, one",
        relu,
        lambda x: (x >= 0).astype(float),
        with_zeros,
        exact=False,
        limit=THERE,
    ),
    kinked("relu all at 0", relu, step, lambda rng: np.zeros(6), exact=False, limit=THERE),
    kinked("leaky relu near 0", leaky, lambda x: np.where(x > 0, 1, 0.01), near([0.0], -12, -3, 8)),
    kinked("abs near 0", np.abs, np.sign, near([0.0], -15, -3, 8), limit=CLOSE),
    kinked("abs at 0", np.abs, np.sign, with_zeros, limit=THERE),
    kinked(
        "clip near its bounds",
        lambda x: np.clip(x, -1, 1),
        lambda x: (np.abs(x) < 1) * 1.0,
        near([-1.0, 1.0], -12, -3, 8),
        limit=CLOSE,
    ),
    kinked(
        "clip at its bounds",
        lambda x: np.clip(x, -1, 1),
        lambda x: (np.abs(x) < 1) * 1.0,
        lambda rng: rng.choice([-1.0, 1.0, 0.3, 2.0], 8),
        exact=False,
        limit=THERE,
    ),
    kinked(
        "soft shrink near its corners",
        soft_shrink,
        lambda x: (np.abs(x) > 0.5) * 1.0,
        near([-0.5, 0.5], -10, -3, 8),
        limit=CLOSE,
    ),
    kinked(
        "hard swish near its corners",
        hard_swish,
        hard_swish_slope,
        near([-3.0, 3.0], -9, -2, 8),
        limit=CLOSE,
    ),
    kinked(
        "hard swish at its corners",
        hard_swish,
        hard_swish_slope,
        lambda rng: rng.choice([-3.0, 3.0, 0.5], 6),
        exact=False,
        limit=THERE,
    ),
    kinked(
        "huber near its joint", huber, lambda x: np.clip(x, -1, 1), near([-1.0, 1.0], -6, -2, 8)
    ),
    kinked(
        "huber at its joint",
        huber,
        lambda x: np.clip(x, -1, 1),
        lambda rng: rng.choice([-1.0, 1.0], 6),
    ),
    kinked(
        "elu near 0",
        elu,
        lambda x: np.where(x > 0, 1, np.exp(np.minimum(x, 0))),
        near([0.0], -5, -2, 8),
    ),
    kinked(
        "x |x| near 0", lambda x: x * np.abs(x), lambda x: 2 * np.abs(x), near([0.0], -6, -1, 6)
    ),
    kinked("x |x| at 0", lambda x: x * np.abs(x), lambda x: 2 * np.abs(x), with_zeros),
    kinked(
        "|x|^1.5 near 0",
        lambda x: np.abs(x) ** 1.5,
        lambda x: 1.5 * np.sign(x) * np.sqrt(np.abs(x)),
        near([0.0], -9, -2, 6),
    ),
    kinked(
        "|x|^1.1 at 0",
        lambda x: np.abs(x) ** 1.1,
        lambda x: 1.1 * np.sign(x) * np.abs(x) ** 0.1,
        with_zeros,
    ),
    kinked(
        "relu(x) - relu(-x) near 0",
        lambda x: relu(x) - relu(-x),
        np.ones_like,
        near([0.0], -12, -3, 6),
    ),
    kinked(
        "two kinks close together",
        lambda x: relu(x) + 2 * relu(x - 1e-6),
        lambda x: step(x) + 2 * step(x - 1e-6),
        lambda rng: np.append(rng.standard_normal(4), rng.uniform(0, 1e-6, 3)),
    ),
    kinked(
        "gated by a kink",
        lambda x: sigmoid(5 * x) * relu(x),
        lambda x: 5 * sigmoid(5 * x) * sigmoid(-5 * x) * relu(x) + sigmoid(5 * x) * step(x),
        near([0.0], -10, -2, 8),
    ),
    member(
        "hinge near its margin",
        hinge,
        hinge_vjp,
        near_margin,
        fixed=("labels",),
        kinks=True,
        nasty=True,
        limit=CLOSE,
    ),
    member(
        "total variation of a flat signal",
        total_variation,
        total_variation_vjp,
        each(x=stairs),
        kinks=True,
        nasty=True,
        limit=CLOSE,
    ),
    member(
        "max near ties", max_of, max_vjp, each(x=near_ties), kinks=True, nasty=True, limit=CLOSE
    ),
    member(
        "max at ties, first",
        max_of,
        max_vjp,
        each(x=tied),
        kinks=True,
        nasty=True,
        exact=False,
        limit=THERE,
    ),
    member(
        "norm at the origin",
        norm,
        norm_vjp,
        lambda rng: {"x": np.zeros(5)},
        kinks=True,
        nasty=True,
        exact=False,
        limit=THERE,
    ),
    member(
        "norm near the origin",
        norm,
        norm_vjp,
        each(x=normal(5, scale=1e-12)),
        kinks=True,
        nasty=True,
    ),
]
