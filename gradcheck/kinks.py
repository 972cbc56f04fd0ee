"""Where a function is not differentiable: what the claim may be there, and what it is.

The claim itself is asked on both sides, close by: at point +- delta w the function is smooth and
the claim an ordinary gradient, which is verified numerically along w. The claim at the point must
be a convex combination of those (Clarke's generalised gradient of a piecewise smooth function).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import lsq_linear, nnls

from gradcheck.backends.base import Array
from gradcheck.judgement.case import Case, replaced
from gradcheck.judgement.confirm import honest, widened
from gradcheck.judgement.problem import Domain
from gradcheck.oracles import directions
from gradcheck.oracles.finite_difference import SKIPPED, fresh

# How far to either side, in units of the input's scale. Nearer kinks than this count as being at
# the point: no difference quotient of float64 could tell (noise 2^-52 / 2^-20 is 2e-10 already).
DELTA = 2.0**-20
# Where a side is verified: further out, so that a whole stencil fits between it and the kink.
# Along w itself no kink through the point is crossed.
OUT = 2.0**-12
# Some thousand ulp, for fewer would not part a tie: sides that differ even there are at the point
# exactly, and a declared convention holds.
EXACT = 2.0**-38
# Sides are asked at delta and delta / 2; what changes between them is curvature. A jump must
# exceed it by this factor (a smooth gradient shows 4 by construction).
JUMP = 16.0
# Relative size below which a jump is roundoff of the claim.
ROUNDING = 2.0**-26
# Sign patterns asked for besides the all-positive one. Independent kinks span as many dimensions
# as there are kinks; a tie spans one less than its members.
PATTERNS = 12
# Resolution at which a side counts as verified.
VERIFIED = 1e-5
# A claim that changes by this share of its jump on the way to the point is noisy, not kinked.
STEADY = 0.125
# A claim is rejected by its sides only where they differ by this share: less may be the roundoff
# of an ill-conditioned claim, and differences of the function decide.
STRONG = 2.0**-8
# A convention is recognised within this distance of alpha.
NAMED = 0.02
NOTHING: Mapping[str, Array] = {}


@dataclass(frozen=True)
class Sides:
    """The claim around a point, as flat real arrays.

    probes: one row per place asked, the first two along the positive and the negative of the first
    pattern. exact: two rows more, a few ulp from the point. tolerance: entry by entry, how far
    curvature lets equal sides differ.
    """

    claim: np.ndarray
    probes: np.ndarray
    exact: np.ndarray
    tolerance: np.ndarray
    pattern: np.ndarray

    @property
    def firm(self) -> np.ndarray:
        """The tolerance beyond which a claim is rejected.

        Includes what a side changes by down to a few ulp from the point: a steep slope, roundoff
        of an ill-conditioned claim, and the whole jump where the kink is near and not at the point.
        """
        drift = np.max(np.abs(self.probes[:2] - self.exact), axis=0)
        return np.asarray(self.tolerance + 4 * np.where(np.isfinite(drift), drift, np.inf))

    @property
    def exactly(self) -> np.ndarray:
        """Entries whose sides differ a few ulp from the point: a kink at it, not near it."""
        apart = np.abs(self.exact[0] - self.exact[1]) > self.tolerance
        return np.asarray(apart & self.kinked)

    @property
    def low(self) -> np.ndarray:
        return np.asarray(self.probes.min(axis=0))

    @property
    def high(self) -> np.ndarray:
        return np.asarray(self.probes.max(axis=0))

    @property
    def kinked(self) -> np.ndarray:
        """Entries that jump, and where one side at least stays as it is towards the point."""
        spread = self.high - self.low
        drift = np.min(np.abs(self.probes[:2] - self.exact), axis=0)
        return np.asarray((spread > self.tolerance) & (drift <= STEADY * spread))

    @property
    def strong(self) -> bool:
        """Whether a jump is large enough to reject a claim by."""
        sizes = np.max(np.abs(self.probes), axis=0)
        sizes = np.maximum(sizes, _rms(sizes) / 64)  # an entry near zero is all roundoff
        return bool(np.any(self.kinked & (self.high - self.low > STRONG * sizes)))

    @property
    def outside(self) -> np.ndarray:
        """Entries where the claim is beyond both ends of what was seen."""
        slack = self.firm + NAMED * (self.high - self.low)
        return np.asarray((self.claim < self.low - slack) | (self.claim > self.high + slack))


@dataclass
class Neighbourhood:
    """Asks the claim for one input at places near the point."""

    case: Case
    name: str
    seed: int
    unit: float = field(init=False)

    def __post_init__(self) -> None:
        self.unit = directions.scale(self.case.backend, self.case.x(self.name))

    def pattern(self, salt: int, positive: bool = False) -> Array:
        """A direction of unequal magnitudes in the input's units; all positive if wanted."""
        backend = self.case.backend
        x = self.case.x(self.name)
        values = backend.to_numpy(backend.random_signs(x, self.seed + salt))
        values *= self.unit
        if positive:
            flat(values)[:] = np.abs(flat(values))
        return backend.from_numpy(self._shown(values))

    def _shown(self, values: np.ndarray) -> np.ndarray:
        """`values` with the entries that are not to be looked at set to zero."""
        if self.name in self.case.hidden:
            values[self.case.hidden[self.name]] = 0
        return values

    def place(self, step: float, w: Array) -> Array:
        """Move the point by step w; entries that would leave the domain go the other way."""
        backend = self.case.backend
        x = self.case.x(self.name)
        moved = backend.add_scaled(x, step, w)
        domain = self.case.problem.domains.get(self.name)
        if domain is None or (domain.low is None and domain.high is None):
            return moved
        values = backend.to_numpy(moved)
        mirrored = backend.to_numpy(backend.add_scaled(x, -step, w))
        out = _outside(values, domain)
        kept = np.where(out, mirrored, values)
        kept = np.where(out & _outside(mirrored, domain), backend.to_numpy(x), kept)
        return backend.from_numpy(kept.astype(values.dtype))

    def gradient(self, step: float, w: Array, others: Mapping[str, Array] = NOTHING) -> np.ndarray:
        """The claim at point + step w, flat and real. others: further inputs, moved already."""
        case, backend = self.case, self.case.backend
        point = fresh(case.problem)
        point |= others
        point[self.name] = self.place(step, w)
        given = tuple(backend.copy(u) for u in case.cotangent)
        try:
            found = backend.to_numpy(case.problem.vjp(given, point)[self.name])
            return flat(self._shown(found))
        except SKIPPED:
            return np.full(flat(backend.to_numpy(point[self.name])).shape, math.nan)

    def ulps(self, w: Array) -> Array:
        """A few ulp of every entry along w; of the input's scale where the entry is zero."""
        backend = self.case.backend
        x = backend.to_numpy(self.case.x(self.name))
        sizes = np.where(x == 0, self.unit, np.abs(x)) * EXACT
        return backend.from_numpy((backend.to_numpy(w) / self.unit * sizes).astype(x.dtype))

    def nonlinear(self, claim: np.ndarray, tolerance: np.ndarray, where: np.ndarray) -> bool:
        """Whether another cotangent, -3 times the given one, does not scale the claim alike."""
        case, backend = self.case, self.case.backend
        given = tuple(backend.combine([-3.0], [u]) for u in case.cotangent)
        point = fresh(case.problem)
        again = flat(backend.to_numpy(case.problem.vjp(given, point)[self.name]))
        gaps = np.abs(again + 3.0 * claim)
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


