"""How far honest rounding moves the outputs and gradients of a case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradcheck.evaluation import ForwardRaised
from gradcheck.rounding import INVISIBLE, REORDERED, difference, ulp

if TYPE_CHECKING:
    from gradcheck.case import Case

REPLICAS = 4


def of_claim(case: Case) -> dict[str, float]:
    """How far honest rounding moves each gradient, measured by cotangents off by an ulp.

    Where a gradient is what is left of a cancellation, its size says nothing of its rounding.
    The inputs stay: an ulp would break ties and leave kinks.
    """
    spread = dict.fromkeys(case.subject.differentiable, 0.0)
    for replica in range(REPLICAS):
        us = tuple(None if c is None else off_by_an_ulp(case, c, replica) for c in case.cotangents)
        claim = case.vjp(us, case.arrays)
        for name, gradient in case.claim.items():
            off = difference(case.backend, claim[name], gradient)
            spread[name] = max(spread[name], off)
    return spread


def of_outputs(case: Case) -> float:
    """How far honest rounding moves the outputs, measured by inputs off by an ulp."""
    spread = 0.0
    for replica in range(REPLICAS):
        arrays = case.fresh()
        for name in case.subject.differentiable:
            arrays[name] = off_by_an_ulp(case, arrays[name], replica)
        try:
            outputs = case.evaluator.forward(arrays)
        except ForwardRaised:
            continue  # an ulp outside the domain: this replica says nothing
        off = [difference(case.backend, outputs[k], case.outputs[k]) for k in case.judged]
        spread = max([spread, *off])
    return spread


def invisible(case: Case, name: str) -> float:
    """The largest gradient of an input that no forward in this dtype can show.

    Moving an entry by the input's whole size would change <u, y> by less than its rounding.
    """
    backend, x = case.backend, case.arrays[name]
    sizes = [
        backend.max_abs(case.cotangents[k]) * backend.max_abs(case.outputs[k]) for k in case.judged
    ]
    return INVISIBLE * ulp(backend, x) * max(sizes, default=0.0) / (backend.max_abs(x) or 1.0)


def cancelled(case: Case) -> float:
    """What the difference of numbers as large as the inputs may be off by."""
    backend, arrays = case.backend, [case.arrays[n] for n in case.subject.differentiable]
    return REORDERED * max((ulp(backend, a) * backend.max_abs(a) for a in arrays), default=0.0)


def off_by_an_ulp(case: Case, array: Any, replica: int) -> Any:
    """`array` with every entry moved by about an ulp of its own, up or down."""
    signs = case.backend.random_signs(array, case.example.seed + 1009 * (replica + 1))
    step = 2 * ulp(case.backend, array)
    return case.backend.combine([1.0, step], [array, case.backend.multiply(array, signs)])
