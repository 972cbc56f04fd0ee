"""The subject agrees with its twin: outputs and gradients, kinks included."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck.agreement import TWIN, along
from gradcheck.case import Case
from gradcheck.checks.base import VALUES, Check, Notes
from gradcheck.evaluation import describe
from gradcheck.findings import Finding
from gradcheck.judgement import judge
from gradcheck.judgement.problem import Judgement, Problem
from gradcheck.noise import REPLICAS
from gradcheck.oracles.finite_difference import SKIPPED
from gradcheck.oracles.twin import Twin, twin_of
from gradcheck.records.schema import CLAIM
from gradcheck.rounding import MOVED, REROUTED, SPREADS, ULP
from gradcheck.subject import Subject


class TwinAgrees(Check):
    name = "twin"
    law = "forward and gradient agree with the twin's"
    stage = VALUES

    def applies(self, subject: Subject) -> str:
        if subject.twin is None:
            return "no twin is declared"
        return "twin='auto' was not resolved" if subject.twin == "auto" else ""

    def run(self, case: Case, notes: Notes) -> Iterator[Finding]:
        numbers, names = case.as_numpy(), case.subject.differentiable
        twin = twin_of(case.subject, case.device)
        try:
            outputs = twin.outputs(numbers)
            gradients = twin.gradients(case.numpy_cotangents(), numbers, names)
        except Exception as error:  # noqa: BLE001 - whatever a twin raises is a finding
            said = f"the twin raised {describe(error)} where forward had not"
            yield case.finding(self.name, "broken", said, cause="the twin raises")
            return
        disagreement = self._outputs(case, twin, outputs, notes)
        if disagreement is not None:
            yield disagreement
            return
        for name in names:
            yield from self._gradient(case, twin, name, gradients[name], notes)

    def _outputs(self, case: Case, twin: Twin, others: Any, notes: Notes) -> Finding | None:
        own = case.outputs
        if len(own) != len(others):
            said = f"forward returns {len(own)} outputs, the twin {len(others)}"
            return case.finding(self.name, "wrong", said, cause="the twin's outputs differ")
        for k, (output, other) in enumerate(zip(own, others, strict=True)):
            if not case.backend.is_array(output):
                continue
            mine = case.backend.to_numpy(output)
            if mine.shape != other.shape:
                said = f"output {k} has shape {mine.shape}, the twin's has {other.shape}"
                return case.finding(self.name, "wrong", said, cause="the twin's shape differs")
            off = _distance(mine, other)
            if off > 1:
                noise = max(case.output_noise, _output_noise(case, twin, k, other))
                off = _distance(mine, other, SPREADS * noise + case.cancelled)
            notes.score = max(notes.score, off)
            if off > 1:
                said = f"output {k} differs from the twin's: {_worst(mine, other)}"
                return case.finding(self.name, "wrong", said, cause="the twin's outputs differ")
        return None

    def _gradient(
        self, case: Case, twin: Twin, name: str, other: np.ndarray, notes: Notes
    ) -> Iterator[Finding]:
        mine = case.backend.to_numpy(case.claim[name])
        off = _distance(mine, other) if mine.shape == other.shape else np.inf
        if off > 1 and mine.shape == other.shape:
            noise = max(case.claim_noise[name], _twin_noise(case, twin, name, other))
            off = _distance(
                mine, other, SPREADS * noise + case.invisible(name) + case.stated_error(name)
            )
        if off <= 1:
            notes.score = max(notes.score, off)
            along(case, name, CLAIM, mine, notes)
            along(case, name, TWIN, other, notes)
            return
        own = self._judged(case, case.problem(), name, mine)
        # Asked again, at a kink, it is the twin that answers for what the twin says.
        twins = self._judged(case, _of_twin(case), name, other)
        at_kink = own.kink is not None or twins.kink is not None
        right = {own.verdict, twins.verdict} == {"correct"}
        if all(said.verdict == "correct" or said.unsettled for said in (own, twins)) and not right:
            notes.remarks.append(f"at a kink the gradient of `{name}` and the twin's stay unjudged")
            return
        if right and not at_kink:
            return  # what differs is rounding, of entries that cancel
        at_kink = at_kink and right
        # Judged by the twin's convention, a claim that passes at a kink differs by rounding alone.
        if at_kink and (case.subject.kinks != "twin" or own.kink is not None):
            notes.remarks.append(f"at a kink the gradient of `{name}` differs from the twin's")
            return
        index = _worst_index(mine, other)
        if not at_kink:
            along(case, name, CLAIM, mine, notes)
            along(case, name, TWIN, other, notes)
        yield case.finding(
            self.name,
            "wrong_at_kink" if at_kink else "wrong",
            f"the gradient of `{name}` differs from the twin's: {_worst(mine, other)}",
            input=name,
            index=index,
            expected=other[index].item(),
            returned=mine[index].item(),
            fault="wrong convention at the kink" if at_kink else None,
            cause=f"{name}: differs from the twin",
            evidence={"expected": other, "returned": mine},
            cotangent=case.numpy_cotangents(),
        )

    def _judged(self, case: Case, problem: Problem, name: str, gradient: np.ndarray) -> Judgement:
        """The verdict on a gradient here, as if the subject had claimed it."""
        backend = case.backend
        claim = {**case.claim, name: backend.cast(backend.from_numpy(gradient), case.dtype)}
        cotangents = tuple(case.cotangents[k] for k in case.judged)
        return judge(problem, cotangents, seed=case.example.seed, claim=claim)[name]


def _of_twin(case: Case) -> Problem:
    """The case with the twin's gradients for its claim."""

    def vjp(cotangents: tuple[Any, ...], arrays: dict[str, Any]) -> dict[str, Any]:
        found = case.twin_gradients(cotangents, arrays)
        return {name: case.backend.cast(gradient, case.dtype) for name, gradient in found.items()}

    return replace(case.problem(), vjp=vjp)