def look(around: Neighbourhood) -> Sides | None:
    """The two sides along one positive pattern; None where a side is not finite."""
    w = around.pattern(0, positive=True)
    rows, drifts = [], []
    for sign in (1.0, -1.0):
        near, far = around.gradient(sign * DELTA / 2, w), around.gradient(sign * DELTA, w)
        rows.append(near)
        drifts.append(np.abs(near - far))
    probes = np.stack(rows)
    if not np.all(np.isfinite(probes)) or not np.all(np.isfinite(drifts)):
        return None
    sizes = np.max(np.abs(probes), axis=0)
    drift = np.max(drifts, axis=0)
    tolerance = JUMP * drift + _usual(drift, sizes) * sizes + ROUNDING * 2.0**-10 * _rms(sizes)
    claim = flat(around.case.backend.to_numpy(around.case.claim[around.name]))
    ulps = around.ulps(w)
    exact = np.stack([around.gradient(sign, ulps) for sign in (1.0, -1.0)])
    return Sides(claim, probes, exact, tolerance, flat(around.case.backend.to_numpy(w)))


def _usual(drift: np.ndarray, sizes: np.ndarray) -> float:
    """Relative change of a gradient whose own curvature is below its roundoff or its neighbours'.

    A claim rounded to float32 jumps by an ulp here and there: no kink, and seldom more than the
    entries change by on the way.
    """
    moving = drift > 0
    if not moving.any():
        return ROUNDING
    return ROUNDING + 4 * float(np.median(drift[moving] / np.maximum(sizes[moving], 1e-300)))


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2))) if values.size else 0.0


