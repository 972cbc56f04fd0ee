"""Second order: the vjp, as a function of inputs and cotangent, has the gradient it claims."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from gradcheck.case import Case
from gradcheck.checks.base import LAWS, Check, Notes
from gradcheck.evaluation import ClaimRaised, ForwardRaised
from gradcheck.examples import Example, arrays_of
from gradcheck.findings import Finding
from gradcheck.inputs import Array
from gradcheck.judgement import judge
from gradcheck.judgement.problem import Judgement, Problem
from gradcheck.subject import Subject

# A vjp differentiated by differences costs forward and backward at every step: four examples, far
# apart in the list, see the sizes that matter.
EXAMPLES, APART = 4, 7
ZERO = "zero"


class SecondOrder(Check):
    name = "second_order"
    law = "the vjp differentiated again agrees with finite differences of the vjp"
    stage = LAWS
    supposes = ("gradient",)
    dtypes = ("float64", "complex128")

    def applies(self, subject: Subject) -> str:
        if subject.second is None:
            return "no second order is declared"
        return subject.second if isinstance(subject.second, str) else ""

    def run(self, case: Case, notes: Notes) -> Iterator[Finding]:
        due = notes.number % APART == 0 and notes.number < APART * EXAMPLES
        if case.dtype not in ("float64", "complex128") or not due:
            return
        try:
            twice = Twice(_at_generic_numbers(case))
            values = [*twice.case.outputs, *twice.gradients]
        except ForwardRaised:
            return  # other numbers of these shapes, outside what forward takes
        if not _told(case, values):
            return
        try:
            claim = twice.vjp(twice.directions, twice.point)
        except ClaimRaised as raised:
            said = f"the vjp cannot be differentiated again: {raised}"
            if not _promised(case.subject):
                notes.remarks.append(said)
                return
            yield twice.case.finding(self.name, "broken", said, cause="second raises")
            return
        shape = case.backend.shape
        shapes = {name: (shape(claim[name]), shape(twice.point[name])) for name in claim}
        for name, (got, wanted) in shapes.items():
            if got != wanted:
                said = f"second returned shape {got} for {_called(twice, name)}, which has {wanted}"
                yield twice.case.finding(self.name, "broken", said, cause=f"{name}: second's shape")
        if all(got == wanted for got, wanted in shapes.values()):
            yield from self._judged(twice, claim, notes)

    def _judged(self, twice: Twice, claim: dict[str, Any], notes: Notes) -> Iterator[Finding]:
        found = judge(
            twice.problem(),
            twice.directions,
            seed=twice.case.example.seed,
            claim=claim,
            outputs=twice.gradients,
        )
        wrong = [n for n, verdict in found.items() if verdict.verdict in ("wrong", "nonfinite")]
        if _promised(twice.case.subject):
            yield from (self._finding(twice, name, found[name], claim) for name in wrong)
        elif wrong:
            what = " and ".join(_called(twice, name) for name in wrong)
            gives = " or ".join({_gives(twice, found[n], claim[n]): None for n in wrong})
            notes.remarks.append(
                f"the vjp depends on {what}, and differentiating it again gives {gives} there: "
                "gradients are not in question, gradients of gradients are wrong"
            )
        for name, verdict in found.items():
            if name in wrong:
                continue
            if verdict.verdict == "inconclusive":
                notes.remarks.append(f"second order of `{name}` is too noisy to judge somewhere")
            elif verdict.verdict == "correct":
                notes.score = max(notes.score, verdict.score)

    def _finding(
        self, twice: Twice, name: str, verdict: Judgement, claim: dict[str, Any]
    ) -> Finding:
        gives = _gives(twice, verdict, claim[name])
        own = name in twice.case.subject.inputs
        entry = verdict.entries[0] if verdict.entries else None
        return twice.case.finding(
            self.name,
            verdict.verdict,
            f"the vjp depends on {_called(twice, name)}, and differentiating it again gives "
            f"{gives} there: gradients of gradients are wrong",
            input=name if own else None,
            index=entry.index if entry else None,
            expected=entry.expected if entry else verdict.expected,
            returned=entry.returned if entry else verdict.returned,
            fault="always zero" if gives == ZERO else None,
            cause=f"{name}: second order",
            hint="numbers cut off from the graph in backward (.data, .detach(), .item(), no_grad, "
            "NumPy): save tensors with save_for_backward, or mark backward once_differentiable",
            evidence={"directional": (verdict.expected, verdict.returned)},
            cotangent=twice.case.numpy_cotangents(),
        )


@dataclass
class Twice:
    """The vjp of a case as a function of its inputs and cotangents, and the claim about that."""

    case: Case

    def __post_init__(self) -> None:
        case = self.case
        judged = case.judged
        names = ["cotangent"] if len(judged) == 1 else [f"cotangent {k}" for k in judged]
        self.names = dict(zip(names, judged, strict=True))
        self.point = {**case.fresh(), **{n: case.cotangents[k] for n, k in self.names.items()}}
        self.gradients = tuple(case.claim.values())
        seeds = range(case.example.seed + 17, case.example.seed + 10_000)
        self.directions = tuple(map(case.backend.random_signs, self.gradients, seeds))

    def _parts(self, arrays: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Cotangents, one an output, and the subject's own inputs."""
        whole: list[Any] = [None] * len(self.case.outputs)
        for name, k in self.names.items():
            whole[k] = arrays[name]
        return tuple(whole), {n: a for n, a in arrays.items() if n not in self.names}

    def forward(self, arrays: dict[str, Any]) -> tuple[Any, ...]:
        """The gradients that vjp returns, by input."""
        return tuple(self.case.vjp(*self._parts(arrays)).values())

    def vjp(self, directions: tuple[Any, ...], arrays: dict[str, Any]) -> dict[str, Any]:
        """The claimed gradient of <directions, gradients>. Raises ClaimRaised."""
        case, (cotangents, own) = self.case, self._parts(arrays)
        by_input = dict(zip(case.claim, map(case.copied, directions), strict=True))
        given = case.packed(tuple(map(case.copied, cotangents)))
        copies = {name: case.copied(value) for name, value in own.items()}
        try:
            found, of_cotangent = case.evaluator.call(
                case.subject.second, by_input, given, **copies
            )
        except Exception as error:
            raise ClaimRaised(error) from error
        whole = of_cotangent if isinstance(of_cotangent, tuple) else (of_cotangent,)
        try:
            own = {name: found[name] for name in case.subject.differentiable}
            return {**own, **{name: whole[k] for name, k in self.names.items()}}
        except (KeyError, IndexError, TypeError) as error:
            raise ClaimRaised(error) from error

    def problem(self) -> Problem:
        """This as the verdict engine takes it."""
        return Problem(
            forward=self.forward,
            vjp=self.vjp,
            point=self.point,
            names=(*self.case.subject.differentiable, *self.names),
            backend=self.case.backend,
            domains=self.case.domains(),
        )


