"""Detached: the gradient is zero whatever the cotangent."""

from __future__ import annotations

import numpy as np

from gradcheck.diagnosis.evidence import Evidence
from gradcheck.diagnosis.explanation import Explanation
from gradcheck.judgement.problem import Judgement

# Below this share of the right gradient there is rounding alone: p (u - sum(p) u) for ones.
NOTHING = 1e-13


def explain(evidence: Evidence, judgement: Judgement) -> Explanation | None:
    due = float(np.nanmax(np.abs(evidence.true), initial=0.0))
    given = max(
        float(np.max(np.abs(g), initial=0.0)) for g in (evidence.claimed, evidence.returned)
    )
    if not given <= NOTHING * due:
        return None
    return Explanation(
        f"the gradient of `{evidence.name}` is always zero, as if it were detached",
        "always zero",
        f"`{evidence.name}` detached",
        "a detach, an item(), a copy, or a gradient array that is never filled",
    )
