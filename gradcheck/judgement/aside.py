"""What can be said beside a kink that cannot be resolved: of the entries it leaves alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gradcheck.judgement import allowed
from gradcheck.judgement.case import Case, hide
from gradcheck.judgement.problem import Judgement, unsettled
from gradcheck.kinks import Sides

CLOSER = "at a kink, and what lies beside it varies too fast for any line through it"


def undecided(
    case: Case, name: str, sides: Sides, judged: Callable[[Case, str], Judgement]
) -> Judgement:
    """Undecided, unless the claim is wrong at the entries whose sides do not part here.

    judged: the verdict on an input, here with the others hidden.
    """
    return _wrong_elsewhere(case, name, sides, judged) or unsettled(name, CLOSER)


def wrong_beside_kinks(
    case: Case, name: str, judged: Callable[[Case, str], Judgement]
) -> Judgement | None:
    """A verdict of wrong by the entries whose claim does not jump within a few ulp; None for none.

    For a claim that seems to be all rounding, which jumps at a kink are as well.
    """
    if case.beside:
        return None
    _, sides = allowed.seen_around(case, name)
    return None if sides is None else _wrong_elsewhere(case, name, sides, judged)


def _wrong_elsewhere(
    case: Case, name: str, sides: Sides, judged: Callable[[Case, str], Judgement]
) -> Judgement | None:
    # Real and imaginary parts lie side by side.
    parts = np.reshape(sides.parting, (*case.backend.shape(case.x(name)), -1))
    parting = np.any(parts, axis=-1)
    rest = hide(case, name, parting)
    if not parting.any() or rest.hidden[name].all():
        return None
    there = judged(rest, name)
    return there if there.verdict == "wrong" else None
