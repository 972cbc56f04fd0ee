"""The claim on the two sides of a point, and which of its entries jump there."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from gradcheck.judgement.compare import TERMS
from gradcheck.kinks.neighbourhood import DELTA, Neighbourhood

# Sides are asked at delta and delta / 2; what changes between them is curvature. A jump must
# exceed it by this factor (a smooth gradient shows 4 by construction).
JUMP = 16.0
# Relative size below which a jump is roundoff of the claim.
ROUNDING = 2.0**-26
# Sign patterns asked for besides the all-positive one. Independent kinks span as many dimensions
# as there are kinks; a tie spans one less than its members.
PATTERNS = 12
# Times the roundoff that a claim shows at a few cotangents, which is a sample of it.
WAVERING = 8.0
# Ranks tried of the entries of a tie.
RANKS = 64
# A claim that changes by this share of its jump on the way to the point is noisy, not kinked.
STEADY = 0.125
# A claim is rejected by its sides only where they differ by this share: less may be the roundoff
# of an ill-conditioned claim, and differences of the function decide.
STRONG = 2.0**-8
# A kink is no matter of the last digits: less than this share of the slopes is left to the line.
SLIGHT = 2.0**-12
# Neighbours a few ulp away that are so many times nearer to the claim than the sides share it.
BEYOND = 16.0
# A convention is recognised within this distance of alpha.
NAMED = 0.02


@dataclass(frozen=True)
class Sides:
    """The claim around a point, as flat real arrays.

    probes: one row per place asked, the first two along the positive and the negative of the first
    pattern. exact: two rows more, a few ulp from the point. tolerance: entry by entry, how far
    curvature lets equal sides differ. edge: entries at a bound of the domain, of which both probes
    are on the same side.
    """

    claim: np.ndarray
    probes: np.ndarray
    exact: np.ndarray
    tolerance: np.ndarray
    pattern: np.ndarray
    edge: np.ndarray

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
    def closer(self) -> bool:
        """Whether the claim lies between sides that differ only a few ulp from the point.

        x / max(|x|, 1e-9) after a leaky relu: what is asked further out is beyond the ramp.
        """
        low, high, sizes = self._ends
        slack = SLIGHT * sizes + ROUNDING * 2.0**-10 * rms(sizes)
        between = (low - slack <= self.claim) & (self.claim <= high + slack)
        return bool(np.all(between) and np.any(self.parting))

    @property
    def parting(self) -> np.ndarray:
        """Entries whose sides differ a few ulp from the point."""
        low, high, sizes = self._ends
        return np.asarray(high - low > STRONG * np.maximum(sizes, rms(sizes)))

    @property
    def _ends(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The smaller and the larger of the exact sides, and the larger magnitude."""
        low, high = self.exact.min(axis=0), self.exact.max(axis=0)
        return low, high, np.maximum(np.abs(low), np.abs(high))

    @property
    def restless(self) -> bool:
        """Whether the sides change on the way to the point by half of all there is.

        Either further out, or both of them further in: there are more kinks nearer than DELTA than
        one that the point has just missed, and what was seen is not what lies beside the point.
        """
        largest = float(np.max(np.abs(self.probes), initial=0.0))
        further_out = float(np.max(self.tolerance, initial=0.0)) / JUMP
        further_in = np.min(np.abs(self.probes[:2] - self.exact), axis=0)
        return max(further_out, float(np.max(further_in, initial=0.0))) > largest / 2 > 0.0

    @property
    def strong(self) -> bool:
        """Whether a jump is large enough to reject a claim by."""
        sizes = np.max(np.abs(self.probes), axis=0)
        sizes = np.maximum(sizes, rms(sizes) / 64)  # an entry near zero is all roundoff
        return bool(np.any(self.kinked & (self.high - self.low > STRONG * sizes)))

    @property
    def outside(self) -> np.ndarray:
        """Entries where the claim is beyond both ends of what was seen."""
        slack = self.firm + NAMED * (self.high - self.low) + SLIGHT * self._sizes
        return np.asarray((self.claim < self.low - slack) | (self.claim > self.high + slack))

    @property
    def _sizes(self) -> np.ndarray:
        return np.asarray(np.maximum(np.abs(self.low), np.abs(self.high)))

    @property
    def towards_zero(self) -> np.ndarray:
        """Entries whose claim lies between 0 and the slopes."""
        low, high = np.minimum(self.low, 0.0) - self.firm, np.maximum(self.high, 0.0) + self.firm
        return np.asarray((low <= self.claim) & (self.claim <= high))

    @property
    def piecewise(self) -> np.ndarray:
        """Entries whose claim a chain rule may have put together from the pieces' own slopes.

        0 + 0 for relu(x) - relu(-x) / 4, though neither side has less than 1/4: no generalised
        gradient, but what automatic differentiation promises.
        """
        both = self.low + self.high
        low = np.minimum(np.minimum(self.low, both), 0.0) - self.firm
        high = np.maximum(np.maximum(self.high, both), 0.0) + self.firm
        return np.asarray((low <= self.claim) & (self.claim <= high))

    def alphas(self) -> np.ndarray:
        """(claim - left) / (right - left) of the entries that jump along the first pattern."""
        right, left = self.probes[0], self.probes[1]
        where = np.abs(right - left) > self.tolerance
        return np.asarray((self.claim - left)[where] / (right - left)[where])


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
    tolerance = JUMP * drift + _usual(drift, sizes) * sizes + ROUNDING * 2.0**-10 * rms(sizes)
    tolerance = tolerance + _cancelled(around) + WAVERING * around.wavering()
    ulps = around.ulps(w)
    exact = np.stack([around.gradient(sign, ulps) for sign in (1.0, -1.0)])
    return Sides(around.claim, probes, exact, tolerance, around.flattened(w), around.edge(w))


