"""Elementwise functions with extreme scales, slopes, saturation or cancellation."""

from __future__ import annotations

import numpy as np

from benchmarks.zoo.entry import decades, normal, pointwise, uniform
from benchmarks.zoo.smooth import sigmoid, sigmoid_slope, softplus, tanh_slope

CANCELS = "cancellation leaves few of the output's digits"
DECADES = "entries many decades apart share one step, which must fit the smallest"
ALIASES = "the argument's own spacing is comparable with the period"


def nasty(name, f, slope, sample, **facts):
    """A numerically hard elementwise function."""
    return pointwise(name, f, slope, sample, nasty=True, **facts)


def stable_sigmoid(x):
    """Sigmoid that never overflows."""
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e))


def iterate_sine(x, times=12):
    """sin(3 x), twelve times."""
    for _ in range(times):
        x = np.sin(3 * x)
    return x


def iterate_sine_slope(x, times=12):
    """Its derivative."""
    slope = np.ones_like(x)
    for _ in range(times):
        slope = slope * 3 * np.cos(3 * x)
        x = np.sin(3 * x)
    return slope


ENTRIES = [
    nasty(
        "tanh of 1e8",
        lambda x: np.tanh(x / 1e8),
        lambda x: tanh_slope(x / 1e8) / 1e8,
        normal(6, scale=1e8),
    ),
    nasty("cube of 1e8", lambda x: x**3, lambda x: 3 * x * x, normal(5, scale=1e8)),
    nasty(
        "sin of 1e10 x",
        lambda x: np.sin(1e10 * x),
        lambda x: 1e10 * np.cos(1e10 * x),
        normal(6, scale=1e-10),
    ),
    nasty("square of 1e-10", lambda x: x * x, lambda x: 2 * x, normal(6, scale=1e-10)),
    nasty("square of 1e-150", lambda x: x * x, lambda x: 2 * x, normal(6, scale=1e-150)),
    nasty(
        "sigmoid slope 1e3",
        lambda x: stable_sigmoid(1e3 * x),
        lambda x: 1e3 * sigmoid_slope(1e3 * x),
        normal(6, scale=3e-3),
    ),
    nasty(
        "sigmoid slope 1e3 wide",
        lambda x: stable_sigmoid(1e3 * x),
        lambda x: 1e3 * sigmoid_slope(1e3 * x),
        normal(40, scale=0.5),
        limit="most entries are saturated, and now and then all are",
    ),
    nasty("sin 50x", lambda x: np.sin(50 * x), lambda x: 50 * np.cos(50 * x), normal(8)),
    nasty("sin 5000x", lambda x: np.sin(5000 * x), lambda x: 5000 * np.cos(5000 * x), normal(8)),
    nasty("sin at 1e8", np.sin, np.cos, normal(6, shift=1e8, scale=1e3), limit=ALIASES),
    nasty("sin at 1e15", np.sin, np.cos, normal(6, shift=1e15, scale=1e3), limit=ALIASES),
    nasty("cos at 1e11", np.cos, lambda x: -np.sin(x), normal(6, shift=1e11), limit=ALIASES),
    nasty("tanh saturated", np.tanh, tanh_slope, uniform(12, 18, 6), limit=CANCELS),
    nasty("sigmoid saturated", sigmoid, sigmoid_slope, uniform(25, 34, 6), limit=CANCELS),
    nasty("sigmoid far left", stable_sigmoid, sigmoid_slope, uniform(-600, -20, 6)),
    nasty("exp of 600", np.exp, np.exp, uniform(500, 600, 6)),
    nasty("exp of -600", np.exp, np.exp, uniform(-600, -500, 6)),
    nasty("log of 1e-300", np.log, lambda x: 1 / x, decades(-300, -299, 6), low=0.0, open=True),
    nasty(
        "log of mixed",
        np.log,
        lambda x: 1 / x,
        decades(-8, 8, 8),
        low=0.0,
        open=True,
        limit=DECADES,
    ),
    nasty("log of 1e300", np.log, lambda x: 1 / x, decades(299, 300, 6)),
    nasty("log near 1", np.log, lambda x: 1 / x, normal(6, shift=1, scale=1e-9)),
    nasty(
        "log sigmoid far left",
        lambda x: -softplus(-x),
        lambda x: stable_sigmoid(-x),
        uniform(-500, -100, 6),
    ),
    nasty(
        "naive log sigmoid",
        lambda x: np.log(sigmoid(x)),
        lambda x: stable_sigmoid(-x),
        uniform(10, 20, 6),
    ),
    nasty(
        "log1mexp",
        lambda x: np.log(-np.expm1(-x)),
        lambda x: 1 / np.expm1(x),
        decades(-6, 0, 6),
        low=0.0,
        open=True,
    ),
    nasty("naive expm1", lambda x: np.exp(x) - 1, np.exp, normal(6, scale=1e-10), limit=CANCELS),
    nasty(
        "naive log1p",
        lambda x: np.log(1 + x),
        lambda x: 1 / (1 + x),
        normal(6, scale=1e-9),
        limit=CANCELS,
    ),
    nasty("naive 1 - cos", lambda x: 1 - np.cos(x), np.sin, normal(6, scale=1e-6), limit=CANCELS),
    nasty(
        "naive versine ratio",
        lambda x: (1 - np.cos(x)) / x**2,
        lambda x: np.sin(x) / x**2 - 4 * np.sin(x / 2) ** 2 / x**3,
        uniform(2e-2, 6e-2, 6),
        limit=CANCELS,
        rounding=1e-7,
    ),
    nasty(
        "sinh by exponentials",
        lambda x: (np.exp(x) - np.exp(-x)) / 2,
        np.cosh,
        normal(6, scale=1e-7),
        limit=CANCELS,
    ),
    nasty("steep power", lambda x: x**40, lambda x: 40 * x**39, uniform(0.5, 2, 6)),
    nasty(
        "chained exponentials",
        lambda x: np.exp(np.exp(np.exp(x))),
        lambda x: np.exp(np.exp(np.exp(x))) * np.exp(np.exp(x)) * np.exp(x),
        uniform(0, 1.5, 5),
    ),
    nasty("iterated sine", iterate_sine, iterate_sine_slope, normal(5)),
    nasty(
        "bump",
        lambda x: np.exp(-1 / x**2),
        lambda x: 2 * np.exp(-1 / x**2) / x**3,
        uniform(0.05, 0.4, 6),
    ),
    nasty(
        "wild chirp",
        lambda x: np.sin(1 / x),
        lambda x: -np.cos(1 / x) / x**2,
        uniform(0.01, 0.02, 5),
    ),
    nasty("reciprocal of 1e-8", lambda x: 1 / x, lambda x: -1 / x**2, decades(-8, -7, 6)),
    nasty(
        "pole at 1",
        lambda x: 1 / (1 - x),
        lambda x: 1 / (1 - x) ** 2,
        lambda rng: 1 - decades(-5, -3, 5, signed=True)(rng),
    ),
    nasty(
        "tan near its pole",
        np.tan,
        lambda x: 1 / np.cos(x) ** 2,
        lambda rng: np.pi / 2 - decades(-4, -2, 5, signed=True)(rng),
    ),
    nasty(
        "narrow lorentzian",
        lambda x: 1e-12 / (x * x + 1e-12),
        lambda x: -2e-12 * x / (x * x + 1e-12) ** 2,
        normal(6, scale=1e-6),
    ),
    nasty(
        "lorentzian far off",
        lambda x: 1 / ((x - 3) ** 2 + 1e-8),
        lambda x: -2 * (x - 3) / ((x - 3) ** 2 + 1e-8) ** 2,
        lambda rng: 3 + decades(-4, -2, 6, signed=True)(rng),
    ),
    nasty(
        "smooth abs",
        lambda x: np.sqrt(x * x + 1e-16),
        lambda x: x / np.sqrt(x * x + 1e-16),
        decades(-9, 0, 8, signed=True),
    ),
    nasty("mixed magnitudes", lambda x: x * x, lambda x: 2 * x, decades(-8, 8, 12, signed=True)),
    nasty(
        "offset 1e8",
        lambda x: 1e8 + np.sin(x),
        np.cos,
        normal(6),
        limit="an offset of 1e8 leaves eight digits",
    ),
    nasty(
        "offset 1e12",
        lambda x: 1e12 + np.sin(x),
        np.cos,
        normal(6),
        limit="an offset of 1e12 leaves four digits",
    ),
    nasty(
        "saturated gelu",
        lambda x: x * stable_sigmoid(1.702 * x),
        lambda x: stable_sigmoid(1.702 * x) + 1.702 * x * sigmoid_slope(1.702 * x),
        uniform(-400, -20, 6),
    ),
    nasty(
        "subnormal output",
        lambda x: 1e-310 * x,
        lambda x: np.full_like(x, 1e-310),
        normal(6),
        limit="subnormal numbers carry few digits",
        rounding=1e-9,
    ),
]
