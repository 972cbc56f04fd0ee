"""The numerical gradient itself, entry by entry: for small inputs, and for chosen entries."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from gradcheck.backends.base import Array
from gradcheck.judgement.problem import Outputs, Problem
from gradcheck.oracles import directions, noise, plateaus
from gradcheck.oracles import finite_difference as fd
from gradcheck.oracles.estimate import Estimate, settle

# Relative error at which an entry needs no further levels.
ENOUGH = 1e-8
DEEP = tuple(range(-44, -105, -10))
# Beside the others an entry is small below this share of their scale.
SMALL = 2.0**-16


def numerical_gradient(
    problem: Problem,
    name: str,
    cotangent: Outputs,
    indices: Iterable[int] | None = None,
    *,
    outputs: Outputs | None = None,
    deep: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Entries of the gradient of <cotangent, forward>, and their estimated errors.

    indices: flat (C order) indices; None takes every entry and gives arrays of the input's shape.
    About 9 to 66 evaluations of forward an entry, twice that for a complex one. An entry without
    room to move in its domain is NaN with infinite error. deep: an entry that is exactly zero, and
    so has no rounding of its own, is stepped ever finer: 1 / 1e-12 is a slope that norms have. One
    that is small beside the others is stepped in its own units as well.
    """
    backend = problem.backend
    x = problem.point[name]
    shape = backend.shape(x)
    if outputs is None:
        outputs = problem.forward(fd.fresh(problem))
    base = tuple(backend.copy(y) for y in outputs)
    wanted = list(range(math.prod(shape)) if indices is None else indices)
    found = [_entry(problem, name, cotangent, base, int(i), deep) for i in wanted]
    dtype = complex if backend.is_complex(x) else float
    values = np.array([value for value, _ in found], dtype=dtype)
    errors = np.array([error for _, error in found], dtype=float)
    if indices is None:
        return values.reshape(shape), errors.reshape(shape)
    return values, errors


def _entry(
    problem: Problem, name: str, cotangent: Outputs, base: Outputs, index: int, deep: bool
) -> tuple[complex, float]:
    complex_valued = problem.backend.is_complex(problem.point[name])
    real, error = _partial(problem, name, cotangent, base, index, 1.0, deep)
    if not complex_valued:
        return real, error
    imaginary, other = _partial(problem, name, cotangent, base, index, 1j, deep)
    return complex(real, imaginary), math.hypot(error, other)


def _partial(
    problem: Problem,
    name: str,
    cotangent: Outputs,
    base: Outputs,
    index: int,
    unit: complex,
    deep: bool,
) -> tuple[float, float]:
    backend, x = problem.backend, problem.point[name]
    usual, own = directions.scale(backend, x), abs(backend.gather(x, np.array([index]))[0])

    def stepped(size: float) -> tuple[float, float]:
        v = unit_direction(backend.to_numpy(x), index, size * unit)
        placed = directions.place(backend, x, backend.from_numpy(v), problem.domains.get(name))
        if not placed:
            return math.nan, math.inf
        finer = DEEP if deep and own == 0 else ()
        found = [_along(problem, name, cotangent, base, index, way, finer) for way in placed[0]]
        return min(found, key=lambda pair: pair[1] if math.isfinite(pair[1]) else math.inf)

    if not deep or not 0 < own < SMALL * usual:
        return stepped(usual)
    far, near = stepped(usual), stepped(own)
    # Of two that contradict each other the nearer one is the derivative.
    apart = abs(near[0] - far[0]) > near[1] + far[1]
    return near if apart or near[1] < far[1] else far


def _along(
    problem: Problem,
    name: str,
    cotangent: Outputs,
    base: Outputs,
    index: int,
    way: directions.Placed,
    finer: tuple[int, ...],
) -> tuple[float, float]:
    """The derivative by one entry, walked one way, and its error."""
    line = fd.Line(problem, base, cotangent, {name: way.direction}, way.stencil, way.reach)
    estimate = derivative(line, finer=finer)
    step = complex(problem.backend.gather(way.direction, np.array([index]))[0])
    sign = 1.0 if step.imag else math.copysign(1.0, step.real)
    return sign * estimate.value / abs(step), estimate.error / abs(step)


def unit_direction(like: Array, index: int, value: complex) -> np.ndarray:
    """An array of `like`'s shape and dtype, zero but for one entry."""
    v = np.zeros_like(like)
    v.reshape(-1)[index] = value if np.iscomplexobj(like) else complex(value).real
    return np.asarray(v)


def derivative(line: fd.Line, enough: float = ENOUGH, finer: tuple[int, ...] = ()) -> Estimate:
    """The derivative along a line, with as many levels as its own error asks for.

    finer: exponents of further levels, all of which are tried.
    """
    scans: list[fd.Scan] = []
    estimate = settle(line, scans)
    for exponent in (*finer, *fd.EXPONENTS):
        step = 2.0**exponent
        if max(map(abs, line.stencil.nodes)) * step > line.reach:
            continue
        found = fd.scan(line, step)
        if found is None:
            continue
        scans.append(found)
        estimate = settle(line, *plateaus.trusted(scans, line.unit))
        if len(scans) < len(finer):
            continue
        small = estimate.error <= enough * abs(estimate.value)
        if small or (len(scans) >= len(finer) + 3 and _rounding_alone(estimate, scans)):
            break
    return estimate


def _rounding_alone(estimate: Estimate, scans: list[fd.Scan]) -> bool:
    """Whether the error is that of rounding, seen at a finer step too: yet finer ones have more."""
    chosen = next(level for level in estimate.levels if level.chosen)
    if chosen is estimate.levels[-1] or chosen.truncation > chosen.noise:
        return False
    scan = next(scan for scan in scans if scan.step == chosen.step)
    return scan.eta <= noise.FLOOR * scan.rounding
