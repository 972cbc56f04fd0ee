"""Claims at a kink that several inputs share: each right alone, and all of them together?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gradcheck import kinks
from gradcheck.judgement.allowed import OUTSIDE, row_by_row, sides_of
from gradcheck.judgement.at_kink import MOST_ENTRIES, index_of
from gradcheck.judgement.case import Case
from gradcheck.judgement.problem import Judgement, WrongEntry
from gradcheck.kinks import Neighbourhood, Sides


def shared(case: Case, names: Sequence[str]) -> Judgement | None:
    """A rejection of claims that are each right alone but not together; None where they are.

    The larger of two tied inputs gets the whole gradient, and the other as well: each by itself
    lies between its two sides, and both together on none.
    """
    around = Neighbourhood(case, tuple(names), case.draw(names[0], 79))
    sides = sides_of(around)
    if sides is None or not sides.kinked.any() or not sides.strong:
        return None
    if _together(around, sides) or row_by_row(around, sides) or kinks.jumps(around):
        return None
    return _rejected_together(case, names, sides)


def _together(around: Neighbourhood, sides: Sides) -> bool:
    if kinks.two_valued(sides):
        seen = kinks.in_span(sides)
    else:
        seen = kinks.in_hull(sides) or kinks.in_some_walk(around, sides)
    return seen or kinks.in_some_region(around, sides)


def _rejected_together(case: Case, names: Sequence[str], sides: Sides) -> Judgement:
    """At the first input, what the nearest gradients that all the sides allow would be."""
    name = names[0]
    part = slice(0, _reals(case, name))
    nearest = kinks.projected(sides)[part]
    unit = Neighbourhood(case, (name,), 0).unit(name)
    gaps = np.abs(sides.claim[part] - nearest)
    order = [int(i) for i in np.argsort(-gaps)[:MOST_ENTRIES] if gaps[i] > 0.5 * gaps.max()]
    entries = tuple(
        WrongEntry(index_of(case, name, i), nearest[i] / unit, sides.claim[i] / unit) for i in order
    )
    others = " and ".join(f"`{other}`" for other in names[1:])
    return Judgement(
        name, "wrong_at_kink", entries=entries, reason=f"{OUTSIDE}, together with that of {others}"
    )


def _reals(case: Case, name: str) -> int:
    """Real numbers in an input: two for a complex entry."""
    return case.size(name) * (2 if case.backend.is_complex(case.x(name)) else 1)
