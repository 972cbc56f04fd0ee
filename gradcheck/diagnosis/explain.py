"""Ask every fault family about one wrong gradient; say what is known where none fits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np

from gradcheck.case import Case
from gradcheck.diagnosis.evidence import Evidence
from gradcheck.judgement import numerical_gradient
from gradcheck.judgement.problem import Judgement

# A dense numerical gradient costs some evaluations per entry: at most so many entries are measured.
MOST_ENTRIES = 256


@dataclass(frozen=True)
class Explanation:
    """A fault's name (None: no family fits), one sentence, a grouping key, and what to look for."""

    message: str
    fault: str | None = None
    cause: str = ""
    hint: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)


def explain(case: Case, judgement: Judgement) -> Explanation:
    """Name the fault behind a judgement that is not "correct"."""
    from gradcheck.diagnosis import MODULES

    if judgement.verdict == "inconclusive":
        return _inconclusive(judgement)
    evidence = gather(case, judgement.name)
    shown = {"expected": evidence.expected, "returned": evidence.returned}
    for module in MODULES:
        told = import_module(f"gradcheck.diagnosis.{module}").explain(evidence, judgement)
        if told is not None:
            return Explanation(told.message, told.fault, told.cause, told.hint, shown | told.evidence)
    return Explanation(_plain(judgement), None, f"{judgement.name}: {judgement.verdict}", "", shown)


def gather(case: Case, name: str) -> Evidence:
    """The evidence about one input's gradient at a case."""
    backend, problem = case.backend, case.problem()
    cotangents = tuple(case.cotangents[k] for k in case.judged)

    def numbers(array: Any) -> np.ndarray:
        return backend.to_numpy(array)

    def native(arrays: Mapping[str, Any]) -> dict[str, Any]:
        return {n: case.native(n, a) for n, a in arrays.items()}

    def measured(of: str) -> tuple[np.ndarray, np.ndarray]:
        shape = numbers(case.arrays[of]).shape
        if int(np.prod(shape)) > MOST_ENTRIES:
            return np.full(shape, np.nan), np.full(shape, np.nan)
        return numerical_gradient(problem, of, cotangents)

    def forward(arrays: Mapping[str, Any]) -> tuple[np.ndarray, ...]:
        return tuple(numbers(o) for o in problem.forward(native(arrays)))

    def vjp(us: tuple[np.ndarray, ...], arrays: Mapping[str, Any]) -> dict[str, np.ndarray]:
        own = tuple(backend.from_numpy(u) for u in us)
        return {n: numbers(g) for n, g in problem.vjp(own, native(arrays)).items()}

    expected, errors = measured(name)
    return Evidence(
        name=name,
        returned=numbers(case.claim[name]),
        expected=expected,
        errors=errors,
        arrays=case.as_numpy(),
        cotangents=tuple(numbers(c) for c in cotangents),
        outputs=tuple(numbers(case.outputs[k]) for k in case.judged),
        claims={n: numbers(g) for n, g in case.claim.items()},
        gradients=lambda of: measured(of)[0],
        forward=forward,
        vjp=vjp,
        traits=frozenset(case.subject.traits),
        inputs=case.subject.inputs,
    )


def _inconclusive(judgement: Judgement) -> Explanation:
    said = judgement.reason or "the function's own noise hides the derivative"
    return Explanation(
        f"the gradient of `{judgement.name}` could not be judged: {said}",
        cause=f"{judgement.name}: inconclusive",
    )


def _plain(judgement: Judgement) -> str:
    """What can be said of a wrong gradient that no family explains."""
    name = judgement.name
    if judgement.verdict == "nonfinite":
        return f"the gradient of `{name}` is not finite where a derivative exists"
    if judgement.verdict == "wrong_at_kink":
        return f"the gradient of `{name}` is outside the generalised gradient at a kink"
    if judgement.entries:
        worst = judgement.entries[0]
        at = f"[{', '.join(map(str, worst.index))}]" if worst.index else ""
        return (
            f"the gradient of `{name}` is wrong: `{name}{at}` should get "
            f"{worst.expected:.6g}, not {worst.returned:.6g}"
        )
    return (
        f"the gradient of `{name}` is wrong: along one direction {judgement.expected:.6g} "
        f"is expected and {judgement.returned:.6g} returned"
    )
