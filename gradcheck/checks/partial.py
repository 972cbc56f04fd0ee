"""Where only part of the inputs has changed since an earlier call, outputs and gradients follow."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradcheck.along import sets
from gradcheck.case import Case
from gradcheck.checks import kept, points
from gradcheck.checks.base import LAWS, Check, Notes
from gradcheck.diagnosis import plain
from gradcheck.evaluation import ClaimRaised, ForwardRaised
from gradcheck.findings import Finding
from gradcheck.judgement import judge
from gradcheck.judgement.problem import Judgement, Problem
from gradcheck.subject import Subject

# What a cache that is keyed on rounded numbers, or compares with a tolerance, takes for the same.
NEAR = (2.0**-15, 2.0**-21)


class Partial(Check):
    name = "partial"
    law = "where part of the inputs changes and the rest stays, outputs and gradients follow"
    stage = LAWS
    every = 3
    dtypes = ("float64", "complex128")

    def applies(self, subject: Subject) -> str:
        if "stateful" in subject.traits:
            return "state is kept between calls on purpose"
        return "steps go along a set" if sets(subject) else ""

    def run(self, case: Case, notes: Notes) -> Iterator[Finding]:
        changed = _changed(case, notes.number)
        if changed is None or not kept.comparable(case, changed.case):
            return
        there = changed.case
        cotangents = tuple(there.cotangents[k] for k in there.judged)
        try:
            found = judge(there.problem(), cotangents, seed=case.example.seed, claim=there.claim)
            if all(j.verdict == "correct" for j in found.values()) and changed.moving is not None:
                found = judge(changed.problem(), cotangents, seed=case.example.seed + 1)
        except (ForwardRaised, ClaimRaised):
            return  # other numbers, outside what this subject takes
        for name, judgement in found.items():
            if judgement.verdict in ("wrong", "inconclusive"):
                told = kept.state(case, there, name, judgement.verdict == "wrong", changed.keeps)
                if told is not None:
                    yield self._finding(changed, replace(judgement, verdict="wrong"), told)
            elif judgement.verdict == "correct" and math.isfinite(judgement.score):
                notes.score = max(notes.score, judgement.score)

    def _finding(self, changed: Changed, judgement: Judgement, stale: bool) -> Finding:
        there, name = changed.case, judgement.name
        return there.finding(
            self.name,
            "broken" if stale else "wrong",
            f"where {changed.what}, {plain(judgement)}",
            input=name,
            expected=judgement.expected,
            returned=judgement.returned,
            fault="stale cache" if stale else None,
            cause=f"{name}: part changed",
            hint=_hint(changed, stale),
            evidence={"directional": (judgement.expected, judgement.returned)},
            cotangent=there.numpy_cotangents(),
        )


@dataclass
class Changed:
    """A case of which part has other numbers: what that is, in words, and which entries of `of`.

    keeps: whether an earlier call may have left something that is taken for this one's.
    """

    case: Case
    what: str
    of: str = ""
    moving: np.ndarray | None = None
    keeps: bool = True

    def problem(self) -> Problem:
        """Only the entries that have changed are inputs; the others stay, to the bit."""
        backend, whole = self.case.backend, self.case.problem()
        moving = backend.from_numpy(np.asarray(self.moving, dtype=np.float64))
        still = backend.select(backend.subtract(_ones(self.case, moving), moving), self.start)

        def put(arrays: dict[str, Any]) -> dict[str, Any]:
            moved = backend.select(moving, arrays[self.of])
            return {**arrays, self.of: backend.combine([1.0, 1.0], [moved, still])}

        def vjp(cotangents: tuple[Any, ...], arrays: dict[str, Any]) -> dict[str, Any]:
            return {self.of: backend.select(moving, whole.vjp(cotangents, put(arrays))[self.of])}

        return replace(
            whole,
            forward=lambda arrays: whole.forward(put(arrays)),
            vjp=vjp,
            names=(self.of,),
            kinks="subgradient" if callable(whole.kinks) else whole.kinks,
        )

    @property
    def start(self) -> Any:
        return self.case.arrays[self.of]


def _hint(changed: Changed, stale: bool) -> str:
    if stale:
        return "a cache that is keyed on one input, on a rounded or on a hashed part of them"
    if changed.keeps:
        return ""
    return "rows that are the same, counted once: unique, sets and dictionaries of rows"


def _ones(case: Case, like: Any) -> Any:
    return case.backend.from_numpy(np.ones(case.backend.shape(like)))


def _changed(case: Case, number: int) -> Changed | None:
    """In turn, where it can be: part of one input, all of them a little, rows made equal."""
    later = number // 3
    names = [n for n in case.subject.differentiable if math.prod(kept.shape_of(case, n))]
    free = [n for n in names if kept.is_free(case, n)]
    tall = [n for n in free if len(kept.shape_of(case, n)) > 1 and kept.shape_of(case, n)[0] > 1]
    ways: list[Callable[[], Changed | None]] = [
        lambda: _redrawn(case, names[later % len(names)]) if names else None,
        lambda: _nearby(case, free, NEAR[later % len(NEAR)]) if free else None,
        lambda: _rows(case, tall[later % len(tall)]) if tall else None,
    ]
    turned = (ways[(number + k) % 3]() for k in (0, 2, 1))
    return next((changed for changed in turned if changed is not None), None)


def _redrawn(case: Case, name: str) -> Changed | None:
    """Half of the entries of one input are others; all of them where a half is not in its set."""
    there = points.generic(case)
    if there is None:
        return None
    shape = kept.shape_of(case, name)
    moving = np.ones(shape, dtype=bool)
    if kept.is_free(case, name) and moving.size > 1:
        # The first entry stays: what it is tells arrays apart, or so a lazy cache may think.
        order = np.random.default_rng([case.example.seed, 0x9A]).permutation(moving.size - 1) + 1
        moving.reshape(-1)[[0, *order[: (moving.size - 1) // 2]]] = False
    numbers = np.where(moving, there.numbers[name], case.as_numpy()[name])
    what = f"only part of `{name}` has changed since an earlier call"
    return Changed(kept.moved_to(case, {name: numbers}), what, name, moving)


def _nearby(case: Case, names: list[str], step: float) -> Changed:
    """Every entry off by a little of its own size, which leaves zeros and signs as they are."""
    numbers = {}
    for k, name in enumerate(names):
        rng = np.random.default_rng([case.example.seed, 0x9B, k])
        own = case.as_numpy()[name]
        moved = own * (1 + step * rng.uniform(-1, 1, own.shape))
        numbers[name] = kept.within(case, name, moved, own)
    return Changed(
        kept.moved_to(case, numbers), "inputs have changed a little since an earlier call"
    )


def _rows(case: Case, name: str) -> Changed:
    """Every sample the first: nothing else tells them apart than their cotangents."""
    own = case.as_numpy()[name]
    what = f"the rows of `{name}` are equal"
    return Changed(
        kept.moved_to(case, {name: np.repeat(own[:1], len(own), axis=0)}), what, keeps=False
    )


CHECK = Partial()
