"""The zoo's truth: the same forward on 100-digit numbers, differentiated there.

NumPy's functions call the method of their name on every element of an object array, so a forward
written in NumPy runs on mpmath numbers as it stands.
"""

from __future__ import annotations

import math

import mpmath
import numpy as np
from mpmath.ctx_mp import MPContext

DIGITS = 100
STEP = 30  # decimal places of the step: truncation 1e-60, rounding 1e-70, both times the stiffness

ctx = MPContext()
ctx.dps = DIGITS

UNARY = [
    "exp",
    "log",
    "sin",
    "cos",
    "tan",
    "tanh",
    "sinh",
    "cosh",
    "sqrt",
    "log1p",
    "expm1",
    "cbrt",
]
RENAMED = {"arctan": ctx.atan, "arcsin": ctx.asin, "arccos": ctx.acos, "rint": ctx.nint}
BINARY = {"arctan2": ctx.atan2, "hypot": ctx.hypot}


def _method(function):
    """A function as a method."""

    def method(self, *others):
        return function(self, *others)

    return method


def _equip() -> None:
    known = {name: getattr(ctx, name) for name in UNARY} | RENAMED | BINARY
    for kind in (ctx.mpf, ctx.mpc):
        for name, function in known.items():
            setattr(kind, name, _method(function))
    ctx.mpf.__floor__ = lambda self: int(ctx.floor(self))


_equip()


def is_exact(x) -> bool:
    """Whether x holds high-precision numbers."""
    return isinstance(x, np.ndarray) and x.dtype.hasobject


def either(fast, exact):
    """A function of one array: `fast` on floats, `exact` on each high-precision number."""
    many = np.frompyfunc(exact, 1, 1)
    return lambda x: many(x) if is_exact(x) else fast(x)


def lift(x: np.ndarray) -> np.ndarray:
    """The same numbers, to 100 digits."""
    if np.iscomplexobj(x):
        return np.array(np.frompyfunc(ctx.mpc, 1, 1)(x), dtype=object)
    return np.array(np.frompyfunc(ctx.mpf, 1, 1)(np.asarray(x, float)), dtype=object)


def real(x):
    """Real part, also of high-precision numbers."""
    return np.frompyfunc(ctx.re, 1, 1)(x) if is_exact(x) else np.real(x)


def imag(x):
    """Imaginary part, also of high-precision numbers."""
    return np.frompyfunc(ctx.im, 1, 1)(x) if is_exact(x) else np.imag(x)


def matrix(a: np.ndarray):
    """An mpmath matrix."""
    return ctx.matrix(a.tolist())


def array(m) -> np.ndarray:
    """An object array from an mpmath matrix (or a list of numbers)."""
    return np.array(m.tolist() if hasattr(m, "tolist") else list(m), dtype=object)


def inner(u, y):
    """Real inner product of cotangents and outputs, to 100 digits."""
    us, ys = (v if isinstance(v, tuple) else (v,) for v in (u, y))
    total = ctx.mpf(0)
    for a, b in zip(us, ys, strict=True):
        for p, q in zip(
            np.ravel(lift(np.asarray(a))), np.ravel(np.asarray(b, object)), strict=True
        ):
            total += ctx.re(ctx.conj(p) * q)
    return total


def slope(entry, inputs, cotangent, name: str, direction: np.ndarray):
    """d/dt <cotangent, forward(inputs with name + t direction)> at 0, as an mpf."""
    scale = float(np.max(np.abs(inputs[name]), initial=0.0)) or 1.0
    step = ctx.mpf(10) ** (math.floor(math.log10(scale)) - STEP)
    exact = {k: lift(v) if k in entry.names(inputs) else v for k, v in inputs.items()}
    v = lift(direction)

    def value(t):
        return inner(cotangent, entry.truth(**{**exact, name: exact[name] + t * v}))

    return (value(step) - value(-step)) / (2 * step)


def reference_gradient(entry, inputs, cotangent, name: str) -> np.ndarray:
    """The whole gradient of one input, rounded once to float64: slow, for small arrays."""
    x = np.asarray(inputs[name])
    gradient = np.zeros(x.shape, complex if np.iscomplexobj(x) else float)
    for index in np.ndindex(x.shape):
        for unit in (1.0, 1j) if np.iscomplexobj(x) else (1.0,):
            e = np.zeros(x.shape, gradient.dtype)
            e[index] = unit
            gradient[index] += unit * float(slope(entry, inputs, cotangent, name, e))
    return gradient


__all__ = ["ctx", "either", "imag", "inner", "is_exact", "lift", "mpmath", "real", "slope"]
