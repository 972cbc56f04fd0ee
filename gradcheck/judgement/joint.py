"""One direction over many inputs at once, balanced between them, and split where it fails."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gradcheck.backends.base import Array
from gradcheck.judgement import nonfinite
from gradcheck.judgement.case import Case, prepare
from gradcheck.judgement.compare import PAIR, clear, compare, kinked, pair, pair_error
from gradcheck.judgement.comparison import Claimed, Comparison
from gradcheck.judgement.confirm import quiet, telling
from gradcheck.judgement.problem import Judgement, Outputs, Problem
from gradcheck.judgement.shared import shared
from gradcheck.judgement.single import alone, judgement, nothing, worst
from gradcheck.oracles import directions, stencils
from gradcheck.oracles.finite_difference import Line

# Inputs whose part in <g, v> is smaller than this share of the largest cannot be balanced
# against it without losing the bits of both: they are judged alone.
BALANCED = 2.0**-20
# A claim of zero is held to this share of the outputs, or judged alone.
DEAD = 2.0**-24
# Up to so many inputs, judging each alone is cheaper than bisecting for the one that failed.
FEW = 4


def judge(
    problem: Problem,
    cotangent: Outputs,
    *,
    seed: int,
    target: float = 1e-6,
    claim: Mapping[str, Array] | None = None,
    outputs: Outputs | None = None,
    known: frozenset[str] = frozenset(),
    known_at_kinks: frozenset[str] = frozenset(),
) -> dict[str, Judgement]:
    """Hold the claimed VJP at one point and cotangent against numerical derivatives.

    cotangent: one array per output, of its shape. seed: of every random direction. target: the
    relative error up to which a function must be resolved to be called correct; a verdict stops
    early only well below it. claim: vjp(cotangent, point) where already known; outputs:
    forward(point) likewise. known: inputs whose claim was found wrong at another point: here a
    clear failure of it is called wrong without being confirmed or localised. known_at_kinks: inputs
    whose claim was found wrong at a kink of another point: here it is enough that the sides seen
    first do not allow it. What forward or vjp raise at the point itself passes through.
    """
    case = prepare(problem, cotangent, seed, target, claim, outputs)
    case = dataclasses.replace(case, known=known, known_at_kinks=known_at_kinks)
    if not all(problem.backend.all_finite(y) for y in case.base):
        case = nonfinite.without_nonfinite_outputs(case)
    live = list(case.live)
    verdicts = {name: nothing(name) for name in problem.names if name not in live}
    if len(live) > 1:
        verdicts.update(together(case, live))
    else:
        verdicts.update({name: alone(case, name) for name in live})
    verdicts |= _at_shared_kinks(case, verdicts)
    return {name: verdicts[name] for name in problem.names}


judge_jointly = judge


def _at_shared_kinks(case: Case, verdicts: Mapping[str, Judgement]) -> dict[str, Judgement]:
    """Rejections of claims at kinks that are right one by one and not together."""
    kinked = [
        name
        for name, found in verdicts.items()
        if found.verdict == "correct" and found.kink is not None and not found.kink.point_defect
    ]
    if len(kinked) < 2 or case.problem.kinks != "subgradient":
        return {}
    rejected = shared(case, kinked)
    return {} if rejected is None else {rejected.name: rejected}


@dataclass(frozen=True)
class Bundle:
    """Directions of several inputs that move together, and what the claim says along each."""

    directions: dict[str, Array]
    said: dict[str, Claimed]
    reach: float

    @property
    def weight(self) -> float:
        """The smallest weight that is not lost in the largest: what agreement is measured by."""
        weights = [said.weight for said in self.said.values()]
        floor = BALANCED * max(weights)
        return min((w for w in weights if w > floor), default=0.0)

    def total(self) -> Claimed:
        parts = self.said.values()
        return Claimed(
            math.fsum(part.value for part in parts),
            self.weight,
            math.fsum(part.roundoff for part in parts),
            math.fsum(part.slack for part in parts),
        )


def together(case: Case, names: Sequence[str]) -> dict[str, Judgement]:
    """Verdicts on several inputs: jointly where that settles them, else in parts."""
    fit = [name for name in names if name not in case.known and _fit(case, name)]
    verdicts = {name: alone(case, name) for name in names if name not in fit}
    if len(fit) > 1:
        verdicts.update(_jointly(case, fit))
    else:
        verdicts.update({name: alone(case, name) for name in fit})
    return verdicts


def _fit(case: Case, name: str) -> bool:
    """Whether the claim is finite and no entry lies at the edge of its domain."""
    return math.isfinite(case.backend.max_abs(case.claim[name])) and not _edged(case, name)


def _edged(case: Case, name: str) -> bool:
    domain = case.problem.domains.get(name)
    if domain is None or (domain.low is None and domain.high is None):
        return False
    placed = directions.place(case.backend, case.x(name), case.direction(name), domain)
    return len(placed) != 1 or placed[0][0].stencil is not stencils.central() or len(placed[0]) > 1


def _jointly(case: Case, names: Sequence[str]) -> dict[str, Judgement]:
    bundle = _bundle(case, names)
    line = case.line(bundle.directions, reach=bundle.reach)
    result = compare(line, bundle.total(), case.target, final=False)
    if not result.agreed or kinked(line, result.bend):
        guilty = _guilty(case, bundle, names, result) if clear(result) else []
        return _split(case, names, guilty, line.evaluations)
    shares = _shares(line.evaluations, len(names))
    return {
        name: _one(case, name, bundle, line, result, share)
        for name, share in zip(names, shares, strict=True)
    }


def _shares(total: int, parts: int) -> list[int]:
    """`total` in whole parts that differ by one at most."""
    return [total // parts + (k < total % parts) for k in range(parts)]


def _guilty(case: Case, bundle: Bundle, names: Sequence[str], result: Comparison) -> list[str]:
    """The inputs that a clear failure comes from, by bisection with pairs of evaluations."""
    found: list[str] = []
    pending = [(list(names), result.expected - result.returned)]
    while pending:
        group, residual = pending.pop()
        if len(group) == 1:
            found += group
            continue
        middle = len(group) // 2
        left, limit = _residual(case, bundle, group[:middle])
        parts = [(group[:middle], left), (group[middle:], residual - left)]
        pending += [part for part in parts if not abs(part[1]) <= limit]
    return found


def _residual(case: Case, bundle: Bundle, group: Sequence[str]) -> tuple[float, float]:
    part = Bundle(
        {name: bundle.directions[name] for name in group},
        {name: bundle.said[name] for name in group},
        bundle.reach,
    )
    line = case.line(part.directions, reach=part.reach)
    said = part.total()
    value, _ = pair(line, PAIR)
    return value - said.value, 16 * pair_error(line, said)


def _split(
    case: Case, names: Sequence[str], guilty: Sequence[str], spent: int
) -> dict[str, Judgement]:
    rest = [name for name in names if name not in guilty]
    if len(names) <= FEW or len(rest) in (0, 1):
        parts = {name: alone(case, name) for name in names}
    elif guilty:
        parts = {**{name: alone(case, name) for name in guilty}, **together(case, rest)}
    else:
        middle = len(names) // 2
        parts = {**together(case, names[:middle]), **together(case, names[middle:])}
    return {
        name: dataclasses.replace(verdict, evaluations=verdict.evaluations + share)
        for (name, verdict), share in zip(parts.items(), _shares(spent, len(parts)), strict=True)
    }


def _one(
    case: Case, name: str, bundle: Bundle, line: Line, result: Comparison, share: int
) -> Judgement:
    """One input's part in a joint agreement; alone where the others drowned it."""
    v, said = bundle.directions[name], bundle.said[name]
    own = dataclasses.replace(result, weight=said.weight, reference=said.weight or result.reference)
    verdict = dataclasses.replace(judgement(case, name, v, own), evaluations=share)
    limit = case.target * said.weight or DEAD * line.weight(line.base)
    if result.tolerance > limit:
        single = alone(case, name)
        return dataclasses.replace(single, evaluations=single.evaluations + share)
    typical = result.tolerance / verdict.detectable_entry if verdict.detectable_entry else math.nan
    if quiet(case, name, v, said.weight, typical) is None:
        return verdict
    return worst([verdict, alone(case, name)])


def _bundle(case: Case, names: Sequence[str]) -> Bundle:
    """Random directions, the larger contributions scaled down to the smallest."""
    raw: dict[str, Array] = {}
    said: dict[str, Claimed] = {}
    reach = math.inf
    for name in names:
        v, told = telling(case, name)
        placed = directions.place(case.backend, case.x(name), v, case.problem.domains.get(name))
        first = placed[0][0]
        raw[name] = first.direction
        said[name] = told if first.direction is v else case.said({name: first.direction})
        reach = min(reach, first.reach)
    smallest = Bundle(raw, said, reach).weight
    factors = {name: _factor(part.weight, smallest) for name, part in said.items()}
    scaled = {
        name: v if factors[name] == 1.0 else case.backend.combine([factors[name]], [v])
        for name, v in raw.items()
    }
    return Bundle(scaled, {n: _times(said[n], factors[n]) for n in names}, reach)


def _factor(weight: float, smallest: float) -> float:
    if weight <= smallest or smallest == 0.0:
        return 1.0
    return 2.0 ** math.floor(math.log2(smallest / weight) + 1)


def _times(said: Claimed, factor: float) -> Claimed:
    return Claimed(
        said.value * factor, said.weight * factor, said.roundoff * factor, said.slack * factor
    )
