"""Places near the point, and what the claim is there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from gradcheck.backends.base import Array
from gradcheck.judgement.case import Case, claimed_at
from gradcheck.judgement.problem import Arrays, Domain
from gradcheck.oracles import directions
from gradcheck.oracles.finite_difference import SKIPPED, fresh

# How far to either side, in units of the input's scale. Nearer kinks than this count as being at
# the point: no difference quotient of float64 could tell (noise 2^-52 / 2^-20 is 2e-10 already).
DELTA = 2.0**-20
# Some thousand ulp, for fewer would not part a tie: sides that differ even there are at the point
# exactly, and a declared convention holds.
EXACT = 2.0**-38
# Two to four ulp, and as little as makes no rounding where there is nothing to round.
LEAST, NOTHING = 2.0**-50, 2.0**-200
# Share of a random pattern in a way that is not: it unties what is left, among 4096 in a row, and
# turns the way by no more than that.
UNTIED = 2.0**-14
Way = Mapping[str, Array]


@dataclass
class Neighbourhood:
    """Asks the claim for some inputs while they move, or more than they.

    watched: whose gradients; of several inputs, end to end and each in units of the outputs.
    moving: all that leaves the point, by default the watched alone. units: by moving input, the
    length in which each entry is moved. level: whether all inputs without a domain move as far as
    the one that moves furthest.
    """

    case: Case
    watched: tuple[str, ...]
    seed: int
    moving: tuple[str, ...] = ()
    level: bool = False
    units: dict[str, np.ndarray] = field(init=False)

    def __post_init__(self) -> None:
        self.moving = self.moving or self.watched
        self.units = {name: self._units(name) for name in self.moving}
        if self.level:
            furthest = max(map(self.unit, self.moving))
            free = [n for n in self.moving if n not in self.case.problem.domains]
            self.units |= {n: np.full_like(self.units[n], furthest) for n in free}

    def _units(self, name: str) -> np.ndarray:
        """The scale of the input; near a bound of the domain, of the entry itself or of its room.

        What lives near a bound (a logarithm, an arc sine) varies over the distance to it.
        """
        backend = self.case.backend
        x = backend.to_numpy(self.case.x(name))
        usual = directions.scale(backend, self.case.x(name))
        domain = self.case.problem.domains.get(name)
        if domain is None or (domain.low is None and domain.high is None):
            return np.full(x.shape, usual)
        return np.asarray(np.minimum(directions.own_units(x, domain, usual), usual))

    def unit(self, name: str) -> float:
        """The largest length in which an entry of an input is moved."""
        return float(np.max(self.units[name], initial=0.0)) or 1.0

    @property
    def freedom(self) -> int:
        """How many numbers move."""
        return sum(self.case.size(name) for name in self.moving)

    def pattern(self, salt: int, positive: bool = False) -> dict[str, Array]:
        """A direction of unequal magnitudes in each input's units; all positive if wanted."""
        way = {name: self._pattern(name, salt, positive) for name in self.moving}
        if len(way) == 1 or positive:
            return way
        # Now one input goes further and now another: |a - b| is told from both of its sides.
        rng = np.random.default_rng([self.seed, salt])
        factors = 2.0 ** rng.integers(-4, 1, len(way))
        combine = self.case.backend.combine
        return {n: combine([float(f)], [v]) for (n, v), f in zip(way.items(), factors, strict=True)}

    def _pattern(self, name: str, salt: int, positive: bool) -> Array:
        backend = self.case.backend
        seed = self.seed + 1009 * self.case.problem.names.index(name) + salt
        values = backend.to_numpy(backend.random_signs(self.case.x(name), seed))
        values = np.asarray(values * self.units[name], dtype=values.dtype)
        if positive:
            flat(values)[:] = np.abs(flat(values))
        return backend.from_numpy(self._shown(name, values))

    def ranked(self, shift: int) -> dict[str, Array]:
        """A direction that grows with the index from negative to positive, begun at `shift`."""
        way, backend = {}, self.case.backend
        for name in self.moving:
            x = backend.to_numpy(self.case.x(name))
            ranks = (np.arange(x.size) + shift) % max(1, x.size)
            # No entry stays: two thirds of a rank are never in the middle.
            values = ((ranks.reshape(x.shape) + 2 / 3) / max(1, x.size) - 0.5) * self.units[name]
            way[name] = backend.from_numpy(self._shown(name, np.asarray(values, dtype=x.dtype)))
        return way

    def single(self, entry: int) -> dict[str, Array]:
        """A direction of one watched entry, counted as in `claim`; the others untied only."""
        way, backend = {}, self.case.backend
        for name, v in self.pattern(700).items():
            values = UNTIED * backend.to_numpy(v)
            if name in self.watched and 0 <= entry < flat(values).size:
                flat(values)[entry] = self.unit(name)
            entry -= flat(values).size
            way[name] = backend.from_numpy(values)
        return way

    def _shown(self, name: str, values: np.ndarray) -> np.ndarray:
        """`values` with the entries that are not to be looked at set to zero."""
        if name in self.case.hidden:
            values[self.case.hidden[name]] = 0
        return values

    def place(self, step: float, w: Way) -> dict[str, Array]:
        """The moving inputs at point + step w; entries that would leave go the other way."""
        return {name: self._place(name, step, v) for name, v in w.items()}

    def _place(self, name: str, step: float, w: Array) -> Array:
        backend = self.case.backend
        x = self.case.x(name)
        moved = backend.add_scaled(x, step, w)
        domain = self.case.problem.domains.get(name)
        if domain is None or (domain.low is None and domain.high is None):
            return moved
        values = backend.to_numpy(moved)
        mirrored = backend.to_numpy(backend.add_scaled(x, -step, w))
        out = _outside(values, domain)
        kept = np.where(out, mirrored, values)
        kept = np.where(out & _outside(mirrored, domain), backend.to_numpy(x), kept)
        return backend.from_numpy(kept.astype(values.dtype))

    def point(self, step: float, w: Way) -> Arrays:
        """Every input, the moving ones at point + step w, in fresh memory."""
        return {**fresh(self.case.problem), **self.place(step, w)}

    def gradient(self, step: float, w: Way) -> np.ndarray:
        """The watched claim at point + step w, flat and real; NaN where it raises."""
        case = self.case
        try:
            return self._flat(claimed_at(case.problem, case.cotangent, self.point(step, w)))
        except SKIPPED:
            return np.full(self.claim.shape, math.nan)

    def wavering(self) -> np.ndarray:
        """How much the claim changes with the last bits of the cotangent, entry by entry.

        In it a claim is linear: what changes more than they do is roundoff, of 1e9 less 1e9.
        """
        case, backend = self.case, self.case.backend
        most = np.zeros(self.claim.shape)
        for salt in range(3):
            given = tuple(
                backend.add_scaled(u, LEAST, backend.multiply(u, backend.random_signs(u, salt)))
                for u in case.cotangent
            )
            again = self._flat(case.problem.vjp(given, fresh(case.problem)))
            most = np.maximum(most, np.abs(again - self.claim))
        return np.where(np.isfinite(most), most, 0.0)

    @property
    def claim(self) -> np.ndarray:
        """The watched claim at the point, flat and real."""
        return self._flat(self.case.claim)

    def _flat(self, claim: Mapping[str, Array]) -> np.ndarray:
        to_numpy = self.case.backend.to_numpy
        parts = [flat(self._shown(name, to_numpy(claim[name]))) for name in self.watched]
        if len(parts) == 1:
            return parts[0]
        units = [self.unit(name) for name in self.watched]
        return np.concatenate([u * part for u, part in zip(units, parts, strict=True)])

    def part(self, names: tuple[str, ...]) -> tuple[np.ndarray, float]:
        """Which watched entries are those of `names`, and what one alone is to be divided by."""
        to_numpy = self.case.backend.to_numpy
        counts = [flat(to_numpy(self.case.claim[name])).size for name in self.watched]
        part = np.repeat([name in names for name in self.watched], counts)
        alone = len(names) == 1 < len(self.watched)
        return part, self.unit(names[0]) if alone else 1.0

    def flattened(self, w: Way) -> np.ndarray:
        """A direction of the watched inputs, flat and real; in their units where several."""
        parts = [flat(self.case.backend.to_numpy(w[name])) for name in self.watched]
        if len(parts) == 1:
            return parts[0]
        return np.concatenate(
            [part / self.unit(name) for name, part in zip(self.watched, parts, strict=True)]
        )

    def within(self, direction: np.ndarray) -> dict[str, Array]:
        """A way from a direction as `flattened` gives one, as long as the units of all allow."""
        way: dict[str, np.ndarray] = {}
        for name in self.watched:
            x = self.case.backend.to_numpy(self.case.x(name))
            part = np.zeros(x.shape, dtype=x.dtype)
            size, unit = flat(part).size, self.unit(name) if len(self.watched) > 1 else 1.0
            flat(part)[:] = direction[:size] * unit
            direction, way[name] = direction[size:], part
        length = max(float(np.max(np.abs(v) / self.units[n], initial=0.0)) for n, v in way.items())
        return {
            n: self.case.backend.from_numpy(self._shown(n, np.asarray(v / length, dtype=v.dtype)))
            for n, v in way.items()
        }

    def edge(self, w: Way) -> np.ndarray:
        """Watched entries that cannot move both ways along w, flat."""
        return np.concatenate([self._edge(name, w[name]) for name in self.watched])

    def _edge(self, name: str, w: Array) -> np.ndarray:
        backend, x = self.case.backend, self.case.x(name)
        domain = self.case.problem.domains.get(name)
        if domain is None or backend.is_complex(x):
            return np.zeros(flat(backend.to_numpy(x)).shape, dtype=bool)
        ahead, behind = (backend.to_numpy(backend.add_scaled(x, s, w)) for s in (DELTA, -DELTA))
        return flat(_outside(ahead, domain) | _outside(behind, domain))

    def ulps(self, w: Way) -> dict[str, Array]:
        """Some thousand ulp of every entry along w; of the input's scale where it is zero."""
        return {name: self._share(name, v, EXACT, EXACT) for name, v in w.items()}

    def least(self, w: Way) -> dict[str, Array]:
        """A few ulp of every entry along w; next to nothing where it is zero."""
        return {name: self._share(name, v, LEAST, NOTHING) for name, v in w.items()}

    def _share(self, name: str, w: Array, of_own: float, of_unit: float) -> Array:
        backend = self.case.backend
        x, units = backend.to_numpy(self.case.x(name)), self.units[name]
        sizes = np.where(x == 0, units * of_unit, np.abs(x) * of_own)
        return backend.from_numpy((backend.to_numpy(w) / units * sizes).astype(x.dtype))

    def nonlinear(self, claim: np.ndarray, tolerance: np.ndarray, where: np.ndarray) -> bool:
        """Whether another cotangent, -4 times the given one, does not scale the claim alike.

        A power of two: terms that cancel to a claim of nothing are rounded alike.
        """
        case, backend = self.case, self.case.backend
        given = tuple(backend.combine([-4.0], [u]) for u in case.cotangent)
        again = self._flat(case.problem.vjp(given, fresh(case.problem)))
        gaps = np.abs(again + 4.0 * claim)
        return bool(np.any((gaps > 4 * tolerance + 1e-9 * np.abs(claim)) & where))


def _outside(values: np.ndarray, domain: Domain) -> np.ndarray:
    out = np.zeros(values.shape, dtype=bool)
    if domain.low is not None:
        out |= values <= domain.low if domain.open else values < domain.low
    if domain.high is not None:
        out |= values >= domain.high if domain.open else values > domain.high
    return out


def flat(values: np.ndarray) -> np.ndarray:
    """A flat real view of a contiguous array, real and imaginary parts side by side."""
    values = np.ascontiguousarray(values).reshape(-1)
    return values.view(values.real.dtype) if values.dtype.kind == "c" else values
