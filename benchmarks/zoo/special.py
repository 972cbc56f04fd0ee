"""SciPy's special functions, whose algorithm changes with the argument."""

from __future__ import annotations

import numpy as np
from scipy import special

from benchmarks.zoo.entry import decades, pointwise, uniform
from benchmarks.zoo.precise import ctx, either


def listed(name, fast, twin, slope, sample, **facts):
    """A special function with its mpmath twin."""
    return pointwise(name, either(fast, twin), slope, sample, **facts)


def pdf(x):
    """Normal density."""
    return np.exp(-x * x / 2) / np.sqrt(2 * np.pi)


def mills(x):
    """d/dx log ndtr(x), without underflow."""
    return np.sqrt(2 / np.pi) / special.erfcx(-x / np.sqrt(2))


ENTRIES = [
    listed("log gamma", special.gammaln, ctx.loggamma, special.digamma, uniform(0.5, 10, 6)),
    listed(
        "digamma",
        special.digamma,
        ctx.digamma,
        lambda x: special.polygamma(1, x),
        uniform(0.5, 8, 6),
    ),
    listed(
        "bessel j0",
        special.j0,
        lambda x: ctx.besselj(0, x),
        lambda x: -special.j1(x),
        uniform(0.5, 20, 6),
    ),
    listed(
        "log gamma of 1e8",
        special.gammaln,
        ctx.loggamma,
        special.digamma,
        uniform(1e7, 1e8, 5),
        nasty=True,
    ),
    listed(
        "log gamma near its root",
        special.gammaln,
        ctx.loggamma,
        special.digamma,
        uniform(1.99, 2.01, 5),
        nasty=True,
    ),
    listed(
        "digamma near its root",
        special.digamma,
        ctx.digamma,
        lambda x: special.polygamma(1, x),
        uniform(1.46, 1.463, 5),
        nasty=True,
    ),
    listed(
        "log of the normal tail",
        special.log_ndtr,
        lambda x: ctx.log(ctx.erfc(-x / ctx.sqrt(2)) / 2),
        mills,
        uniform(-40, -5, 5),
        nasty=True,
    ),
    listed(
        "inverse normal near 0",
        special.ndtri,
        lambda p: -ctx.sqrt(2) * ctx.erfinv(1 - 2 * p),
        lambda p: 1 / pdf(special.ndtri(p)),
        decades(-9, -4, 5),
        low=0.0,
        high=1.0,
        open=True,
        nasty=True,
        exact=False,
    ),
    listed(
        "bessel j0 of 1e6",
        special.j0,
        lambda x: ctx.besselj(0, x),
        lambda x: -special.j1(x),
        uniform(1e6, 1.001e6, 5),
        nasty=True,
    ),
    listed(
        "log bessel i0",
        lambda x: np.log(special.i0e(x)) + np.abs(x),
        ctx.mpf,
        lambda x: special.i1e(x) / special.i0e(x),
        uniform(1, 700, 5),
        nasty=True,
        exact=False,
    ),
    listed(
        "erfcx",
        special.erfcx,
        lambda x: ctx.exp(x * x) * ctx.erfc(x),
        lambda x: 2 * x * special.erfcx(x) - 2 / np.sqrt(np.pi),
        uniform(-2, 4, 5),
        nasty=True,
    ),
]
