"""A VJP is linear in its cotangent: zero gives zero, sums give sums, multiples give multiples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gradcheck.case import Case
from gradcheck.checks.base import LAWS, Check, Notes
from gradcheck.checks.gradient import narrow
from gradcheck.evaluation import ClaimRaised
from gradcheck.findings import Finding
from gradcheck.rounding import REORDERED, REROUTED, SPREADS, difference, tolerance

# Losses are divided by the tokens of a batch, and multiplied by up to 2^16 in mixed precision. The
# exponents leave room for a layer that works in float32 inside; the last, for an epsilon of 1e-20.
EXPONENTS = {
    "float64": (40, -40, -80),
    "complex128": (40, -40, -80),
    "float32": (16, -16),
    "complex64": (16, -16),
}
HALF_EXPONENTS = (10, -10)
# Cotangents are drawn with twenty bits, which float32 holds. A third has them all: what a cast to
# float32 leaves is off by 2^-25, where honest rounding of a layer that is not is measured.
THIRD, ALL_DIGITS = 1 / 3, 2.0**20
# A clip, a floor or an epsilon far away changes all. Digits alone are lost where a backward puts
# the cotangent beside other numbers, as that of a matrix exponential does.
GROSS = 2.0**-4
# What lies below may have lost digits on its way to zero.
TINY = {"float16": 2.0**-14}
FLOAT32_TINY = 2.0**-100
DIGITS = "of a third of it, digits are lost"
NOT_ZERO = "a zero cotangent gives a gradient that is not zero"
# At every so many examples of this check.
SIZES, OUTPUTS = 4, 3


class Linearity(Check):
    name = "linearity"
    law = "the vjp is linear in the cotangent: zero gives zero, sums and multiples carry over"
    stage = LAWS
    every = 2

    def run(self, case: Case, notes: Notes) -> Iterator[Finding]:
        broken = dict(self._multiples(case, notes))
        for v in self._summands(case, notes):
            broken = {**dict(self._sums(case, notes, v)), **broken}
        for name, said in broken.items():
            yield self._finding(case, name, said)
        # Given arrays are a case of their own, at which every law is tried.
        given = not case.example.fills
        if not broken and (given or notes.number % SIZES == 0):
            yield from self._at_all_sizes(case, notes)
        if not broken and (given or notes.number % OUTPUTS == 0) and len(case.judged) > 1:
            turn = notes.number // OUTPUTS % len(case.judged)
            for k in case.judged if given else [case.judged[turn]]:
                yield from self._output_alone(case, notes, k)

    def _multiples(self, case: Case, notes: Notes) -> Iterator[tuple[str, str]]:
        """(input, what is wrong) at a cotangent of zero and at a multiple."""
        combine, u = case.backend.combine, case.cotangents
        at_zero = case.vjp(_map(lambda c: combine([0.0], [c]), u), case.arrays)
        scaled = case.vjp(_map(lambda c: combine([-4.0], [c]), u), case.arrays)
        for name, g in _finite(case):
            if case.backend.max_abs(at_zero[name]) != 0.0:
                same = case.backend.max_abs(combine([1.0, -1.0], [g, at_zero[name]])) == 0.0
                yield name, f"{NOT_ZERO}{', the same as any other' if same else ''}"
            # A power of two changes no digit; a sum of cotangents is rounded otherwise.
            elif not _adds_up(case, notes, name, [-4.0], [g], scaled[name], REORDERED):
                yield name, "-4 times the cotangent is not -4 times the gradient"
        outputs = tuple(case.outputs[k] for k in case.judged)
        if case.dtype not in ("float64", "complex128") or narrow(case, outputs) is not False:
            return
        third = case.vjp(_map(lambda c: combine([THIRD], [c]), u), case.arrays)
        for name, g in _finite(case):
            if not _adds_up(case, notes, name, [THIRD], [g], third[name], ALL_DIGITS):
                yield name, DIGITS

    def _sums(self, case: Case, notes: Notes, v: tuple[Any, ...]) -> Iterator[tuple[str, str]]:
        both = _map(lambda a, b: case.backend.combine([1.0, 1.0], [a, b]), case.cotangents, v)
        at_sum, at_v = case.vjp(both, case.arrays), case.vjp(v, case.arrays)
        for name, g in _finite(case):
            if not _adds_up(case, notes, name, [1, 1], [g, at_v[name]], at_sum[name], REROUTED):
                yield name, "the gradient of a sum of cotangents is not the sum"

    def _summands(self, case: Case, notes: Notes) -> Iterator[tuple[Any, ...]]:
        """Other cotangents to add, in turn: what `y.sum()` sends, half zero, what `y[k]` sends."""
        turns: list[Callable[[], tuple[Any, ...]]] = [
            lambda: _map(lambda u: _ones(case, u), case.cotangents),
            lambda: case.cotangents_from(case.example.seed + 977, sparse=True),
            lambda: _map(lambda u: _ones(case, u, one_entry=True), case.cotangents),
        ]
        given = not case.example.fills
        for turn in turns if given else [turns[notes.number % len(turns)]]:
            yield turn()

    def _at_all_sizes(self, case: Case, notes: Notes) -> Iterator[Finding]:
        """Multiples far from one: a clip, a floor or an epsilon of the cotangent's shows there."""
        combine = case.backend.combine
        for power in _exponents(case):
            far = _map(lambda c, k=power: combine([2.0**k], [c]), case.cotangents)
            claim = case.vjp(far, case.arrays)
            for name, g in case.claim.items():
                if not _exact(case, name, claim[name], power):
                    continue
                back = combine([2.0**-power], [claim[name]])
                if not _same(case, notes, name, g, back):
                    times = f"2^{power} times"
                    said = f"{times} the cotangent is not {times} the gradient"
                    yield self._finding(case, name, said)

    def _output_alone(self, case: Case, notes: Notes, k: int) -> Iterator[Finding]:
        """One output alone and the others alone, as where only some of them reach the loss."""
        alone = _kept(case, lambda j: j == k)
        rest = _kept(case, lambda j: j != k)
        try:
            parts = case.vjp(alone, case.arrays), case.vjp(rest, case.arrays)
        except ClaimRaised as raised:
            cause = f"vjp raises {type(raised.error).__name__}"
            said = f"vjp raised {raised} where not all outputs are used"
            yield case.finding(self.name, "broken", said, cause=cause)
            return
        for name, g in _finite(case):
            if not _adds_up(case, notes, name, [1, 1], [p[name] for p in parts], g, REROUTED):
                yield self._finding(
                    case, name,
                    f"what output {k} alone and the others alone give does not add up to the whole",
                )  # fmt: skip

    def _finding(self, case: Case, name: str, law: str) -> Finding:
        digits = law == DIGITS
        return case.finding(
            self.name,
            "broken",
            f"the gradient of `{name}` is not linear in the cotangent: {law}",
            input=name,
            fault=_fault(law),
            cause="not linear in the cotangent",
            hint="a cast of the cotangent to float32, or its decimals rounded"
            if digits
            else "every term of a VJP is multiplied by the cotangent exactly once",
        )