def _twin_noise(case: Case, twin: Twin, name: str, other: np.ndarray) -> float:
    """How far the twin's own rounding moves its gradient: cotangents, and inputs, off by an ulp."""
    given = case.numpy_cotangents()
    moves = []
    for replica in range(REPLICAS):
        us = tuple(
            None if u is None else case.backend.to_numpy(case.off_by_ulps(u, replica))
            for u in case.cotangents
        )
        moves.append(_move(twin.gradients(us, case.as_numpy(), (name,))[name], other))
        with contextlib.suppress(*SKIPPED):  # an ulp outside the domain says nothing
            there = twin.gradients(given, _off_by_an_ulp(case, replica), (name,))
            moves.append(_small(_move(there[name], other), other, given))
    return max(moves)


def _output_noise(case: Case, twin: Twin, k: int, other: np.ndarray) -> float:
    """How far the twin's own rounding moves an output: its inputs off by an ulp."""
    moves = [0.0]
    for replica in range(REPLICAS):
        with contextlib.suppress(*SKIPPED):
            there = twin.outputs(_off_by_an_ulp(case, replica))[k]
            moves.append(_small(_move(there, other), other, case.as_numpy().values()))
    return max(moves)


def _off_by_an_ulp(case: Case, replica: int) -> dict[str, Any]:
    numbers = case.as_numpy()
    for name in case.subject.differentiable:
        moved = case.off_by_ulps(case.arrays[name], replica)
        numbers[name] = case.backend.to_numpy(moved)
    return numbers


def _move(there: np.ndarray, other: np.ndarray) -> float:
    return float(np.max(np.abs(there - other), initial=0.0))


def _small(move: float, other: np.ndarray, terms: Iterable[Any]) -> float:
    """A move, where it is rounding and not the step of a staircase or the side of a kink."""
    arrays = [other, *(a for a in terms if isinstance(a, np.ndarray))]
    size = max(float(np.max(np.abs(a), initial=0.0)) for a in arrays)
    return move if move <= MOVED * size else 0.0


def _distance(a: np.ndarray, b: np.ndarray, more: float = 0.0) -> float:
    """Largest difference over what honest rounding of this dtype allows; NaN equals NaN."""
    with np.errstate(invalid="ignore"):
        off = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, np.abs(a - b))
    finite = np.abs(b[np.isfinite(b)])
    ulp = ULP.get(str(a.dtype), ULP["float64"])
    allowed = min(REROUTED * ulp, 2.0**-6) * float(np.max(finite, initial=0.0)) + more + 1e-300
    worst = float(np.max(off, initial=0.0))
    return np.inf if np.isnan(worst) else worst / allowed


def _worst_index(a: np.ndarray, b: np.ndarray) -> tuple[int, ...]:
    with np.errstate(invalid="ignore"):
        off = np.nan_to_num(np.abs(a - b), nan=np.inf)
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(off)), off.shape))


def _worst(a: np.ndarray, b: np.ndarray) -> str:
    index = _worst_index(a, b)
    return f"at {list(index)} {a[index]:.6g}, the twin has {b[index]:.6g}"


CHECK = TwinAgrees()