def more(around: Neighbourhood, sides: Sides) -> Sides:
    """The same with random sign patterns added."""
    rows = list(sides.probes)
    for salt in range(1, PATTERNS + 1):
        w = around.pattern(salt)
        rows += [around.gradient(DELTA / 2, w), around.gradient(-DELTA / 2, w)]
    kept = [row for row in rows if np.all(np.isfinite(row))]
    return dataclasses.replace(sides, probes=np.stack(kept))


def verified(around: Neighbourhood) -> bool:
    """Whether the claim on the sides is the derivative there, along the way out."""
    return all(
        any(_side_verified(around, sign, salt, out) for out in (OUT, OUT / 32))
        for salt in (0, 1)
        for sign in (1.0, -1.0)
    )


def _side_verified(around: Neighbourhood, sign: float, salt: int, out: float) -> bool:
    case, name, backend = around.case, around.name, around.case.backend
    w = around.pattern(salt, positive=salt == 0)
    place = around.place(sign * out, w)
    try:
        moved = case.at(replaced(case.problem, {name: place}))
    except SKIPPED:
        return False
    if not math.isfinite(backend.max_abs(moved.claim[name])):
        return False
    way = backend.combine([1.0 / out, -1.0 / out], [place, case.x(name)])
    result = moved.compare(moved.line({name: way}, reach=out / 2))
    if not result.agreed:
        result = widened(result, honest(moved, name, way))
    return result.agreed and result.resolution <= VERIFIED


def in_span(sides: Sides) -> bool:
    """Whether the claim satisfies the linear relations that all the sides satisfy.

    At a tie the sides sum to one: "all" and "none" do not, though each entry lies between 0 and 1.
    """
    where = sides.kinked
    rows = sides.probes[:, where]
    middle = rows.mean(axis=0)
    _, sizes, basis = np.linalg.svd(rows - middle, full_matrices=False)
    rank = int(np.sum(sizes > 1e-6 * sizes[0])) if sizes.size and sizes[0] > 0 else 0
    if rank + 3 > len(rows):
        return True  # more kinks than patterns: no relation can be told
    offset = sides.claim[where] - middle
    left = offset - basis[:rank].T @ (basis[:rank] @ offset)
    limit = NAMED * np.max(sides.high[where] - sides.low[where])
    return bool(np.all(np.abs(left) <= limit + sides.firm[where]))


def in_hull(sides: Sides) -> bool:
    """Whether the claim is a convex combination of what was seen: weights >= 0 that sum to 1."""
    unit = float(np.max(np.abs(sides.probes))) or 1.0
    rows = np.vstack([sides.probes.T / unit, np.ones(len(sides.probes))])
    # The triangular factor is the same problem in as many rows as there are columns.
    table = np.column_stack([rows, np.append(sides.claim / unit, 1.0)])
    small = np.asarray(np.linalg.qr(table, mode="r"))
    try:
        weights, _ = nnls(small[:, :-1], small[:, -1])
    except RuntimeError:  # no convergence
        return False
    left = np.abs(weights @ sides.probes - sides.claim)
    limit = sides.firm + NAMED * np.max(sides.high - sides.low)
    return bool(abs(np.sum(weights) - 1.0) <= NAMED and np.all(left <= limit))


