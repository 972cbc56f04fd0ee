"""Interpolation in tables: smooth between knots, less smooth at them."""

from __future__ import annotations

import numpy as np
from scipy.interpolate import CubicSpline, PchipInterpolator

from benchmarks.zoo.entry import each, member, near, normal, pointwise, uniform
from benchmarks.zoo.kinked import CLOSE, THERE

KNOTS = np.linspace(0, 4, 9)
VALUES = np.cos(3 * KNOTS) + KNOTS / 2
SPLINE = CubicSpline(KNOTS, VALUES)
PCHIP = PchipInterpolator(KNOTS, VALUES)


def table(name, curve, sample, **facts):
    """An interpolating curve on [0, 4] with scipy's own derivative."""
    return pointwise(
        name,
        curve,
        lambda x: curve(x, 1),
        sample,
        low=0.0,
        high=4.0,
        exact=False,
        nasty=True,
        kinks=True,
        **facts,
    )


def linear(x):
    """Linear interpolation of VALUES."""
    return np.interp(x, KNOTS, VALUES)


def linear_slope(x):
    """Slope of the piece on the left of a knot."""
    piece = np.clip(np.searchsorted(KNOTS, x) - 1, 0, len(KNOTS) - 2)
    return np.diff(VALUES)[piece] / np.diff(KNOTS)[piece]


def lookup(x, values):
    """Linear interpolation on the grid 0, 1, 2, ..."""
    i = np.floor(x).astype(int)
    t = x - i
    return (1 - t) * values[i] + t * values[i + 1]


def lookup_vjp(u, x, values):
    """Both neighbours share the cotangent; indices repeat."""
    i = np.floor(x).astype(int)
    t = x - i
    g = np.zeros_like(values)
    np.add.at(g, i, u * (1 - t))
    np.add.at(g, i + 1, u * t)
    return {"x": u * (values[i + 1] - values[i]), "values": g}


def bilinear(image, y, x):
    """Bilinear sampling of an image."""
    i, j = np.floor(y).astype(int), np.floor(x).astype(int)
    s, t = y - i, x - j
    top = (1 - t) * image[i, j] + t * image[i, j + 1]
    return (1 - s) * top + s * ((1 - t) * image[i + 1, j] + t * image[i + 1, j + 1])


def bilinear_vjp(u, image, y, x):
    """Gradient with respect to the image and the place."""
    i, j = np.floor(y).astype(int), np.floor(x).astype(int)
    s, t = y - i, x - j
    g = np.zeros_like(image)
    for a, b, w in (
        (0, 0, (1 - s) * (1 - t)),
        (0, 1, (1 - s) * t),
        (1, 0, s * (1 - t)),
        (1, 1, s * t),
    ):
        np.add.at(g, (i + a, j + b), u * w)
    dy = (1 - t) * (image[i + 1, j] - image[i, j]) + t * (image[i + 1, j + 1] - image[i, j + 1])
    dx = (1 - s) * (image[i, j + 1] - image[i, j]) + s * (image[i + 1, j + 1] - image[i + 1, j])
    return {"image": g, "y": u * dy, "x": u * dx}


def soft_histogram(x):
    """Triangular bins of width 1 centred at 0 .. 4."""
    return np.maximum(1 - np.abs(x[:, None] - np.arange(5)), 0).sum(0)


def soft_histogram_vjp(u, x):
    """Slopes of the triangles."""
    d = x[:, None] - np.arange(5)
    return {"x": (u * -np.sign(d) * (np.abs(d) < 1)).sum(1)}


BETWEEN = near(KNOTS[1:-1], -6, -1, 6)
ENTRIES = [
    pointwise(
        "linear table",
        linear,
        linear_slope,
        uniform(0.01, 3.99, 8),
        low=0.0,
        high=4.0,
        exact=False,
        nasty=True,
        kinks=True,
    ),
    pointwise(
        "linear table near knots",
        linear,
        linear_slope,
        BETWEEN,
        low=0.0,
        high=4.0,
        exact=False,
        nasty=True,
        kinks=True,
    ),
    pointwise(
        "linear table at knots",
        linear,
        linear_slope,
        lambda rng: rng.choice(KNOTS[1:-1], 5),
        low=0.0,
        high=4.0,
        exact=False,
        nasty=True,
        kinks=True,
        limit=THERE,
    ),
    table("cubic spline", SPLINE, uniform(0.01, 3.99, 8)),
    table("cubic spline near knots", SPLINE, BETWEEN),
    table("cubic spline at knots", SPLINE, lambda rng: rng.choice(KNOTS, 6)),
    table("monotone cubic near knots", PCHIP, BETWEEN),
    table(
        "monotone cubic at knots",
        PCHIP,
        lambda rng: rng.choice(KNOTS[1:-1], 6),
        limit="the second derivative jumps at the point: differences are of first order",
    ),
    member(
        "embedded linear lookup",
        lookup,
        lookup_vjp,
        each(x=uniform(0.05, 4.95, 9), values=normal(6)),
        domains={"x": (0.0, 4.999, False)},
        nasty=True,
        kinks=True,
    ),
    member(
        "bilinear sampling near cell edges",
        bilinear,
        bilinear_vjp,
        each(image=normal(5, 5), y=near([1.0, 2.0, 3.0], -6, -1, 6), x=uniform(0.1, 3.9, 6)),
        domains={"y": (0.0, 3.999, False), "x": (0.0, 3.999, False)},
        nasty=True,
        kinks=True,
    ),
    member(
        "soft histogram",
        soft_histogram,
        soft_histogram_vjp,
        each(x=uniform(0.5, 3.5, 10)),
        nasty=True,
        kinks=True,
    ),
    member(
        "soft histogram near edges",
        soft_histogram,
        soft_histogram_vjp,
        each(x=near([1.0, 2.0, 3.0], -8, -2, 8)),
        nasty=True,
        kinks=True,
        limit=CLOSE,
    ),
]
