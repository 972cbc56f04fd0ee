"""What can be said beside a kink that cannot be resolved: of the entries it leaves alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

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
    # Real and imaginary parts lie side by side.
    parts = np.reshape(sides.parting, (*case.backend.shape(case.x(name)), -1))
    parting = np.any(parts, axis=-1)
    rest = hide(case, name, parting)
    if parting.any() and not rest.hidden[name].all():
        there = judged(rest, name)
        if there.verdict == "wrong":
            return there
    return unsettled(name, CLOSER)
