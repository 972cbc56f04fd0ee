"""Forward mode agrees with reverse mode: <u, J v> = <J'u, v>."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.agreement import along, direction, pushed, wanted
from gradcheck.case import Case
from gradcheck.checks.base import LAWS, Check, Notes
from gradcheck.evaluation import ClaimRaised, as_outputs, describe
from gradcheck.findings import Finding
from gradcheck.records.schema import CLAIM
from gradcheck.rounding import SPREADS, ulp
from gradcheck.subject import Subject

# Both sides are inner products of the same numbers by two routes; an inner cancellation of 2^20
# ulps is the subject's own business, a wrong tangent is of order 1. So much in low precision.
CANCELLED, AT_MOST = 2.0**20, 2.0**-6
# A power of two, beyond the clips and the epsilons that somebody would write.
FAR = -(2.0**40)
# So far to either side a smooth gradient changes by as little, and one with a kink by a good part.
BESIDE, JUMP = 2.0**-20, 2.0**-10


class ForwardMode(Check):
    name = "forward_mode"
    law = "forward mode agrees with reverse mode: <u, J v> = <J'u, v>"
    stage = LAWS

    def applies(self, subject: Subject) -> str:
        return "" if subject.jvp is not None else "no jvp is declared"

    def run(self, case: Case, notes: Notes) -> Iterator[Finding]:
        backend, names = case.backend, case.subject.differentiable
        tangents = {
            n: backend.random_signs(case.arrays[n], case.example.seed + 13 + k)
            for k, n in enumerate(names)
        }
        try:
            for name in names:
                _tell(case, name, tangents, notes)
            found = self._judged(case, tangents, notes)
        except NoTangent as told:
            found = ("broken", f"jvp {told}", "jvp contract", {})
        except ClaimRaised:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a jvp raises is a finding
            said = f"jvp raised {describe(error)} where forward had not"
            found = ("broken", said, "jvp raises", {})
        if found is not None:
            kind, said, cause, details = found
            yield case.finding(self.name, kind, said, cause=cause, **details)

    def _judged(
        self, case: Case, tangents: Mapping[str, Any], notes: Notes
    ) -> tuple[str, str, str, dict[str, Any]] | None:
        """Kind, message, cause and figures of what is wrong. Raises what jvp raises."""
        whole = _both(case, tangents)
        if not whole.size < float("inf"):
            return None
        notes.score = max(notes.score, whole.off)
        for told in (whole, *_alone(case, tangents, notes.number)):
            if told.off <= 1 or abs(told.forward - told.reverse) <= _rounding(case, tangents):
                continue
            if _at_a_kink(case, tangents, whole.size):
                notes.remarks.append("at a kink jvp and vjp take different sides")
                return None
            said = (
                f"forward mode gives {told.forward:.8g}{told.where} where reverse mode gives "
                f"{told.reverse:.8g}: one of jvp and vjp is wrong"
            )
            figures = {"expected": told.reverse, "returned": told.forward}
            return "wrong", said, "jvp and vjp disagree", figures
        far = {n: case.backend.combine([FAR], [t]) for n, t in tangents.items()}
        if abs(_pushed(case, far) / FAR - whole.forward) > _agreement(case) * whole.size:
            said = f"jvp is not linear: {FAR:g} times the tangents is not {FAR:g} times the result"
            return "broken", said, "jvp is not linear", {}
        return None


class NoTangent(ValueError):
    """What jvp returned, or did to its arguments, is no derivative of the outputs."""


@dataclass(frozen=True)
class Both:
    """<cotangent, J tangents> by forward and by reverse mode, how large the terms of it are.

    allowed: the share of that which rounding explains.
    """

    forward: float
    reverse: float
    size: float
    allowed: float
    where: str = ""

    @property
    def off(self) -> float:
        return abs(self.forward - self.reverse) / (self.allowed * self.size + 1e-300)


def _both(case: Case, tangents: Mapping[str, Any], where: str = "") -> Both:
    backend, claim = case.backend, case.claim
    reverse = sum(backend.dot(claim[n], t) for n, t in tangents.items())
    size = sum(backend.norm(claim[n]) * backend.norm(t) for n, t in tangents.items())
    return Both(_pushed(case, tangents), reverse, size, _agreement(case), where)


def _rounding(case: Case, tangents: Mapping[str, Any]) -> float:
    """What both may be off by where gradients are what is left of terms that cancel.

    What no forward can show is little in float64 alone: in float16 it is as large as a gradient.
    """
    double = case.dtype == "float64"
    return sum(
        (SPREADS * case.claim_noise[n] + double * case.invisible(n)) * case.backend.norm(t)
        for n, t in tangents.items()
    )


def _alone(case: Case, tangents: Mapping[str, Any], number: int) -> Iterator[Both]:
    """One input moves, the others have tangents of zero: each in its turn."""
    if len(tangents) > 1:
        name = list(tangents)[number % len(tangents)]
        still = {n: case.backend.zeros_like(t) for n, t in tangents.items()}
        yield _both(case, still | {name: tangents[name]}, f" where `{name}` alone moves")


def _at_a_kink(case: Case, tangents: Mapping[str, Any], size: float) -> bool:
    """Whether the vjp jumps here: each of the two may then take a side of its own."""
    backend, sides = case.backend, []
    for sign in (1.0, -1.0):
        arrays = case.fresh()
        for k, name in enumerate(tangents):
            x = arrays[name]
            away = backend.to_numpy(backend.random_signs(x, case.example.seed + 83 + k))
            step = backend.cast(backend.from_numpy(np.abs(away)), backend.dtype_name(x))
            arrays[name] = backend.add_scaled(x, sign * BESIDE * (backend.max_abs(x) or 1.0), step)
        claim = case.vjp(case.cotangents, arrays)
        sides.append(sum(backend.dot(claim[n], t) for n, t in tangents.items()))
    return abs(sides[0] - sides[1]) > JUMP * size


def _agreement(case: Case) -> float:
    """The relative difference of both sides that rounding in this precision makes."""
    arrays = [*case.claim.values(), *(case.outputs[k] for k in case.judged)]
    return min(CANCELLED * max(ulp(case.backend, a) for a in arrays), AT_MOST)


def _pushed(case: Case, tangents: Mapping[str, Any]) -> float:
    """<cotangent, J tangents> as the subject's jvp gives it. Raises NoTangent."""
    backend, arrays = case.backend, case.fresh()
    given = {n: backend.copy(t) for n, t in tangents.items()}
    outputs = as_outputs(case.evaluator.call(case.subject.jvp, given, **arrays))
    for name, before in [*tangents.items(), *case.arrays.items()]:
        after = given.get(name, before) if before is tangents.get(name) else arrays[name]
        if backend.is_array(before) and not backend.equal(before, after):
            what = "tangent of" if before is tangents.get(name) else "input"
            raise NoTangent(f"changed the {what} `{name}` in place")
    for k in case.judged:
        got = backend.shape(outputs[k]) if k < len(outputs) else None
        if got != backend.shape(case.outputs[k]):
            of = "" if len(case.outputs) == 1 else f" {k}"
            due = backend.shape(case.outputs[k])
            raise NoTangent(f"returned shape {got} for output{of}, which has {due}")
    return sum(backend.dot(case.cotangents[k], outputs[k]) for k in case.judged)


def _tell(case: Case, name: str, tangents: Mapping[str, Any], notes: Notes) -> None:
    """Forward mode as an oracle for one input: the others stay where they are."""
    way = direction(case, name) if wanted(case, notes) else None
    if way is not None:
        still = {n: case.backend.combine([0.0], [t]) for n, t in tangents.items()}
        pushed(case, name, _pushed(case, still | {name: way.direction}), notes)
        along(case, name, CLAIM, case.backend.to_numpy(case.claim[name]), notes)


CHECK = ForwardMode()
