"""What independent derivatives say of one gradient, along one direction: figures, never a verdict.

Each check notes what it has computed anyway: the gradient check the claim, the finite difference
and the complex step, the twin check the twin's gradient, forward mode its tangent. The direction
comes from the example's seed, so that figures of different checks are of the same derivative.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.findings import Told
from gradcheck.judgement.jacobian import derivative
from gradcheck.judgement.problem import Judgement
from gradcheck.limits import TookTooLong
from gradcheck.oracles import directions
from gradcheck.oracles.complex_step import complex_step
from gradcheck.oracles.finite_difference import Line
from gradcheck.records.schema import CLAIM
from gradcheck.rounding import REORDERED, ULP

if TYPE_CHECKING:
    from gradcheck.case import Case
    from gradcheck.checks.base import Notes

# Examples at which derivatives are compared: a handful of numbers says what there is to say.
COMPARED = 2
# Seconds, and times what a call usually takes: complex arithmetic costs a few times as much.
SOON, PATIENCE = 1.0, 100.0
DIFFERENCE, COMPLEX = "finite difference", "complex step"
TWIN, FORWARD = "twin", "forward mode"


def wanted(case: Case, notes: Notes) -> bool:
    """At the first few examples, in float64, where a difference is more than rounding."""
    return notes.number < COMPARED and case.dtype == "float64"


def direction(case: Case, name: str) -> directions.Placed | None:
    """The way along which one input's derivatives are compared; None where it cannot move."""
    backend, x = case.backend, case.arrays[name]
    if not math.prod(backend.shape(x)):
        return None
    v = directions.random_direction(backend, x, case.example.seed + 7919)
    placed = directions.place(backend, x, v, case.domains().get(name))
    return placed[0][0] if placed else None


def gradient_told(case: Case, judgement: Judgement, notes: Notes) -> None:
    """The claim, and what evaluations of forward say; nothing at a kink, where there is no one
    derivative to agree on."""
    way = direction(case, judgement.name) if wanted(case, notes) else None
    if way is None or judgement.kink is not None:
        return
    along(case, judgement.name, CLAIM, case.backend.to_numpy(case.claim[judgement.name]), notes)
    base = tuple(case.outputs[k] for k in case.judged)
    cotangent = tuple(case.cotangents[k] for k in case.judged)
    moving = {judgement.name: way.direction}
    line = Line(case.problem(), base, cotangent, moving, way.stencil, way.reach)
    found = derivative(line)
    _add(case, judgement.name, DIFFERENCE, found.value, found.error, notes)
    if case.subject.backend != "numpy":
        return  # elsewhere complex numbers run other code than real ones do
    with _briefly(case, notes):
        exact = complex_step(line)
        if exact is not None:
            _add(case, judgement.name, COMPLEX, exact, _rounding(abs(exact)), notes)


@contextmanager
def _briefly(case: Case, notes: Notes) -> Iterator[None]:
    """A loop that ends at real numbers may never end at complex ones: no alarm, and no more figures
    at this example."""
    limit, evaluator = case.evaluator.limit, case.evaluator
    before, usual = limit.seconds, evaluator.seconds / max(evaluator.forwards, 1)
    limit.seconds = min(before, SOON + PATIENCE * usual)
    try:
        yield
    except TookTooLong:
        notes.number = COMPARED
    finally:
        limit.seconds = before


def along(case: Case, name: str, oracle: str, gradient: np.ndarray, notes: Notes) -> None:
    """Note the derivative that a whole gradient implies."""
    way = direction(case, name) if wanted(case, notes) else None
    if way is None or gradient.shape != case.backend.shape(case.arrays[name]):
        return
    parts = (np.conj(gradient) * case.backend.to_numpy(way.direction)).real
    value = float(np.sum(parts))
    _add(case, name, oracle, value, _rounding(float(np.linalg.norm(parts))), notes)


def pushed(case: Case, name: str, value: float, notes: Notes) -> None:
    """Note what forward mode gives for <cotangent, J v>."""
    _add(case, name, FORWARD, value, _rounding(abs(value)), notes)


def _rounding(size: float) -> float:
    """What a sum of terms of this size is honestly off by."""
    return REORDERED * ULP["float64"] * size


def _add(case: Case, name: str, oracle: str, value: float, error: float, notes: Notes) -> None:
    if math.isfinite(value):
        notes.told.append(Told(oracle, name, value, error, case.example.seed))
