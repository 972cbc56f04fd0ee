"""Second looks: at the entries a pass has not seen, and at a failure before it is called one."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from gradcheck.backends.base import Array
from gradcheck.judgement.case import Case, masked
from gradcheck.judgement.compare import EPS
from gradcheck.judgement.comparison import Claimed, Comparison
from gradcheck.judgement.problem import Arrays
from gradcheck.oracles import directions
from gradcheck.oracles import finite_difference as fd
from gradcheck.oracles.directions import Placed
from gradcheck.oracles.finite_difference import SKIPPED, fresh

# A direction whose <g, v> is below this share of its weight hides errors of scale.
ALIGNED = 0.25
# Entries this much below the loudest one's are peeled off and looked at without it.
SPREAD = 1e4
SAMPLE = 4096
# Standard deviations of a claim's own roundoff, which four replicas give only roughly.
HONEST = 10.0
REPLICAS = 4
# Roundoff of numbers as large as the outputs are elsewhere.
REMOTE = 16 * EPS
STEEP = 64.0
# What is left of numbers near 1 is an ulp at the least; of the product of three such remainders,
# as much as this. Smaller outputs are not made of what the function is elsewhere: exp(-600) is not.
UNMADE = EPS**3
# Outputs this much smaller than elsewhere are what a gate has shut.
SHUT = 2.0**-20
# The step that suits what is smooth; a finer one is chosen for its quiet, which may be deceptive.
USUAL = 2.0 ** fd.EXPONENTS[0]
# A failure by this factor needs no second cotangent: it may be the cotangent that it depends on.
PLAIN = 100.0


def telling(case: Case, name: str, salt: int = 0) -> tuple[Array, Claimed]:
    """A random direction along which the claim does not happen to vanish, and what it says."""
    best, most = None, -1.0
    for attempt in range(4):
        v = case.direction(name, 16 * salt + attempt)
        said = case.said({name: v})
        share = abs(said.value) / said.weight if said.weight else 1.0
        if best is None or share > most:  # no number where the claim's weight overflows
            best, most = (v, said), share
        if share >= ALIGNED:
            break
    assert best is not None
    return best


def aligned(case: Case, name: str, v: Array) -> Array:
    """`v` with its signs turned to those of the claim: where an error of scale adds up most."""
    backend = case.backend
    g, sizes = backend.to_numpy(case.claim[name]), backend.to_numpy(v)
    if np.iscomplexobj(g):
        turned = np.abs(sizes.real) * np.sign(g.real) + 1j * np.abs(sizes.imag) * np.sign(g.imag)
    else:
        turned = np.abs(sizes) * np.where(g < 0, -1.0, 1.0)
    return backend.from_numpy(np.asarray(turned, dtype=sizes.dtype))


def magnitudes(case: Case, name: str, v: Array) -> np.ndarray:
    """|g v| of a sample of the entries."""
    size = case.size(name)
    backend = case.backend
    indices = np.arange(0, size, max(1, size // SAMPLE))
    g, moved = backend.gather(case.claim[name], indices), backend.gather(v, indices)
    return np.asarray(np.abs(g * moved))


def median_entry(case: Case, name: str, v: Array) -> float:
    """Median of |g v| over the entries that are not zero; NaN where all are."""
    sizes = magnitudes(case, name, v)
    sizes = sizes[sizes > 0]
    return float(np.partition(sizes, sizes.size // 2)[sizes.size // 2]) if sizes.size else math.nan


def quiet(case: Case, name: str, v: Array, weight: float, typical: float) -> Array | None:
    """`v` on the entries that louder ones hide, where there are such; else None.

    Loud is what the root mean square exceeds by far: the weight of the whole against that of as
    many entries of median size, `typical`.
    """
    if not typical > 0 or weight < SPREAD * typical:
        return None
    if weight < SPREAD * typical * math.sqrt(case.size(name)) / 16:
        return None
    backend = case.backend
    sizes = np.abs(backend.to_numpy(backend.multiply(case.claim[name], v)))
    keep = sizes <= max(typical * 16, weight / SPREAD / 16)
    if not keep.any() or keep.all():
        return None
    return masked(backend, v, keep)


def honest(case: Case, name: str, v: Array) -> float:
    """Roundoff of <g, v> that a backward pass of this conditioning cannot avoid.

    Measured: the claim is asked again at inputs and cotangents off by an ulp or two. A gradient
    of condition 1e10 then moves by 1e-6; one rounded to float32 on its way does not move, which
    is how lost precision is told from bad conditioning.
    """
    backend, problem = case.backend, case.problem
    first = case.said({name: v}).value
    moves = []
    for replica in range(REPLICAS):
        seed = case.draw(name, 1000 + replica)
        point = {
            # Data that gets no gradient (labels, weights of a loss) stays what it is.
            key: jittered(case, x, seed + k) if key in problem.names else x
            for k, (key, x) in enumerate(fresh(problem).items())
        }
        given = tuple(jittered(case, u, seed + 500 + k) for k, u in enumerate(case.cotangent))
        try:
            again = backend.select(v, problem.vjp(given, point)[name])
            moves.append(backend.dot(again, v) - first)
        except SKIPPED:
            return math.inf
    spread = HONEST * math.hypot(*moves) / math.sqrt(REPLICAS)
    return spread if math.isfinite(spread) else math.inf


def jittered(case: Case, x: Array, seed: int) -> Array:
    """`x` times (1 + an ulp or so of random sign); a copy of what is not inexact."""
    backend = case.backend
    if not backend.is_array(x):
        return x
    if not backend.is_inexact(x):
        return backend.copy(x)
    unit = EPS if backend.dtype_name(x) in ("float64", "complex128") else 2.0**-23
    real = backend.random_signs(x, seed)
    return backend.add_scaled(x, 2 * unit, backend.multiply(x, real))


def widened(result: Comparison, extra: float) -> Comparison:
    """The comparison with `extra` added to its tolerance."""
    tolerance = result.tolerance + extra
    return dataclasses.replace(
        result, tolerance=tolerance, agreed=result.residual <= tolerance < math.inf
    )


def repeats(case: Case, name: str, first: Comparison) -> Comparison:
    """A failure asked again: along another direction, then at another cotangent as well.

    The last comparison made: a failure if it repeats. An agreement too coarse to have seen the
    first residual says nothing, and is asked once more.
    """
    again = _repeat(case, name, 1)
    if again.agreed and _blind(again, first):
        again = _repeat(case, name, 2)
    if again.agreed or min(_excess(first), _excess(again)) > PLAIN:
        return again
    backend = case.backend
    other = tuple(
        backend.random_signs(u, case.draw(name, 40 + k)) for k, u in enumerate(case.cotangent)
    )
    moved = case.at(case.problem.point, other)
    last = _repeat(moved, name, 3)
    return _repeat(moved, name, 4) if last.agreed and _blind(last, first) else last


def below_rounding(case: Case, v: Array, first: Comparison) -> bool:
    """Whether a disagreement is below the rounding of numbers the function may pass through.

    Where a gate is saturated the outputs are tiny, and yet what they are made of (a number near 1
    that is taken from 1) is not: as large, maybe, as the outputs are at smaller inputs.
    """
    # A gate saturates over a length of 1 in its argument, however large that is.
    limit = REMOTE * min(max(1.0, case.backend.max_abs(v)), STEEP)
    elsewhere, here = _outputs_elsewhere(case), case.line({}).weight(case.base)
    step = next((level.step for level in first.levels if level.chosen), 1.0)
    if step < USUAL or (step == USUAL and here < SHUT * elsewhere):
        limit = max(limit, EPS / step)  # what moves by less than an ulp over it has ceased to move
    if 0.0 < here < UNMADE * elsewhere:
        return False
    return first.residual <= limit * elsewhere


def _outputs_elsewhere(case: Case) -> float:
    """Weight of the outputs at half the inputs, at zero, and where signs are turned.

    A bias that shuts a gate opens it there. What it lets through is near 1, not as large as any
    output may grow: more than outputs of 1 would weigh does not count.
    """
    combine = case.backend.combine
    least = [{n: combine([factor], [case.x(n)]) for n in case.live} for factor in (0.5, 0.0)]
    turned = [{n: combine([-1.0], [case.x(n)]) for n in case.live}]
    turned += [{n: _some_turned(case, n, salt) for n in case.live} for salt in (60, 61)]
    inside, outside = (max(_outputs_at(case, p) for p in points) for points in (least, turned))
    return max(inside, min(outside, case.line({}).loudness))


def _some_turned(case: Case, name: str, salt: int) -> Array:
    x = case.x(name)
    return case.backend.multiply(x, case.backend.random_signs(x, case.draw(name, salt)))


def _outputs_at(case: Case, point: Arrays) -> float:
    """Weight of cotangent times outputs at other inputs; 0.0 outside the domain."""
    if any(_left(case, n, x) for n, x in point.items()):
        return 0.0
    try:
        found = case.line({}).weight(case.problem.forward({**fresh(case.problem), **point}))
    except SKIPPED:
        return 0.0
    return found if math.isfinite(found) else 0.0


def _left(case: Case, name: str, x: Array) -> bool:
    """Whether an input has left its domain, or comes so near that a line would."""
    domain = case.problem.domains.get(name)
    if domain is None or (domain.low is None and domain.high is None):
        return False
    placed = directions.place(case.backend, x, case.direction(name), domain)
    return len(placed) != 1 or placed[0][0].stencil.nodes[0] == 0


def _blind(result: Comparison, first: Comparison) -> bool:
    """Whether an agreement would have agreed with an error like the first one too."""
    if not first.reference > 0.0:
        return False
    return 2 * result.resolution > first.residual / first.reference


def _excess(result: Comparison) -> float:
    return result.residual / result.tolerance if result.tolerance > 0 else math.inf


def _repeat(case: Case, name: str, salt: int) -> Comparison:
    """The worst of the comparisons of one input along fresh directions."""
    v, _ = telling(case, name, salt)
    domain = case.problem.domains.get(name)
    groups = directions.place(case.backend, case.x(name), v, domain)
    return max((_best(case, name, group) for group in groups), key=_excess)


def _best(case: Case, name: str, group: list[Placed]) -> Comparison:
    """The comparison along the first alternative that agrees sharply, else along the last."""
    for placed in group:
        line = case.line({name: placed.direction}, placed.stencil, placed.reach)
        result = case.compare(line)
        if result.agreed and result.resolution <= case.target:
            return result
    return result if result.agreed else widened(result, honest(case, name, placed.direction))
