"""Whether a claim at a kink is what the declared rule asks for there."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from gradcheck.backends.base import Array
from gradcheck.judgement.case import Case, claimed_at
from gradcheck.judgement.problem import Arrays
from gradcheck.kinks import NAMED, Neighbourhood, Sides, flat
from gradcheck.oracles.finite_difference import SKIPPED, fresh

Rule = Callable[..., Mapping[str, Array]]
# Places beside the point at which claim and rule are compared again, and how far away these are: at
# 1 to 8 ulp, two sums in different order were on two sides of zero at one place in ten, not in two.
PLACES, ULPS = 16, 8


def forbidden(around: Neighbourhood, sides: Sides) -> tuple[np.ndarray, str]:
    """Entries that a declared convention forbids, and why; none for a rule that leaves a choice."""
    rule = around.case.problem.kinks
    if isinstance(rule, str):
        return np.zeros(sides.claim.shape, dtype=bool), ""
    if callable(rule):
        wrong = _unlike(around, sides, rule, fresh(around.case.problem))
        if wrong.any():
            wrong &= _lasting(around, sides, rule, wrong)
        return wrong, "not what was declared for kinks"
    expected = sides.probes[1] + float(rule) * (sides.probes[0] - sides.probes[1])
    limit = sides.tolerance + NAMED * np.abs(sides.probes[0] - sides.probes[1])
    wrong = (np.abs(sides.claim - expected) > limit) & sides.exactly
    return wrong, f"not left + {float(rule):g} (right - left), as declared"


def _unlike(around: Neighbourhood, sides: Sides, rule: Rule, point: Arrays) -> np.ndarray:
    """Entries whose claim at some point is not what the rule asks for there."""
    case, name = around.case, around.watched[0]
    claim = _flat(case, claimed_at(case.problem, case.cotangent, dict(point))[name])
    expected = _flat(case, rule(_cotangent(case), point)[name])
    return np.asarray(np.abs(claim - expected) > sides.tolerance + 1e-9 * np.abs(expected))


def _lasting(around: Neighbourhood, sides: Sides, rule: Rule, wrong: np.ndarray) -> np.ndarray:
    """Entries that differ from the rule's at a kink which no rounding decides.

    x W + b that is zero but for rounding: summed in another order it is on the other side, and what
    differs is no convention. A zero, a tie and a threshold stay what they are, if zeros stay, equal
    numbers move equally and what differs does not move.
    """
    found = []
    for salt in range(PLACES):
        try:
            found.append(_unlike(around, sides, rule, _beside(around, salt, wrong)))
        except SKIPPED:
            continue
    return np.asarray(np.mean(found, axis=0) >= 0.5) if found else wrong


def _beside(around: Neighbourhood, salt: int, held: np.ndarray) -> Arrays:
    """Every input some ulp from the point, equal sizes by as much, but for the entries held."""
    case, point = around.case, fresh(around.case.problem)
    rng = np.random.default_rng([around.seed, salt])
    old = {name: flat(case.backend.to_numpy(case.x(name))) for name in case.problem.names}
    sizes = np.concatenate([np.abs(x).astype(np.float64) for x in old.values()])
    values, which = np.unique(sizes, return_inverse=True)
    ulps = (rng.choice([-1, 1], values.size) * rng.integers(1, ULPS + 1, values.size))[which]
    for name, x in old.items():
        mine, ulps = ulps[: x.size], ulps[x.size :]
        moved = np.asarray(x + mine * np.sign(x) * np.spacing(np.abs(x)), dtype=x.dtype)
        moved = np.where(x == 0, x, moved)
        if name == around.watched[0]:
            moved = np.where(held, x, moved)
        if (domain := case.problem.domains.get(name)) is not None:
            moved = np.clip(moved, domain.low, domain.high)
        like = case.backend.to_numpy(case.x(name))
        shaped = np.ascontiguousarray(moved, dtype=x.dtype).view(like.dtype).reshape(like.shape)
        point[name] = case.backend.from_numpy(shaped)
    return point


def _cotangent(case: Case) -> tuple[Array, ...]:
    return tuple(case.backend.copy(u) for u in case.cotangent)


def _flat(case: Case, value: Array) -> np.ndarray:
    backend = case.backend
    return flat(backend.to_numpy(value) if backend.is_array(value) else np.asarray(value))