def _called(twice: Twice, name: str) -> str:
    return f"`{name}`" if name in twice.case.subject.inputs else f"the {name}"


def _gives(twice: Twice, verdict: Judgement, claim: Any) -> str:
    """What the second derivative is instead, in words."""
    if verdict.verdict == "nonfinite":
        return "NaN or infinity"
    return ZERO if twice.case.backend.max_abs(claim) == 0.0 else "something else"


def _promised(subject: Subject) -> bool:
    """Whether second order is claimed: by a function given for it, or by a trait.

    A backward that torch happens to be able to differentiate, with intermediate results kept as
    constants, claims nothing. Its silence is worth a remark.
    """
    return not subject.second_offered or "twice differentiable" in subject.traits


def _at_generic_numbers(case: Case) -> Case:
    """The same shapes at random numbers: a second derivative is asked for off the kinks only."""
    example, numbers = case.example, case.numbers
    if example.fills:
        example = _generic(case)
        numbers = arrays_of(case.subject, example)
    given = None if example.fills else case.given_cotangent
    return Case(
        case.subject,
        example,
        numbers,
        case.backend,
        case.evaluator,
        case.dtype,
        case.device,
        given,
    )


def _told(case: Case, values: list[Any]) -> bool:
    """Whether outputs and gradients are finite, and not all of them empty."""
    arrays = [v for v in values if case.backend.is_array(v)]
    some = any(math.prod(case.backend.shape(a)) for a in arrays[: len(case.outputs)])
    return some and all(map(case.backend.all_finite, arrays))


def _generic(case: Case) -> Example:
    fills = tuple(
        (n, replace(f, style="generic", scale=0) if _is_array(case, n) else f)
        for n, f in case.example.fills
    )
    return replace(case.example, fills=fills)


def _is_array(case: Case, name: str) -> bool:
    return isinstance(case.subject.inputs[name], Array)


CHECK = SecondOrder()
