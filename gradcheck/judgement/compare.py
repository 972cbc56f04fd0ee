"""One claim against one line: agree early where the numbers agree, estimate an error otherwise.

Agreement needs no error estimate: two independent numbers that coincide to 2^-30 are right to
about that. Only a disagreement does, and it must have tried every step size.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

from gradcheck.backends.base import Array, Backend
from gradcheck.judgement.comparison import Claimed, Comparison
from gradcheck.judgement.problem import Level, Outputs
from gradcheck.judgement.steps import steps
from gradcheck.oracles import finite_difference as fd
from gradcheck.oracles import noise, plateaus, stencils
from gradcheck.oracles.estimate import Estimate, settle

EPS = 2.0**-52
# Agreement to 1e-9 of the gradient's own weight ends the search. Coarser would let faults of 1e-8
# through, finer is beyond what two evaluations resolve (eps^(2/3), 4e-11).
AGREEMENT = 2.0**-30
# The step at which a lone pair of values is best: truncation h^2 meets noise eps / h.
PAIR = 2.0**-17
# A smooth function bends by h f'' / f': 2^-17 at this step, unless it varies fast.
BENT = 2.0**-8
# Finer levels are noisier than the agreement asked for: there it would be chance.
FINEST = 2.0**-19
# A failure by this share of the weight shows in pairs of evaluations, which are good to 2^-28.
CLEAR = 2.0**-20
# Roundoff of the claim's entries and of their sum with the direction.
ROUNDOFF = 32 * EPS
# What the terms of a backward pass may be off by, beside cotangent times outputs: as much as the
# numerical derivative resolves at its widest usual step, 10 eps / 2^-4.
TERMS = 2.0**8 * EPS


def claimed(
    backend: Backend, claim: Mapping[str, Array], direction: Mapping[str, Array]
) -> Claimed:
    """Sum over the inputs of the direction."""
    values, weights, sizes, counts = [], [], [], []
    for name, v in direction.items():
        g = claim[name]
        value, weight = backend.product(g, v)
        values.append(value)
        weights.append(weight)
        count = max(1, math.prod(backend.shape(v)))
        counts.append(count)
        sizes.append(math.sqrt(count) * weights[-1])  # at least the sum of magnitudes
    tiny = 2.0**20 * fd.SMALLEST * math.fsum(counts)  # for directions up to 2^20
    return Claimed(math.fsum(values), math.hypot(*weights), ROUNDOFF * math.fsum(sizes) + tiny)


def compare(line: fd.Line, said: Claimed, target: float, final: bool = True) -> Comparison:
    """Hold `said` against the line; stop early only where they agree.

    Unless the answer is not `final`: then also where they clearly differ, at the first levels.
    """
    pair, bend = _pair(line, said)
    if pair is not None:
        return _early(pair, PAIR, said, bend)
    scans: list[fd.Scan] = []
    contested = False
    for step in steps(line, scans):
        if max(map(abs, line.stencil.nodes)) * step > line.reach:
            continue
        accumulator = fd.Accumulator(line, step)
        value = _progress(accumulator, said, not contested and step >= FINEST)
        if value is not None:
            return _early(value, step, said, bend)
        found = accumulator.scan()
        if found is None:
            continue
        scans.append(found)
        result = conclude(line, scans, said, bend)
        if result.agreed and result.resolution <= target / 8:
            return result
        contested |= not result.agreed and result.resolution <= target
        if contested and not final and clear(result):
            return result
    result = conclude(line, scans, said, bend)
    if said.weight == 0.0 and (not result.agreed or result.resolution > target):
        return _on_a_tread(line, scans, result)
    return result


def _on_a_tread(line: fd.Line, scans: list[fd.Scan], result: Comparison) -> Comparison:
    """A claim of zero not settled yet: right on a quantiser's treads, doubtful if it may be."""
    found = plateaus.quantised(line, scans)
    if found is None:
        return dataclasses.replace(result, doubtful=not result.agreed)
    if not found:
        return result
    return dataclasses.replace(
        result, agreed=True, expected=0.0, error=0.0, tolerance=0.0, reference=math.inf
    )


def reference(line: fd.Line, said: Claimed, scans: Sequence[fd.Scan]) -> float:
    """What a resolution is relative to."""
    return said.weight if said.weight > 0.0 else zero_reference(line, scans)


def zero_reference(line: fd.Line, scans: Sequence[fd.Scan]) -> float:
    """For a gradient of zero: a thousandth of the outputs, or of outputs of 1.

    The sum of a normalised row is zero but for rounding: next to that nothing would ever be small.
    """
    size = max(line.weight(line.base), max((scan.rise for scan in scans), default=0.0))
    return 2.0**-10 * max(size, line.loudness)


