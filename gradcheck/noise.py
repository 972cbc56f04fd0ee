"""How far honest rounding moves the outputs and gradients of a case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.evaluation import ClaimRaised, ForwardRaised
from gradcheck.rounding import INVISIBLE, OWN, REORDERED, SHARED, difference, ulp

if TYPE_CHECKING:
    from gradcheck.case import Case

REPLICAS = 4
# A gradient that is this small beside the cotangent, or moves by so little, may be rounding.
DUST = 2.0**-40
# So many terms of that size are rounded on the way to an exponent.
TERMS = 16.0
# A kink or a clip moves a gradient by a good part of itself.
SHARE = 2.0**-12


def of_claim(case: Case) -> dict[str, float]:
    """How far honest rounding moves each gradient, measured by cotangents off by an ulp.

    Where a gradient is what is left of a cancellation, its size says nothing of its rounding.
    The inputs stay: an ulp would break ties and leave kinks.
    """
    spread = dict.fromkeys(case.subject.differentiable, 0.0)
    for replica in range(REPLICAS):
        us = tuple(None if c is None else off_by_ulps(case, c, replica) for c in case.cotangents)
        claim = case.vjp(us, case.arrays)
        for name, gradient in case.claim.items():
            off = difference(case.backend, claim[name], gradient)
            spread[name] = max(spread[name], off)
    return spread


def dust(case: Case, name: str) -> float:
    """How far a gradient that is nothing but rounding moves with inputs that are off by an ulp.

    0.0 where it moves by more than rounding would: it is on another side of a kink then.
    """
    backend, most = case.backend, 0.0
    loud = max((backend.max_abs(case.cotangents[k]) for k in case.judged), default=0.0)
    for replica in range(REPLICAS):
        arrays = case.fresh()
        for other in case.subject.differentiable:
            arrays[other] = off_by_ulps(case, arrays[other], replica)
        try:
            moved = case.vjp(case.cotangents, arrays)[name]
        except (ForwardRaised, ClaimRaised):
            continue
        most = max(most, difference(backend, moved, case.claim[name]))
    return most if most <= DUST * loud else 0.0


def of_outputs(case: Case) -> float:
    """How far honest rounding moves the outputs, measured by inputs off by an ulp."""
    spread = 0.0
    for replica in range(REPLICAS):
        arrays = case.fresh()
        for name in case.subject.differentiable:
            arrays[name] = off_by_ulps(case, arrays[name], replica)
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
    return INVISIBLE * ulp(backend, x) * _loudness(case) / (backend.max_abs(x) or 1.0)


def visible(case: Case, name: str, off: Any) -> float:
    """The largest entry of `off` that some forward in this dtype could show; 0.0 where none is.

    Moving that entry by its own size would change <u, y> by more than its rounding.
    """
    backend, x = case.backend, case.arrays[name]
    sizes = np.abs(backend.to_numpy(x)).astype(np.float64)
    lengths = np.maximum(sizes, SHARED * np.max(sizes, initial=0.0))
    errors = np.abs(backend.to_numpy(off)).astype(np.float64)
    shown = errors * lengths > OWN * ulp(backend, x) * _loudness(case)
    return float(np.max(errors, where=shown, initial=0.0))


def _loudness(case: Case) -> float:
    """The largest of cotangent times outputs."""
    largest = case.backend.max_abs
    return max(
        (largest(case.cotangents[k]) * largest(case.outputs[k]) for k in case.judged), default=0.0
    )


def cancelled(case: Case) -> float:
    """What the difference of numbers as large as the inputs may be off by."""
    backend, arrays = case.backend, [case.arrays[n] for n in case.subject.differentiable]
    return REORDERED * max((ulp(backend, a) * backend.max_abs(a) for a in arrays), default=0.0)


def exponents(case: Case, name: str) -> float:
    """What an exponential of numbers as large as the inputs is off by, as large as the gradient.

    A backward in logarithms adds log|u| to them: beside 1e10 six digits of it are left.
    """
    backend = case.backend
    arrays = [case.arrays[n] for n in case.subject.differentiable]
    size = max((ulp(backend, a) * backend.max_abs(a) for a in arrays), default=0.0)
    return min(TERMS * size, SHARE) * backend.max_abs(case.claim[name])


def off_by_ulps(case: Case, array: Any, replica: int, ulps: float = 2.0) -> Any:
    """`array` with every entry moved by about an ulp of its own, or by so many, up or down."""
    signs = case.backend.random_signs(array, case.example.seed + 1009 * (replica + 1))
    step = ulps * ulp(case.backend, array)
    return case.backend.combine([1.0, step], [array, case.backend.multiply(array, signs)])
