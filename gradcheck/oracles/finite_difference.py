"""The directional derivative of <cotangent, forward> from values of forward alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from gradcheck.backends.base import Array, Backend
from gradcheck.judgement.problem import Arrays, Outputs, Problem
from gradcheck.oracles import stencils
from gradcheck.rounding import ULP

# What a forward may raise a step away from the point (a Cholesky factor that does not exist, a
# negative scale): the step is skipped.
SKIPPED = (ArithmeticError, ValueError, RuntimeError, AssertionError, LookupError)

# 2^l times the direction. 2^-9 suits order 8 and smooth functions: truncation 2^-72, noise 2^-43.
# Wider for noisy functions, ever finer for rough ones. Powers of two lose no bits of the direction.
EXPONENTS = (-9, -14, -4, -19, -24, -29, -34, -39)

# A quarter to a half of an ulp: the least error of a rounded value.
HALF_ULP = 2.0**-54
SMALLEST = 2.0**-1074


@dataclass
class Line:
    """<cotangent, forward(point + t direction)> as a function of t.

    base: forward(point), in memory of its own. direction: native arrays by input name.
    stencil: central, or forward where the point lies at the edge of its domain.
    reach: largest |t| that stays inside the domain.
    """

    problem: Problem
    base: Outputs
    cotangent: Outputs
    direction: Mapping[str, Array]
    stencil: stencils.Stencil = field(default_factory=stencils.central)
    reach: float = math.inf
    evaluations: int = 0

    @property
    def unit(self) -> float:
        """Largest entry of the direction: how far a step of 1 goes."""
        return max(self.problem.backend.max_abs(v) for v in self.direction.values())

    @property
    def half_ulp(self) -> float:
        """The least error of a rounded output, by the coarsest dtype among them."""
        names = {self.problem.backend.dtype_name(y) for y in self.base}
        return max((ulp_of(name) / 4 for name in names), default=HALF_ULP)

    @property
    def loudness(self) -> float:
        """Euclidean norm of the cotangent."""
        return math.hypot(*(self.problem.backend.norm(u) for u in self.cotangent))

    def moved(self, t: float) -> Arrays:
        """Every input at point + t direction, in fresh memory."""
        backend = self.problem.backend
        return {
            name: backend.add_scaled(x, t, self.direction[name])
            if name in self.direction
            else _fresh(backend, x)
            for name, x in self.problem.point.items()
        }

    def difference(self, t: float) -> Outputs | None:
        """forward(point + t direction) - forward(point); None where forward raises."""
        self.evaluations += 1
        backend = self.problem.backend
        try:
            with np.errstate(all="ignore"):
                outputs = self.problem.forward(self.moved(t))
                return tuple(
                    backend.subtract(y, y0) for y, y0 in zip(outputs, self.base, strict=True)
                )
        except SKIPPED:
            return None

    def project(self, difference: Outputs) -> float:
        """<cotangent, difference>."""
        dot = self.problem.backend.dot
        return math.fsum(dot(u, d) for u, d in zip(self.cotangent, difference, strict=True))

    def weight(self, arrays: Outputs) -> float:
        """Euclidean norm of cotangent times array, entry by entry."""
        backend = self.problem.backend
        return math.hypot(
            *(
                backend.norm(backend.multiply(u, a))
                for u, a in zip(self.cotangent, arrays, strict=True)
            )
        )


def ulp_of(dtype: str) -> float:
    """Spacing of a dtype's floats at 1."""
    return ULP.get(dtype, ULP["float64"])


def fresh(problem: Problem) -> Arrays:
    """Copies of every input, for a function that may overwrite them."""
    return {name: _fresh(problem.backend, x) for name, x in problem.point.items()}


def _fresh(backend: Backend, value: Array) -> Array:
    return backend.copy(value) if backend.is_array(value) else value


@dataclass(frozen=True)
class Scan:
    """What nine values at one step say.

    eta: noise of <cotangent, forward> as the high differences show it. rounding: weight of the
    outputs that changed, times half an ulp. changed: how many entries of the outputs did.
    jump: largest high difference of one output entry over the largest output, inf where f(x) is
    zero. rise: largest of the nine values, counted from the middle.
    """

    step: float
    high: float
    low: float
    eta: float
    rounding: float
    changed: int
    jump: float = 0.0
    rise: float = 0.0


class Accumulator:
    """Sums of weighted differences over the nodes of one step, entry by entry and as a whole."""

    def __init__(self, line: Line, step: float) -> None:
        self.line = line
        self.step = step
        self.values = np.zeros(len(line.stencil.nodes))
        self.tables: list[Outputs | None] = [None, None]
        self.edge: list[Outputs] = []
        self.complete = True

    def add(self, node: int) -> float:
        """Evaluate at `node` steps; the projected difference, NaN where there is none."""
        if not self.complete:
            return math.nan
        line = self.line
        index = line.stencil.nodes.index(node)
        difference = line.difference(node * self.step)
        value = math.nan if difference is None else line.project(difference)
        if difference is None or not math.isfinite(value):
            self.complete = False
            return math.nan
        self.values[index] = value
        self._accumulate(index, difference)
        return value

    def _accumulate(self, index: int, difference: Outputs) -> None:
        backend = self.line.problem.backend
        for row, weights in enumerate(stencils.difference_weights()):
            table = self.tables[row]
            self.tables[row] = (
                tuple(backend.combine([weights[index]], [d]) for d in difference)
                if table is None
                else tuple(
                    backend.add_scaled(t, weights[index], d)
                    for t, d in zip(table, difference, strict=True)
                )
            )
        if index in (0, len(self.values) - 1):
            self.edge.append(difference)

    def scan(self) -> Scan | None:
        """The nine values put together; None where one is missing."""
        if not self.complete:
            return None
        line, stencil = self.line, self.line.stencil
        projected = stencils.difference_weights() @ self.values
        tables = [table for table in self.tables if table is not None]
        spread = math.hypot(*(line.weight(table) for table in tables)) / math.sqrt(2)
        if not math.isfinite(spread):
            return None
        return Scan(
            step=self.step,
            high=float(stencil.high @ self.values) / self.step,
            low=float(stencil.low @ self.values) / self.step,
            eta=max(spread, math.hypot(*projected) / math.sqrt(2)),
            rounding=line.half_ulp * self._changed_weight() + self._subnormal(),
            changed=self._changed(),
            jump=self._jump(tables),
            rise=float(np.max(np.abs(self.values))),
        )

    def _changed(self) -> int:
        count = self.line.problem.backend.count_nonzero
        return max(sum(count(d) for d in difference) for difference in self.edge)

    def _changed_weight(self) -> float:
        line = self.line
        select = line.problem.backend.select
        return max(
            line.weight(tuple(select(d, y) for d, y in zip(difference, line.base, strict=True)))
            for difference in self.edge
        )

    def _subnormal(self) -> float:
        """What half a unit of the smallest number adds: all there is below 2^-1022."""
        backend = self.line.problem.backend
        return math.hypot(*(backend.norm(u) for u in self.line.cotangent)) * SMALLEST

    def _jump(self, tables: list[Outputs]) -> float:
        largest = self.line.problem.backend.max_abs
        height = max((largest(y) for y in self.line.base), default=0.0)
        seen = max((largest(a) for table in tables for a in table), default=0.0)
        return seen / height if height else math.inf if seen else 0.0


def scan(line: Line, step: float) -> Scan | None:
    """All nine values at `step`."""
    accumulator = Accumulator(line, step)
    for node in line.stencil.nodes:
        if node and not math.isfinite(accumulator.add(node)):
            return None
    return accumulator.scan()
