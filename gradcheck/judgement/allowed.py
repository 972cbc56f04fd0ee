"""Whether what surrounds a point allows the claim there."""

from __future__ import annotations

import dataclasses

import numpy as np

from gradcheck import kinks
from gradcheck.judgement.case import Case
from gradcheck.judgement.declared import forbidden
from gradcheck.kinks import Neighbourhood, Sides

# Numbers that move, beyond which dozens of gradients would fill the memory: the two sides suffice.
MANY = 2**17
# Roundoff of the sum of some dozens of claims.
ROUNDED = 2.0**-40
OUTSIDE = "outside the generalised gradient"
UNSEEN = "more kinks meet here than places around them were tried"


def seen_around(case: Case, name: str) -> tuple[Neighbourhood, Sides | None]:
    """The neighbourhood of one input, and what lies around the point; None at no kink."""
    around = Neighbourhood(case, (name,), case.draw(name, 77))
    return around, sides_of(around)


def sides_of(around: Neighbourhood) -> Sides | None:
    """What lies around the point, along many patterns where there are several ways to go."""
    sides = kinks.look(around)
    if sides is not None and 1 < around.freedom <= MANY:
        return kinks.more(around, sides)
    return sides


def offending(around: Neighbourhood, sides: Sides) -> tuple[np.ndarray, str]:
    """Entries that the declared rule forbids, and why."""
    nowhere = np.zeros(sides.claim.shape, dtype=bool)
    wrong, reason = forbidden(around, sides)
    if wrong.any():
        return wrong, reason
    if around.nonlinear(sides.claim, sides.tolerance, sides.kinked):
        return sides.kinked, "not multiplied by the cotangent at the kink"
    found = outside(around, sides)
    settled = around.case.problem.elementwise or around.watched[0] in around.case.known_at_kinks
    if not found.any() or settled:
        return found, OUTSIDE if found.any() else ""
    if around.freedom <= MANY:
        fuller = kinks.followed(around, kinks.cyclic(around, sides))
        if _acquitted(around, fuller):
            return nowhere, ""
        if kinks.unseen(around, fuller) or kinks.crowded(around, fuller):
            return found, UNSEEN
    return found, OUTSIDE


def permitted(case: Case, name: str) -> bool:
    """Whether there is a kink at the point that allows the claim, by the claims around it alone."""
    case = dataclasses.replace(case, known_at_kinks=frozenset())
    around, sides = seen_around(case, name)
    if sides is None or not sides.kinked.any():
        return False
    return not offending(around, sides)[0].any()


def outside(around: Neighbourhood, sides: Sides) -> np.ndarray:
    """Entries by which the claim is not in the hull of what was seen; none where it is."""
    elementwise = around.case.problem.elementwise
    nowhere = np.zeros(sides.claim.shape, dtype=bool)
    simple = elementwise or kinks.two_valued(sides)
    if simple and sides.outside.any():
        return sides.outside
    if simple and (elementwise or kinks.in_span(sides)):
        return nowhere
    smooth = np.asarray(sides.outside & ~sides.kinked)
    if smooth.any():
        return smooth
    if not simple and (kinks.in_hull(sides) or kinks.in_some_walk(around, sides)):
        return nowhere
    return sides.kinked


def _acquitted(around: Neighbourhood, sides: Sides) -> bool:
    """Whether the kinks, crossed one by one or output by output, allow the claim after all."""
    if not outside(around, sides).any():
        return True
    several = len(around.case.problem.names) > 1
    return (
        (several and kinks.in_joint_walk(around, sides))
        or kinks.in_some_region(around, sides)
        or row_by_row(around, sides)
    )


def row_by_row(around: Neighbourhood, sides: Sides) -> bool:
    """Whether each output's claim is a generalised gradient of that output, and the sum theirs."""
    case = around.case
    bent = kinks.bent_outputs(around)
    if not any(where.any() for where in bent) or sum(where.size for where in bent) == 1:
        return False
    total, size = np.zeros_like(sides.claim), np.zeros_like(sides.claim)
    for row in kinks.rows(case, bent):
        part = dataclasses.replace(around, case=row)
        if not _row_allowed(part):
            return False
        total, size = total + part.claim, size + np.abs(part.claim)
    gaps = np.abs(total - sides.claim)
    return not kinks.countable(bent) or bool(np.all(gaps <= sides.tolerance + ROUNDED * size))


def _row_allowed(around: Neighbourhood) -> bool:
    sides = sides_of(around)
    if sides is None:
        return False
    if not sides.kinked.any():
        return not sides.outside.any()
    if not outside(around, sides).any() or kinks.in_joint_walk(around, sides):
        return True
    return not outside(around, kinks.followed(around, sides)).any()
