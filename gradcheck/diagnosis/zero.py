"""Detached: the gradient is zero whatever the cotangent."""

from __future__ import annotations

import numpy as np

from gradcheck.diagnosis.evidence import Evidence
from gradcheck.diagnosis.explanation import Explanation
from gradcheck.judgement.problem import Judgement


def explain(evidence: Evidence, judgement: Judgement) -> Explanation | None:
    if np.any(evidence.claimed) or np.any(evidence.returned):
        return None
    return Explanation(
        f"the gradient of `{evidence.name}` is always zero, as if it were detached",
        "always zero",
        f"`{evidence.name}` detached",
        "a detach, an item(), a copy, or a gradient array that is never filled",
    )
