"""One problem with its cotangent, f(x) and claim: what every part of the engine shares."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from gradcheck.backends.base import Array, Backend
from gradcheck.judgement.compare import claimed, compare
from gradcheck.judgement.comparison import Claimed, Comparison
from gradcheck.judgement.problem import Arrays, Outputs, Problem
from gradcheck.oracles import directions, stencils
from gradcheck.oracles import finite_difference as fd


@dataclass(frozen=True)
class Case:
    """A problem at one cotangent.

    base: forward(point), in memory of its own. beside: whether this point was moved away from
    where the question was asked, and what lies around it has been looked at already. partial:
    whether outputs that are not finite at the point have been left out. hidden: by input, the
    entries that are not to be moved, True where so. known, known_at_kinks: inputs whose claim is
    wrong elsewhere, or wrong at a kink, of which it is enough to see that it is wrong here too.
    """

    problem: Problem
    cotangent: Outputs
    base: Outputs
    claim: Mapping[str, Array]
    seed: int
    target: float
    beside: bool = False
    partial: bool = False
    hidden: Mapping[str, np.ndarray] = field(default_factory=dict)
    known: frozenset[str] = frozenset()
    known_at_kinks: frozenset[str] = frozenset()

    @property
    def backend(self) -> Backend:
        return self.problem.backend

    def x(self, name: str) -> Array:
        return self.problem.point[name]

    def size(self, name: str) -> int:
        return math.prod(self.backend.shape(self.x(name)))

    @property
    def live(self) -> tuple[str, ...]:
        """The inputs that have entries."""
        return tuple(name for name in self.problem.names if self.size(name))

    def direction(self, name: str, salt: int = 0) -> Array:
        """A random direction of one input; `salt` tells repeated draws apart."""
        v = directions.random_direction(self.backend, self.x(name), self.draw(name, salt))
        return self._shown(name, v)

    def _shown(self, name: str, v: Array) -> Array:
        return masked(self.backend, v, ~self.hidden[name]) if name in self.hidden else v

    def relative(self, name: str) -> Array:
        """A random direction in which every entry moves in its own units."""
        x = self.x(name)
        v = directions.relative_direction(self.backend, x, self.draw(name, 15))
        return self._shown(name, v)

    def draw(self, name: str, salt: int = 0) -> int:
        """A seed of its own for each input and each use."""
        mixed = self.seed
        for part in (salt, self.problem.names.index(name)):
            mixed = _mix(mixed + 0x9E3779B97F4A7C15 * (part + 1))
        return mixed >> 1

    def line(
        self,
        direction: Mapping[str, Array],
        stencil: stencils.Stencil | None = None,
        reach: float = math.inf,
    ) -> fd.Line:
        chosen = stencils.central() if stencil is None else stencil
        return fd.Line(self.problem, self.base, self.cotangent, direction, chosen, reach)

    def said(self, direction: Mapping[str, Array]) -> Claimed:
        """What the claim says along the direction, with the error the adapter declares for it."""
        plain = claimed(self.backend, self.claim, direction)
        slack = math.fsum(self._slack(name, v) for name, v in direction.items())
        return dataclasses.replace(plain, slack=slack) if slack else plain

    def _slack(self, name: str, v: Array) -> float:
        error = self.problem.claim_error.get(name)
        if error is None:
            return 0.0
        return float(np.sum(np.abs(np.asarray(error) * self.backend.to_numpy(v))))

    def compare(self, line: fd.Line, final: bool = True) -> Comparison:
        return compare(line, self.said(line.direction), self.target, final)

    def at(self, point: Arrays, cotangent: Outputs | None = None) -> Case:
        """The same question at another point or cotangent: forward and vjp are run anew."""
        problem = dataclasses.replace(self.problem, point=point)
        made = prepare(problem, cotangent or self.cotangent, self.seed, self.target)
        return _hidden(made, self.hidden)

    def asked(self, cotangent: Outputs) -> Case:
        """The same point at another cotangent: vjp alone is run anew."""
        claim = claimed_at(self.problem, cotangent)
        made = dataclasses.replace(self, cotangent=cotangent, claim=claim, hidden={})
        return _hidden(made, self.hidden)


def prepare(
    problem: Problem,
    cotangent: Outputs,
    seed: int,
    target: float,
    claim: Mapping[str, Array] | None = None,
    outputs: Outputs | None = None,
) -> Case:
    """Run what was not given: forward for f(x), vjp for the claim."""
    backend = problem.backend
    if outputs is None:
        outputs = problem.forward(fd.fresh(problem))
    base = tuple(backend.copy(y) for y in outputs)
    if claim is None:
        claim = claimed_at(problem, cotangent)
    return Case(problem, cotangent, base, claim, seed, target)


def claimed_at(problem: Problem, cotangent: Outputs, point: Arrays | None = None) -> Arrays:
    """vjp(cotangent, point), of copies that it may overwrite; the problem's point if none is given.

    The arrays of a given point are handed over as they are.
    """
    given = tuple(problem.backend.copy(u) for u in cotangent)
    return problem.vjp(given, fd.fresh(problem) if point is None else point)


def replaced(problem: Problem, changes: Mapping[str, Array]) -> Arrays:
    """The point with some inputs changed."""
    return {**problem.point, **changes}


def masked(backend: Backend, v: Array, keep: np.ndarray) -> Array:
    """`v` where `keep`, zero elsewhere."""
    dtype = backend.dtype_name(v)
    real = {"complex128": "float64", "complex64": "float32"}.get(dtype, dtype)
    mask = backend.from_numpy(np.asarray(keep, dtype=np.float64).reshape(backend.shape(v)))
    return backend.multiply(v, backend.cast(mask, real))


def hide(case: Case, name: str, entries: np.ndarray) -> Case:
    """The case with these entries of one input left alone too, and its claim zero there."""
    backend = case.backend
    entries = entries | case.hidden[name] if name in case.hidden else entries
    keep = backend.from_numpy(np.asarray(~entries, dtype=np.float64).reshape(entries.shape))
    claim = {**case.claim, name: backend.select(keep, case.claim[name])}
    return dataclasses.replace(case, claim=claim, hidden={**case.hidden, name: entries})


def _hidden(case: Case, hidden: Mapping[str, np.ndarray]) -> Case:
    for name, entries in hidden.items():
        case = hide(case, name, entries)
    return case


def _mix(value: int) -> int:
    """One round of SplitMix64 (Steele, Lea and Flood, 2014): nearby seeds, unrelated numbers."""
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB % 2**64
    return value ^ (value >> 31)