def two_valued(sides: Sides) -> bool:
    """Whether every kinked entry is seen at two values only: one kink each."""
    spread = sides.high - sides.low
    near = sides.tolerance + 1e-3 * spread
    ends = (np.abs(sides.probes - sides.low) <= near) | (np.abs(sides.probes - sides.high) <= near)
    return bool(np.all(ends[:, sides.kinked]))


def in_walk(
    around: Neighbourhood, sides: Sides, salt: int, jointly: bool = False, most: int = 400
) -> bool:
    """Whether claim = start + sum alpha_k jump_k, alpha in [0, 1], along a half turn.

    Every kink through the point is crossed once on the way from w to -w. jointly: all inputs
    turn, so that kinks which this input alone can only cross together are crossed one by one.
    The chain rule through a relu picks a side for each; what it returns is right.
    """
    case = around.case
    names = case.problem.names if jointly else (around.name,)
    turning = [around if name == around.name else Neighbourhood(case, name, around.seed + 7 + k)
               for k, name in enumerate(names) if case.size(name)]  # fmt: skip
    ends = {n.name: (n.pattern(100 + salt), n.pattern(200 + salt)) for n in turning}

    def at(turn: float) -> np.ndarray:
        w = {
            name: case.backend.combine([math.cos(turn), math.sin(turn)], list(pair))
            for name, pair in ends.items()
        }
        moved = {n.name: n.place(DELTA / 2, w[n.name]) for n in turning if n is not around}
        return around.gradient(DELTA / 2, w[around.name], moved)

    start, stop = at(0.0), at(math.pi)
    # The other inputs move by DELTA too, and the gradient with them.
    moving = 16 * DELTA * float(np.max(np.abs(start), initial=0.0)) if jointly else 0.0
    jumps = _jumps(at, (0.0, start), (math.pi, stop), sides.tolerance + moving, most)
    if not jumps:
        return False
    steps = np.stack(jumps, axis=1)
    if not np.all(np.isfinite(steps)):
        return False
    wanted = sides.claim - start
    fitted = lsq_linear(steps, wanted, bounds=(0.0, 1.0))
    left = np.abs(steps @ fitted.x - wanted)
    limit = NAMED * np.max(np.abs(steps)) + sides.firm
    return bool(np.all(left <= limit))


def in_joint_walk(around: Neighbourhood, sides: Sides) -> bool:
    """Whether the claim lies on a walk of all the inputs together."""
    return any(in_walk(around, sides, salt, jointly=True) for salt in range(3))


def _jumps(
    at: Callable[[float], np.ndarray],
    start: tuple[float, np.ndarray],
    stop: tuple[float, np.ndarray],
    tolerance: np.ndarray,
    most: int,
) -> list[np.ndarray]:
    """The jumps of the claim between two turns, each isolated by bisection."""
    found: list[np.ndarray] = []
    pending = [(start, stop)]
    while pending and most > 0:
        (a, g), (b, h) = pending.pop()
        if np.all(np.abs(h - g) <= tolerance):
            continue
        if b - a < 1e-4:
            found.append(h - g)
            continue
        middle = ((a + b) / 2, at((a + b) / 2))
        most -= 1
        pending += [((a, g), middle), (middle, (b, h))]
    return found


def alphas(sides: Sides) -> np.ndarray:
    """(claim - left) / (right - left) of the entries that jump along the first pattern."""
    right, left = sides.probes[0], sides.probes[1]
    jumps = np.abs(right - left) > sides.tolerance
    return np.asarray((sides.claim - left)[jumps] / (right - left)[jumps])
