"""Directions to differentiate along: dense, of random sign, in the input's units, in its domain."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gradcheck.backends.base import Array, Backend
from gradcheck.judgement.problem import Domain
from gradcheck.oracles import stencils

# An entry nearer to a bound than this share of the scale is differentiated from one side only:
# shrinking its direction to the room left would hide its error behind the other entries'.
EDGE = 2.0**-10
# Widest |t| on a line limited by a domain: four central steps of 2^-4, eight one-sided ones.
CENTRAL_REACH = 0.25
FORWARD_REACH = 0.5


@dataclass(frozen=True)
class Placed:
    """A direction, the stencil to walk it with, and the largest |t| that stays in the domain."""

    direction: Array
    stencil: stencils.Stencil
    reach: float = math.inf


def scale(backend: Backend, array: Array) -> float:
    """A power of two near the root mean square of the finite array; 1 where it is all zero.

    A power of two, so that step times scale keeps the bits of the random numbers.
    """
    size = max(1, math.prod(backend.shape(array)))
    rms = backend.norm(array) / math.sqrt(size)
    return _power_of_two(rms) if 0.0 < rms < math.inf else 1.0


def random_direction(backend: Backend, x: Array, seed: int) -> Array:
    """Signs times U[1/2, 1] times the scale of `x`.

    Equal magnitudes cancel equal errors and Gaussian ones miss single entries: magnitudes in
    [1/2, 1] do neither.
    """
    return backend.random_signs(x, seed, scale(backend, x))


def relative_direction(backend: Backend, x: Array, seed: int) -> Array:
    """Like `random_direction`, but each entry in its own units: for magnitudes that differ widely.

    Zero entries, which have no units, take the smallest magnitude present.
    """
    values = np.abs(backend.to_numpy(x))
    present = values[(values > 0) & np.isfinite(values)]
    units = np.where(values > 0, values, present.min() if present.size else 1.0)
    units = 2.0 ** np.round(np.log2(np.where(np.isfinite(units), units, 1.0)))
    return backend.multiply(
        backend.random_signs(x, seed), backend.from_numpy(units.astype(values.dtype))
    )


def spans(backend: Backend, x: Array) -> bool:
    """Whether some entries are too small to be moved in the units of the whole."""
    values = np.abs(backend.to_numpy(x))
    present = values[(values > 0) & np.isfinite(values)]
    return bool(present.size) and float(present.min()) < 2.0**-6 * scale(backend, x)


def own_units(x: np.ndarray, domain: Domain, usual: float) -> np.ndarray:
    """By entry near a bound, the length over which a function may vary there; inf elsewhere.

    Its distance to the bound; at the bound its own magnitude, or inf where that is zero. usual:
    the scale of the input.
    """
    below, above = _room(x, domain)
    inner = np.minimum(below, above)
    size = np.where(x != 0, np.abs(x), np.inf)
    own = np.where(inner > 0, np.minimum(inner, size), size)
    return np.where(inner < EDGE * usual, own, np.inf)


def place(backend: Backend, x: Array, v: Array, domain: Domain | None) -> list[list[Placed]]:
    """`v` as directions that stay inside the domain, each with its alternatives.

    First the interior; then the entries near a bound, in units of their distance to it and, should
    that not tell, from one side in those of the input; then those at a bound, from one side. From
    one side there is a last alternative, in the entry's own units: a logarithm lives in them.
    """
    if domain is None or (domain.low is None and domain.high is None):
        return [[Placed(v, stencils.central())]]
    point, wanted = backend.to_numpy(x), backend.to_numpy(v)
    below, above = _room(point, domain)
    inner = np.minimum(below, above)
    edge = inner < EDGE * np.abs(wanted)
    near = edge & (inner > 0)
    central = _shrunk(wanted, inner / CENTRAL_REACH)
    inward = np.where(above >= below, 1.0, -1.0) * np.abs(wanted)
    outer = _shrunk(inward, np.maximum(below, above) / FORWARD_REACH)
    inmost = _shrunk(outer, own_units(point, domain, np.inf))
    limited = bool(np.any(inner < np.abs(wanted) * 2.0**40))

    def placed(d: np.ndarray, where: np.ndarray, stencil: stencils.Stencil) -> list[Placed]:
        chosen = np.where(where, d, 0.0).astype(wanted.dtype)
        widest = CENTRAL_REACH if stencil is stencils.central() else FORWARD_REACH
        reach = widest if limited else math.inf
        return [Placed(backend.from_numpy(chosen), stencil, reach)] if np.any(chosen) else []

    def one_sided(where: np.ndarray) -> list[Placed]:
        finer = np.any(where & (np.abs(inmost) < np.abs(outer) * EDGE))
        last = placed(inmost, where, stencils.forward()) if finer else []
        return placed(outer, where, stencils.forward()) + last

    groups = [
        placed(central, ~edge, stencils.central()),
        placed(central, near, stencils.central()) + one_sided(near),
        one_sided(edge & ~near),
    ]
    return [group for group in groups if group]


def _room(point: np.ndarray, domain: Domain) -> tuple[np.ndarray, np.ndarray]:
    """Distance to the lower and to the upper bound; half of it where the bound is left out."""
    share = 0.5 if domain.open else 1.0
    free = np.full(point.shape, np.inf)
    below = free if domain.low is None else np.maximum(point - domain.low, 0.0) * share
    above = free if domain.high is None else np.maximum(domain.high - point, 0.0) * share
    return below, above


def _shrunk(wanted: np.ndarray, room: np.ndarray) -> np.ndarray:
    """`wanted` with magnitudes cut to a power of two below `room` where that is less."""
    with np.errstate(divide="ignore"):
        allowed = 2.0 ** np.floor(np.log2(np.where(room > 0, room, 1.0)))
    size = np.abs(wanted)
    unit = 2.0 ** np.ceil(np.log2(np.where(size > 0, size, 1.0)))
    factor = np.minimum(1.0, allowed / unit)
    return np.asarray(np.where(room > 0, wanted * factor, 0.0))


def _power_of_two(value: float) -> float:
    return 2.0 ** round(math.log2(value))
