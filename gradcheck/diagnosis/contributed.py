"""What each output contributes is right but for a factor of that output: lost on the way to it."""

from __future__ import annotations

import numpy as np

from gradcheck.diagnosis.evidence import Evidence, TooSmall
from gradcheck.diagnosis.explanation import Explanation
from gradcheck.diagnosis.words import number
from gradcheck.judgement.problem import Judgement

# Outputs of two entries each: with fewer, one number more or less fits anything.
LEAST = 4


def explain(evidence: Evidence, judgement: Judgement) -> Explanation | None:
    """Every row of the claimed Jacobian is a multiple of the true one."""
    if evidence.is_complex or not evidence.scene.is_linear(evidence.name):
        return None
    true, claimed = evidence.true, evidence.claimed
    if not np.all(np.isfinite(true)) or not np.all(np.isfinite(claimed)):
        return None
    weight = np.sum(true**2, axis=1)
    live = weight > 1e-12 * np.max(weight, initial=0.0)
    if np.any(np.abs(claimed[~live]) > 1e-7 * np.max(np.abs(claimed), initial=0.0)):
        return None
    factors = np.sum(true * claimed, axis=1)[live] / weight[live]
    off = np.abs(factors[:, None] * true[live] - claimed[live])
    allowed = 1e-7 * np.max(np.abs(true), initial=0.0) + 30 * evidence.error[live]
    if np.any(off > allowed) or not np.all(factors):
        return None
    several = (np.abs(true[live]) > 1e-6 * np.max(np.abs(true))).sum(axis=1) > 1
    if several.sum() < LEAST or np.ptp(factors[several]) < 1e-6 * np.max(np.abs(factors)):
        raise TooSmall
    shown = ", ".join(list(dict.fromkeys(number(c) for c in factors[several]))[:3])
    return Explanation(
        f"what each output contributes to the gradient of `{evidence.name}` is scaled by a factor "
        f"of its own: {shown}, ...",
        "wrong factor",
        "each output's contribution has a factor of its own",
        "what the cotangent is multiplied by before it meets the other operand",
    )