def _usual(drift: np.ndarray, sizes: np.ndarray) -> float:
    """Relative change of a gradient whose own curvature is below its roundoff or its neighbours'.

    A claim rounded to float32 jumps by an ulp here and there: no kink, and seldom more than the
    entries change by on the way.
    """
    moving = drift > 0
    if not moving.any():
        return ROUNDING
    # An entry near zero is all roundoff, and its relative change no measure.
    sizes = np.maximum(sizes, rms(sizes) / 64)
    return ROUNDING + 4 * float(np.median(drift[moving] / np.maximum(sizes[moving], 1e-300)))


def _cancelled(around: Neighbourhood) -> float:
    """Roundoff of a gradient whose terms, as large as cotangent times outputs, cancel."""
    case = around.case
    terms = case.line({}).weight(case.base)
    unit = 1.0 if len(around.watched) > 1 else around.unit(around.watched[0])
    return TERMS * terms / unit


def goes_on(around: Neighbourhood, sides: Sides, where: np.ndarray) -> bool:
    """Whether the claim at the point is that of its nearest neighbours too, at these entries.

    It is then no defect at a point: below DELTA there is more to see, such as the 1e-12 by which a
    norm is kept from zero, or the edge between the basins of a recurrence, where a gradient grows
    from step to step and turns within some hundred ulp.
    """
    w = around.least(around.pattern(0, positive=True))
    beyond = np.maximum(sides.low - sides.claim, sides.claim - sides.high)
    near = np.maximum(sides.tolerance, beyond / BEYOND)
    gaps = (np.abs(around.gradient(sign, w) - sides.claim) for sign in (1.0, -1.0))
    return any(bool(np.all((gap <= near)[where])) for gap in gaps)


def cyclic(around: Neighbourhood, sides: Sides) -> Sides:
    """The same with patterns along which each of some tied entries has each rank once.

    Random patterns seldom show every entry of a long tie as the one in the middle.
    """
    rows = list(sides.probes)
    for shift in range(min(around.freedom, RANKS)):
        row = around.gradient(DELTA / 2, around.ranked(shift * max(1, around.freedom // RANKS)))
        if np.all(np.isfinite(row)):
            rows.append(row)
    return dataclasses.replace(sides, probes=np.stack(rows))


def rms(values: np.ndarray) -> float:
    """Root mean square; 0.0 of nothing."""
    largest = float(np.max(np.abs(values), initial=0.0))
    if not 0.0 < largest < np.inf:
        return largest
    return largest * float(np.sqrt(np.mean((values / largest) ** 2)))


def more(around: Neighbourhood, sides: Sides) -> Sides:
    """The same with random sign patterns added.

    A median is odd about a tie, and one line through it shows no jump. Jumps that only other
    patterns show count if they are still there a few ulp from the point: a gradient that turns
    fast, or a kink that is near and not at the point, shows none there.
    """
    first = around.pattern(0, positive=True)
    rows, ways = list(sides.probes), [(first, 1.0), (first, -1.0)]
    for salt in range(1, PATTERNS + 1):
        w = around.pattern(salt)
        for sign in (1.0, -1.0):
            row = around.gradient(sign * DELTA / 2, w)
            if np.all(np.isfinite(row)):
                rows.append(row)
                ways.append((w, sign))
    fuller = dataclasses.replace(sides, probes=np.stack(rows))
    if sides.kinked.any() or not fuller.kinked.any():
        return fuller
    entry = int(np.argmax(np.where(fuller.kinked, fuller.high - fuller.low, -1.0)))
    ends = [int(np.argmax(fuller.probes[:, entry])), int(np.argmin(fuller.probes[:, entry]))]
    seen = [around.gradient(ways[k][1], around.ulps(ways[k][0]))[entry] for k in ends]
    lasting = seen[0] - seen[1] > (1 - 2 * STEADY) * (fuller.high - fuller.low)[entry]
    return fuller if lasting else sides
