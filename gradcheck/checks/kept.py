"""Whether a claim is what an earlier call has left: state shows in what fresh numbers give."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck.case import Case
from gradcheck.checks import points
from gradcheck.evaluation import ClaimRaised, ForwardRaised
from gradcheck.inputs import Array
from gradcheck.judgement import judge
from gradcheck.noise import REPLICAS
from gradcheck.rounding import MOVED, difference

# Far enough to be another key, and near enough to take the same branches.
ASIDE = 2.0**-5
# Within an ulp or two a few replicas may all round alike, within so many they do not; an earlier
# call was 2^31 of them away at the least. And what is kept is off by more than they are.
ULPS, ALONE = 2.0**8, 8.0


def moved_to(case: Case, numbers: dict[str, np.ndarray]) -> Case:
    """This case at other numbers, with the very cotangent of this one."""
    return replace(
        case, numbers={**case.numbers, **numbers}, given_cotangent=case.numpy_cotangents()
    )


def within(case: Case, name: str, moved: np.ndarray, own: np.ndarray) -> np.ndarray:
    item = case.subject.inputs[name]
    assert isinstance(item, Array)
    low = -math.inf if item.low is None else item.low
    high = math.inf if item.high is None else item.high
    if item.complex:
        return moved
    return np.where((moved > low) & (moved < high), moved, own)


def is_free(case: Case, name: str) -> bool:
    """Whether entries of the input may be put together as one likes, within bounds."""
    item = case.subject.inputs[name]
    assert isinstance(item, Array)
    return item.values is None and item.domain is None and bool(math.prod(shape_of(case, name)))


def shape_of(case: Case, name: str) -> tuple[int, ...]:
    return case.backend.shape(case.arrays[name])


def comparable(case: Case, there: Case) -> bool:
    """Whether the outputs there are finite, and of the same shapes, as the cotangents are."""
    backend = case.backend
    try:
        outputs = [there.outputs[k] for k in case.judged]
    except (ForwardRaised, IndexError):
        return False
    shapes = [backend.shape(case.outputs[k]) for k in case.judged]
    return list(map(backend.shape, outputs)) == shapes and all(map(backend.all_finite, outputs))


def state(case: Case, there: Case, name: str, wrong: bool, keeps: bool) -> bool | None:
    """Whether what is off `there` is so for a call before it; None where the point alone is wrong.

    False where something depends on where it stands, and no earlier call need be to blame.
    """
    if alone_in_it(there, name):
        return keeps and not alone_in_it(case, name, first=REPLICAS)
    if not (wrong and keeps and _as_before(case, there, name)):
        return None
    told = _afresh(case, there, name)
    return None if told == "wrong" else told == "correct" == _verdict(case, name)


def _as_before(case: Case, there: Case, name: str) -> bool:
    """Whether the claim is to the bit what it was before part has changed.

    And is another where all has changed: what never depends on the inputs is wrong, not stale.
    """
    if not _same(case, there, name):
        return False
    away = points.other(case)
    if away is None:
        return True
    away = replace(away, given_cotangent=case.numpy_cotangents())
    try:
        return not (comparable(case, away) and _same(case, away, name))
    except ClaimRaised:
        return True


def _same(case: Case, there: Case, name: str) -> bool:
    """Whether a claim other than zero is to the bit the same there."""
    claim = there.claim[name]
    return case.backend.max_abs(claim) > 0 and case.backend.equal(case.claim[name], claim)


def _afresh(case: Case, there: Case, name: str) -> str:
    """The verdict on the claim beside the point, at numbers that no call before has seen.

    A cache computes anew there. What is wrong there as well is wrong by itself: a branch that is
    not taken gives to the bit what it gave before, and there is no state in it.
    """
    free = [n for n in there.subject.differentiable if is_free(there, n)]
    if not free:
        away = points.other(case)
        return "inconclusive" if away is None else _verdict(away, name)
    rng = np.random.default_rng([there.example.seed, 0x9C])

    def off(own: np.ndarray) -> np.ndarray:
        return np.asarray(own * (1 + ASIDE * rng.uniform(0.5, 1, own.shape) * _signs(rng, own)))

    numbers = there.as_numpy()
    aside = {n: within(there, n, off(numbers[n]), numbers[n]) for n in free}
    us = tuple(None if u is None else off(u) for u in there.numpy_cotangents())
    return _verdict(replace(moved_to(there, aside), given_cotangent=us), name)


def _signs(rng: np.random.Generator, like: np.ndarray) -> np.ndarray:
    return rng.choice([-1.0, 1.0], like.shape)


def _verdict(case: Case, name: str) -> str:
    """The verdict on the claim for one input, whatever the others get."""
    try:
        cotangents = tuple(case.cotangents[k] for k in case.judged)
        alone = replace(case.problem(), names=(name,))
        return judge(alone, cotangents, seed=case.example.seed)[name].verdict
    except (ForwardRaised, ClaimRaised):
        return "inconclusive"


def alone_in_it(there: Case, name: str, first: int = 0) -> bool:
    """Whether the claim, or the outputs, are others than those around the point, which agree.

    So it is where something is kept, under a key of which an ulp makes another; at a kink the
    claims around it differ among themselves, and where forward leaps they say nothing.
    first: the replica to begin with; one that was asked before may be kept itself.
    """
    try:
        around = [_moved(there, name, replica) for replica in range(first, first + REPLICAS)]
        wide = [_moved(there, name, first + k, ULPS) for k in range(REPLICAS)]
    except (ForwardRaised, ClaimRaised):
        return False
    here = (there.claim[name], *(there.outputs[k] for k in there.judged))
    one, *others = around
    apart = [_apart(there, a, b) for other in others for a, b in zip(one, other, strict=True)]
    if max(apart) > MOVED:
        return False
    return any(
        _apart(there, a, h) > max(MOVED, *(ALONE * _apart(there, a, w[k]) for w in wide))
        for k, (a, h) in enumerate(zip(one, here, strict=True))
    )


def _moved(there: Case, name: str, replica: int, ulps: float = 2.0) -> tuple[Any, ...]:
    """The claim for an input and the outputs, with all numbers off by so many ulps."""

    def off(array: Any) -> Any:
        return there.off_by_ulps(array, replica, ulps)

    arrays = there.fresh()
    arrays |= {other: off(arrays[other]) for other in there.subject.differentiable}
    outputs = there.evaluator.forward(arrays)
    us = tuple(None if u is None else off(u) for u in there.cotangents)
    return (there.vjp(us, arrays)[name], *(outputs[k] for k in there.judged))


def _apart(case: Case, a: Any, b: Any) -> float:
    """How far two arrays are apart, as a share of the larger; infinite where that is no number."""
    size, apart = max(map(case.backend.max_abs, (a, b))), difference(case.backend, a, b)
    if not apart < math.inf:
        return math.inf
    return apart / size if size else 0.0
