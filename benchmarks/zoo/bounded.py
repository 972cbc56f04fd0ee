"""Functions on a declared domain, at and near its ends; their forward raises outside it."""

from __future__ import annotations

import numpy as np
from scipy import special

from benchmarks.zoo.entry import decades, each, member, near, of, pointwise, uniform
from benchmarks.zoo.precise import ctx, either

NARROW = "the bound leaves room for steps so small that rounding shows"
ENDLESS = "the derivative is infinite at the bound: no step size shows it"


def guarded(f, low=None, high=None):
    """`f`, raising ValueError outside [low, high]."""

    def forward(x):
        if (low is not None and (x < low).any()) or (high is not None and (x > high).any()):
            raise ValueError(f"outside the domain: {x}")
        return f(x)

    return forward


def bounded(name, f, slope, sample, low=None, high=None, **facts):
    """An elementwise function that may never be evaluated outside its domain."""
    facts.setdefault("truth", of("x", f))
    return pointwise(
        name, guarded(f, low, high), slope, sample, low=low, high=high, nasty=True, **facts
    )


def with_value(value, sample):
    """The sample with two entries set to `value`."""

    def draw(rng):
        x = sample(rng)
        x[:2] = value
        return x

    return draw


def plogp(x):
    """X log x, 0 at 0."""
    return either(lambda p: special.xlogy(p, p), lambda p: p * ctx.log(p) if p else p)(x)


def entropy_vjp(u, p, q):
    """Cross entropy of targets q and probabilities p."""
    return {"p": u * ((1 - q) / (1 - p) - q / p)}


def cross_entropy(p, q):
    """Binary cross entropy; raises outside [0, 1]."""
    if (p <= 0).any() or (p >= 1).any():
        raise ValueError("p is outside (0, 1)")
    return -(q * np.log(p) + (1 - q) * np.log1p(-p))


def near_certain(rng):
    """Probabilities within 1e-9 .. 1e-2 of 0 or 1."""
    p = decades(-9, -2, 8)(rng)
    return {"p": np.where(rng.random(8) < 0.5, p, 1 - p), "q": rng.random(8)}


def quiet(f):
    """`f` without a warning at a pole."""

    def call(x):
        with np.errstate(divide="ignore"):
            return f(x)

    return call


ENTRIES = [
    bounded(
        "square at its bounds",
        lambda x: x * x,
        lambda x: 2 * x,
        lambda rng: rng.choice([-3.0, 3.0], 6),
        -3.0,
        3.0,
    ),
    bounded(
        "exp at its upper bound", np.exp, np.exp, with_value(0.0, uniform(-2, 0, 6)), None, 0.0
    ),
    bounded(
        "tanh in a thin domain",
        np.tanh,
        lambda x: 1 / np.cosh(x) ** 2,
        uniform(1, 1 + 1e-6, 6),
        1.0,
        1 + 1e-6,
        limit=NARROW,
    ),
    bounded("sqrt near 0", np.sqrt, lambda x: 0.5 / np.sqrt(x), decades(-14, -6, 6), 0.0),
    bounded(
        "sqrt at 0",
        np.sqrt,
        quiet(lambda x: 0.5 / np.sqrt(x)),
        with_value(0.0, uniform(0.5, 2, 6)),
        0.0,
        limit=ENDLESS,
    ),
    bounded(
        "sqrt all at 0",
        np.sqrt,
        quiet(lambda x: 0.5 / np.sqrt(x)),
        lambda rng: np.zeros(4),
        0.0,
        limit=ENDLESS,
    ),
    bounded(
        "x^1.5 at 0",
        lambda x: x * np.sqrt(x),
        lambda x: 1.5 * np.sqrt(x),
        with_value(0.0, uniform(0.5, 2, 6)),
        0.0,
    ),
    bounded("x log x near 0", plogp, lambda x: np.log(x) + 1, decades(-12, -3, 6), 0.0),
    bounded(
        "x log x at 0",
        plogp,
        quiet(lambda x: np.log(x) + 1),
        with_value(0.0, uniform(0.1, 1, 5)),
        0.0,
        limit=ENDLESS,
    ),
    bounded(
        "arcsin near 1",
        np.arcsin,
        lambda x: 1 / np.sqrt((1 - x) * (1 + x)),
        lambda rng: 1 - decades(-8, -3, 6)(rng),
        -1.0,
        1.0,
        limit=NARROW,
    ),
    bounded(
        "arccos near -1",
        np.arccos,
        lambda x: -1 / np.sqrt((1 - x) * (1 + x)),
        lambda rng: -1 + decades(-8, -3, 6)(rng),
        -1.0,
        1.0,
        limit=NARROW,
    ),
    bounded(
        "arcsin at 1",
        np.arcsin,
        quiet(lambda x: 1 / np.sqrt((1 - x) * (1 + x))),
        with_value(1.0, uniform(-0.9, 0.9, 5)),
        -1.0,
        1.0,
        limit=ENDLESS,
    ),
    bounded(
        "logit near 0 and 1",
        lambda x: np.log(x) - np.log1p(-x),
        lambda x: 1 / (x * (1 - x)),
        near([0.5], -1, -0.31, 6),
        0.0,
        1.0,
    ),
    bounded(
        "arctanh by logarithms",
        lambda x: (np.log1p(x) - np.log1p(-x)) / 2,
        lambda x: 1 / ((1 - x) * (1 + x)),
        lambda rng: 1 - decades(-9, -4, 6)(rng),
        -1.0,
        1.0,
        limit=NARROW,
    ),
    bounded(
        "sqrt(1 - x^2) near 1",
        lambda x: np.sqrt((1 - x) * (1 + x)),
        lambda x: -x / np.sqrt((1 - x) * (1 + x)),
        lambda rng: 1 - decades(-10, -4, 6)(rng),
        -1.0,
        1.0,
        limit=NARROW,
    ),
    bounded(
        "a single point for a domain's width",
        lambda x: x**3,
        lambda x: 3 * x * x,
        with_value(2.0, uniform(2, 2 + 1e-9, 5)),
        2.0,
        2 + 1e-9,
        limit="the domain is 1e-9 wide",
    ),
    bounded(
        "reciprocal from its bound",
        lambda x: 1 / x,
        lambda x: -1 / x**2,
        with_value(1e-6, decades(-6, -3, 6)),
        1e-6,
    ),
    member(
        "binary cross entropy near certainty",
        cross_entropy,
        entropy_vjp,
        near_certain,
        domains={"p": (0.0, 1.0, True)},
        fixed=("q",),
        nasty=True,
        elementwise=True,
        limit=NARROW,
    ),
    member(
        "log of a probability vector",
        of("p", np.log),
        lambda u, p: {"p": u / p},
        each(p=lambda rng: rng.dirichlet(np.full(8, 0.05)) + 1e-12),
        nasty=True,
        domains={"p": (0.0, None, True)},
        limit=NARROW,
    ),
]
