"""The derivative from one evaluation at a complex point, exact to rounding, where that is allowed.

Squire and Trapp, "Using complex variables to estimate derivatives of real functions" (1998):
f'(x) v = Im f(x + i h v) / h, with no difference taken and h as small as one likes. It asks of
forward that it accept complex numbers and treat them analytically: no abs, no comparison, no
conjugate. Where it does not, there is no answer rather than a wrong one.
"""

from __future__ import annotations

import math

import numpy as np

from gradcheck.judgement.problem import Arrays
from gradcheck.oracles.finite_difference import SKIPPED, Line

# Below the square root of the smallest normal number, h^2 f'' is lost against f even where f is
# 1e-100; above it, h f' is not yet subnormal.
STEP = 2.0**-300
# The real parts must be f(x) to rounding: what a function that drops them does not satisfy.
SAME = 2.0**-40


def complex_step(line: Line) -> float | None:
    """The derivative along a line, None where forward does not admit complex inputs.

    Real inputs only. None as well where a finite difference far off says that forward is not
    analytic: np.abs and np.maximum accept complex numbers and mean something else by them.
    """
    backend = line.problem.backend
    if any(backend.is_complex(line.problem.point[name]) for name in line.direction):
        return None
    line.evaluations += 1
    try:
        with np.errstate(all="ignore"):
            outputs = line.problem.forward(_turned(line))
    except (*SKIPPED, TypeError):
        return None
    total = 0.0
    for y, y0, u in zip(outputs, line.base, line.cotangent, strict=True):
        values, before = backend.to_numpy(y), backend.to_numpy(y0)
        if values.shape != before.shape or not np.iscomplexobj(values):
            return None
        if not np.allclose(values.real, before, rtol=SAME, atol=0.0):
            return None
        total += float(np.sum(backend.to_numpy(u) * values.imag)) / STEP
    return total if math.isfinite(total) and _plausible(line, total) else None


def _turned(line: Line) -> Arrays:
    backend = line.problem.backend
    point = line.moved(0.0)
    for name, v in line.direction.items():
        x = backend.to_numpy(line.problem.point[name])
        point[name] = backend.from_numpy(x + 1j * STEP * backend.to_numpy(v))
    return point


def _plausible(line: Line, value: float) -> bool:
    """Whether a plain central difference is of the same size: a mere guard, not an estimate."""
    step = 2.0**-17
    ahead, behind = line.difference(step), line.difference(-step)
    if ahead is None or behind is None:
        return False
    rough = (line.project(ahead) - line.project(behind)) / (2 * step)
    size = math.hypot(line.weight(ahead), line.weight(behind)) / step
    return abs(rough - value) <= 1e-3 * max(abs(rough), size)
