"""Claims that are not finite: right where the derivative is infinite, wrong where it exists."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from gradcheck.backends.base import Array
from gradcheck.judgement.case import Case, prepare
from gradcheck.judgement.jacobian import numerical_gradient, unit_direction
from gradcheck.judgement.problem import Domain, Outputs, WrongEntry
from gradcheck.oracles import directions
from gradcheck.oracles import finite_difference as fd

MOST = 8
# Quotients at 2^-4, 2^-9, ...: where their increments do not shrink, they diverge, be it like a
# root (factor 2^(5/2)) or like a logarithm (factor 1); smooth functions shrink them by 32.
SHRINKING = 0.5
# A root rises by 2^-15 as much over the last step as over the first, a leap by as much.
LEAP = 2.0**-5
# And rises by more than the rounding of the outputs.
ROUNDED = 2.0**-44


def without_nonfinite_outputs(case: Case) -> Case:
    """The case with cotangent zero, and forward held at zero, where f(x) is not finite.

    The claim is asked again for that cotangent.
    """
    backend, problem = case.backend, case.problem
    shown = [np.isfinite(backend.to_numpy(y)).astype(float) for y in case.base]
    masks = tuple(
        backend.cast(backend.from_numpy(np.asarray(m)), _real_name(backend.dtype_name(y)))
        for m, y in zip(shown, case.base, strict=True)
    )

    def cut(arrays: Outputs) -> Outputs:
        return tuple(backend.select(m, a) for m, a in zip(masks, arrays, strict=True))

    seen = dataclasses.replace(problem, forward=lambda arrays: cut(problem.forward(arrays)))
    cotangent = cut(case.cotangent)
    made = prepare(seen, cotangent, case.seed, case.target, outputs=cut(case.base))
    return dataclasses.replace(made, partial=True)


def _real_name(dtype: str) -> str:
    return {"complex128": "float64", "complex64": "float32"}.get(dtype, dtype)


def spread_out(bad: np.ndarray) -> np.ndarray:
    """At most a few flat indices of the True entries, evenly spread."""
    indices = np.flatnonzero(bad)
    return indices[:: max(1, math.ceil(len(indices) / MOST))]


def offences(case: Case, name: str, bad: np.ndarray) -> tuple[WrongEntry, ...]:
    """Non-finite entries of the claim where the derivative is not infinite of that sign."""
    claims = case.backend.to_numpy(case.claim[name]).reshape(-1)
    found = []
    for index in spread_out(bad):
        signs = infinite_signs(case, name, int(index))
        if signs and _matches(claims[index], signs):
            continue
        found.append(_entry(case, name, int(index), claims[index], signs))
    return tuple(found)


def contrary(case: Case, name: str) -> tuple[WrongEntry, ...]:
    """Finite entries of the claim whose derivative is infinite, of the other sign.

    Looked for where roots and logarithms have theirs: at zero and at the ends of the domain. A
    claim of zero, and one of the right sign, is a convention there.
    """
    claims, found = case.backend.to_numpy(case.claim[name]), []
    for index in map(int, spread_out(_at_ends(case, name) & (claims != 0))):
        said = claims.reshape(-1)[index]
        signs = infinite_signs(case, name, index, leaps=False)
        if len(signs) == 1 and said.real * next(iter(signs)) < 0:
            found.append(_entry(case, name, index, said, signs))
    return tuple(found)


def conventional(case: Case, name: str) -> np.ndarray:
    """Entries whose derivative is infinite and whose claim is zero, or finite and of its sign.

    As of p log p at p = 0. Of many that are zero alike a few are tried for all.
    """
    claims, ends = case.backend.to_numpy(case.claim[name]), _at_ends(case, name)
    tried = [int(index) for index in spread_out(ends)]
    found = np.zeros(ends.shape, dtype=bool)
    for index in tried:
        signs = infinite_signs(case, name, index, leaps=False)
        said = claims.reshape(-1)[index].real
        found.reshape(-1)[index] = signs and all(said * sign >= 0 for sign in signs)
    return np.asarray(found | (ends & (claims == 0)) if found.sum() == len(tried) else found)


def _at_ends(case: Case, name: str) -> np.ndarray:
    """Entries at zero, or at an end of the domain."""
    domain = case.problem.domains.get(name, Domain())
    ends = [0.0, *(end for end in (domain.low, domain.high) if end is not None)]
    return np.asarray(np.isin(case.backend.to_numpy(case.x(name)), ends))


def _matches(said: complex, signs: set[float]) -> bool:
    if len(signs) > 1:
        return True  # infinite of either sign: no derivative, and NaN says so
    return bool(np.isinf(said.real)) and math.copysign(1.0, said.real) in signs


def _entry(case: Case, name: str, index: int, said: complex, signs: set[float]) -> WrongEntry:
    shape = case.backend.shape(case.x(name))
    where = tuple(int(k) for k in np.unravel_index(index, shape)) if shape else ()
    returned = complex(said) if np.iscomplexobj(said) else float(said.real)
    if signs:
        return WrongEntry(where, next(iter(signs)) * math.inf, returned)
    values, errors = numerical_gradient(
        case.problem, name, case.cotangent, [index], outputs=case.base
    )
    # What is less than its own error is said to be 0.
    values = np.where(np.abs(values) <= errors, 0.0, values)
    expected = complex(values[0]) if np.iscomplexobj(values) else float(values[0])
    return WrongEntry(where, expected, returned)


def infinite_signs(case: Case, name: str, index: int, leaps: bool = True) -> set[float]:
    """Signs of the infinite one-sided derivatives along one entry; empty where they are finite.

    leaps: whether a leap of forward counts as an infinite derivative.
    """
    backend = case.backend
    x = case.x(name)
    size = directions.scale(backend, x)
    v = backend.from_numpy(unit_direction(backend.to_numpy(x), index, size))
    signs: set[float] = set()
    for way, reach in ways(case, name, v):
        line = case.line({name: way}, reach=reach)
        growth = diverging(line, leaps)
        if growth:
            signs.add(growth * float(np.sign(backend.gather(way, np.array([index]))[0].real)))
    return signs


def ways(case: Case, name: str, v: Array) -> list[tuple[Array, float]]:
    """The directions v and -v with how far each may go before it leaves the domain."""
    domain = case.problem.domains.get(name)
    backend = case.backend
    if domain is None:
        return [(v, math.inf), (backend.combine([-1.0], [v]), math.inf)]
    placed = directions.place(backend, case.x(name), v, domain)
    return [
        (backend.combine([sign], [p.direction]), p.reach)
        for group in placed
        for p in group
        for sign in ((1.0, -1.0) if p.stencil.nodes[0] < 0 else (1.0,))
    ]


def diverging(line: fd.Line, leaps: bool = True) -> float:
    """Sign of the infinite one-sided derivative along +t, 0.0 where it is finite."""
    quotients, rises = [], []
    for exponent in range(-4, -40, -5):
        step = 2.0**exponent
        difference = line.difference(step) if step <= line.reach else None
        if difference is not None:
            rises.append(line.project(difference))
            quotients.append(rises[-1] / step)
    sizes = np.abs(quotients)
    if len(sizes) < 5 or not np.all(np.isfinite(sizes)):
        return 0.0
    rounding = ROUNDED * line.weight(line.base)
    if not leaps and (abs(rises[-1]) > LEAP * abs(rises[0]) or abs(rises[-1]) < rounding):
        return 0.0
    steps = np.diff(sizes)
    grows = np.all(steps > 0) and np.all(steps[1:] > SHRINKING * steps[:-1])
    return float(np.sign(quotients[-1])) if grows else 0.0