def _fault(law: str) -> str | None:
    if not law.startswith(NOT_ZERO):
        return "precision lost" if law == DIGITS else None
    return "term without cotangent" if law == NOT_ZERO else "cotangent ignored"


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
    off = backend.combine([*weights, -1.0], [*parts, whole])
    error = backend.max_abs(off)
    allowed = tolerance(backend, ulps, whole, *parts) + 1e-300
    if error > allowed:
        allowed += SPREADS * case.claim_noise[name] + case.invisible(name)
        times = 1 + sum(map(abs, weights))
        allowed += (case.stated_error(name) + case.exponents(name)) * times
    if error > allowed:
        allowed += SPREADS * case.dust(name)
    if error > allowed:
        error = case.visible(name, off)
    notes.score = max(notes.score, error / allowed)
    return bool(error <= allowed)


def _same(case: Case, notes: Notes, name: str, g: Any, back: Any) -> bool:
    """Whether the gradient of a scaled cotangent, scaled back, is the gradient."""
    error = difference(case.backend, g, back) / max(map(case.backend.max_abs, (g, back)))
    notes.score = max(notes.score, error / GROSS)
    return bool(error <= GROSS)


def _finite(case: Case) -> list[tuple[str, Any]]:
    """Gradients that are finite: zero times an infinite derivative has no value."""
    return [(name, g) for name, g in case.claim.items() if case.backend.all_finite(g)]


def _exponents(case: Case) -> tuple[int, ...]:
    arrays = [*case.claim.values(), *(u for u in case.cotangents if u is not None)]
    known = (EXPONENTS.get(case.backend.dtype_name(a), HALF_EXPONENTS) for a in arrays)
    return min(known, key=max)


def _exact(case: Case, name: str, far: Any, power: int) -> bool:
    """Whether the gradient at a cotangent scaled by 2^power has lost nothing to the scaling.

    An error that is stated as an absolute one does not shrink with the cotangent.
    """
    backend, g = case.backend, case.claim[name]
    if not (backend.all_finite(g) and backend.all_finite(far)) or case.stated_error(name):
        return False
    tiny = TINY.get(backend.dtype_name(g), FLOAT32_TINY)
    return max(backend.max_abs(g) * 2.0**power, backend.max_abs(far)) >= tiny


def _kept(case: Case, keep: Any) -> tuple[Any, ...]:
    """The cotangents of some outputs; of the others zero, or none where a graph has that."""
    graph = case.backend.name == "torch" and case.subject.later is not None
    unused = (lambda u: None) if graph else case.backend.zeros_like
    return tuple(u if u is None or keep(j) else unused(u) for j, u in enumerate(case.cotangents))


def _ones(case: Case, u: Any, one_entry: bool = False) -> Any:
    """Ones for a cotangent, or a one in the middle of it and zeros."""
    numbers = np.ones_like(case.backend.to_numpy(u), order="C")
    if one_entry:
        numbers.reshape(-1)[np.arange(numbers.size) != numbers.size // 2] = 0
    ones, wanted = case.backend.from_numpy(numbers), case.backend.dtype_name(u)
    return ones if case.backend.dtype_name(ones) == wanted else case.backend.cast(ones, wanted)


def _map(function: Any, *cotangents: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(None if c[0] is None else function(*c) for c in zip(*cotangents, strict=True))


CHECK = Linearity()
