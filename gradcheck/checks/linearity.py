"""A VJP is linear in its cotangent: zero gives zero, sums give sums, multiples give multiples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gradcheck.case import Case
from gradcheck.checks.base import LAWS, Check, Notes
from gradcheck.findings import Finding
from gradcheck.rounding import REORDERED, REROUTED, SPREADS, tolerance


class Linearity(Check):
    name = "linearity"
    law = "the vjp is linear in the cotangent: zero gives zero, sums and multiples carry over"
    stage = LAWS
    every = 2

    def run(self, case: Case, notes: Notes) -> Iterator[Finding]:
        combine, u = case.backend.combine, case.cotangents
        v = case.cotangents_from(case.example.seed + 977, sparse=True)
        at_zero = case.vjp(_map(lambda c: combine([0.0], [c]), u), case.arrays)
        scaled = case.vjp(_map(lambda c: combine([-4.0], [c]), u), case.arrays)
        at_sum = case.vjp(_map(lambda a, b: combine([1.0, 1.0], [a, b]), u, v), case.arrays)
        at_v = case.vjp(v, case.arrays)
        for name, g in case.claim.items():
            if not case.backend.all_finite(g):
                continue  # zero times an infinite derivative has no value
            if case.backend.max_abs(at_zero[name]) != 0.0:
                yield self._finding(
                    case, name, "a zero cotangent gives a gradient that is not zero"
                )
            # A power of two changes no digit; a sum of cotangents is rounded otherwise.
            elif not _adds_up(case, notes, name, [-4.0], [g], scaled[name], REORDERED):
                yield self._finding(
                    case, name, "-4 times the cotangent is not -4 times the gradient"
                )
            elif not _adds_up(case, notes, name, [1, 1], [g, at_v[name]], at_sum[name], REROUTED):
                yield self._finding(
                    case, name, "the gradient of a sum of cotangents is not the sum"
                )

    def _finding(self, case: Case, name: str, law: str) -> Finding:
        return case.finding(
            self.name,
            "broken",
            f"the gradient of `{name}` is not linear in the cotangent: {law}",
            input=name,
            fault="cotangent ignored" if "zero" in law else None,
            cause="not linear in the cotangent",
            hint="every term of a VJP is multiplied by the cotangent exactly once",
        )


def _adds_up(
    case: Case,
    notes: Notes,
    name: str,
    weights: list[float],
    parts: list[Any],
    whole: Any,
    ulps: float,
) -> bool:
    backend = case.backend
    if not all(backend.all_finite(part) for part in (*parts, whole)):
        return True  # an overflow is the gradient check's to judge
    error = backend.max_abs(backend.combine([*weights, -1.0], [*parts, whole]))
    allowed = tolerance(backend, ulps, whole, *parts) + 1e-300
    if error > allowed:
        allowed += SPREADS * case.claim_noise[name] + case.invisible(name)
        allowed += case.stated_error(name) * (1 + sum(map(abs, weights)))
    notes.score = max(notes.score, error / allowed)
    return bool(error <= allowed)


def _map(function: Any, *cotangents: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(None if c[0] is None else function(*c) for c in zip(*cotangents, strict=True))


CHECK = Linearity()