def conclude(line: fd.Line, scans: list[fd.Scan], said: Claimed, bend: float = 0.0) -> Comparison:
    """The comparison that the levels so far allow."""
    levels, stairs = plateaus.trusted(scans, line.unit)
    estimate = settle(line, levels, stairs)
    nothing = _nothing(line, scans, estimate, said)
    if nothing:
        estimate = dataclasses.replace(estimate, error=nothing)
    tolerance = estimate.error + said.margin
    if abs(estimate.value - said.value) > tolerance:
        terms = line.weight(line.base) or max((scan.rise for scan in scans), default=0.0)
        tolerance = max(tolerance, TERMS * terms)
    agreed = abs(estimate.value - said.value) <= tolerance < math.inf
    size = zero_reference(line, scans) if nothing else reference(line, said, scans)
    if said.weight == 0.0 and not any(scan.changed for scan in scans):
        size = math.inf  # nothing is claimed and nothing moves: a constant
    elif stairs and said.weight == 0.0 and estimate.value == 0.0:
        # A tread is level, not merely flat: where rounding is no explanation, exactly so.
        size = math.inf if plateaus.quantum(scans) > noise.COARSE else size * 2.0**10
    return Comparison(
        agreed=agreed,
        expected=estimate.value,
        returned=said.value,
        error=estimate.error,
        tolerance=tolerance,
        weight=said.weight,
        reference=size,
        levels=estimate.levels,
        scans=tuple(scans),
        bend=bend,
        doubtful=not agreed and stairs and _on_the_slope(line, scans, said),
    )


def _nothing(line: fd.Line, scans: Sequence[fd.Scan], estimate: Estimate, said: Claimed) -> float:
    """The rounding of the outputs, where claim and derivative are both below it; else 0.0.

    A backward pass works with terms as large as cotangent times outputs: a gradient smaller than
    their roundoff is zero to it. (The gradient of a saturated softmax, of a bias that cancels.)
    Where no output ever moves the terms are unknown: p - 1, of a softmax of one class, is of 1.
    """
    largest = max(abs(estimate.value), said.weight)
    if not 0.0 < largest < math.inf:
        return 0.0
    moved = any(scan.changed for scan in scans)
    rounding = 4 * EPS * max(line.weight(line.base), 0.0 if moved else line.loudness)
    return rounding if largest <= rounding else 0.0


def _on_the_slope(line: fd.Line, scans: list[fd.Scan], said: Claimed) -> bool:
    """Whether the claim is the slope over many steps of a staircase as fine as float16's."""
    if plateaus.quantum(scans) > noise.COARSE:
        return False
    slope = settle(line, plateaus.moving(scans))
    return abs(slope.value - said.value) <= slope.error + said.margin


def _agree(said: Claimed) -> float:
    return max(AGREEMENT * said.weight, said.roundoff) + said.slack


def _early(value: float, step: float, said: Claimed, bend: float) -> Comparison:
    error = abs(value - said.value)
    level = Level(step, value, error, 0.0, chosen=True)
    return Comparison(
        True, value, said.value, error, _agree(said), said.weight, said.weight, (level,), bend=bend
    )


def _pair(line: fd.Line, said: Claimed) -> tuple[float | None, float]:
    """The central difference of one pair where it agrees; and how much the line bends."""
    if said.weight == 0.0:
        return None, 0.0
    value, bend = pair(line, PAIR)
    return (value if abs(value - said.value) <= _agree(said) else None), bend


def pair(line: fd.Line, step: float) -> tuple[float, float]:
    """The central difference at one step, NaN where there is none, and the bend."""
    if line.stencil is not stencils.central() or line.reach < step:
        return math.nan, 0.0
    ahead, behind = line.difference(step), line.difference(-step)
    if ahead is None or behind is None:
        return math.nan, 0.0
    rise = line.project(ahead) - line.project(behind)
    return rise / (2 * step), _bend(line, ahead, behind)


def pair_error(line: fd.Line, said: Claimed) -> float:
    """What a pair at its step may be off by on a smooth function: some h^2, and eps / h."""
    return 2.0**-28 * said.weight + 2.0**-36 * line.weight(line.base)


def clear(result: Comparison) -> bool:
    """Whether a failure is large enough, and the function smooth enough, for pairs to show it."""
    step = next((level.step for level in result.levels if level.chosen), 0.0)
    return step >= FINEST and result.residual > CLEAR * result.weight


def kinked(line: fd.Line, bend: float) -> bool:
    """Whether a bend seen at the step of the pair is still there at a step 2^7 smaller.

    A smooth function bends 2^7 times less there; noise, at most 2^-28 of the slope, not yet.
    """
    if bend < BENT:
        return False
    _, finer = pair(line, PAIR / 128)
    return finer > bend / 16


def _bend(line: fd.Line, ahead: Outputs, behind: Outputs) -> float:
    """Largest second difference of one output over its largest first difference."""
    backend = line.problem.backend
    worst = 0.0
    for a, b in zip(ahead, behind, strict=True):
        second = backend.max_abs(backend.add_scaled(a, 1.0, b))
        first = backend.max_abs(backend.subtract(a, b))
        if second > 0.0:
            worst = max(worst, second / first if first > 0.0 else math.inf)
    return worst


def _progress(accumulator: fd.Accumulator, said: Claimed, early: bool) -> float | None:
    """Evaluate the nodes, nearest first; if `early`, the estimate as soon as one agrees."""
    line = accumulator.line
    early = early and said.weight > 0.0
    if line.stencil is not stencils.central():
        for node in line.stencil.nodes[1:]:
            accumulator.add(node)
        found = accumulator.scan()
        good = found is not None and abs(found.high - said.value) <= _agree(said)
        return found.high if early and found is not None and good else None
    differences: list[float] = []
    for pair in range(1, 5):
        differences.append(accumulator.add(pair) - accumulator.add(-pair))
        if pair == 1 or not early:
            continue
        value = float(stencils.partial_central(pair) @ differences) / accumulator.step
        if abs(value - said.value) <= _agree(said):
            return value
    return None
