"""The cotangent taken in another order: reshaped, or its axes read, as forward did not lay them."""

from __future__ import annotations

import numpy as np

from gradcheck.diagnosis.evidence import Evidence, TooSmall
from gradcheck.diagnosis.explanation import Explanation
from gradcheck.judgement.problem import Judgement

# Fewer outputs than these, or of fewer kinds, are in some order of their own by chance.
LEAST, KINDS = 6, 3


def explain(evidence: Evidence, judgement: Judgement) -> Explanation | None:
    """Row by row the claimed Jacobian is the true one, each row once, in another order."""
    if (
        evidence.is_complex
        or not evidence.one_output
        or not evidence.scene.is_linear(evidence.name)
    ):
        return None
    true, claimed = evidence.true, evidence.claimed
    if not np.all(np.isfinite(true)) or not np.all(np.isfinite(claimed)):
        return None
    allowed = 1e-7 * float(np.max(np.abs(true), initial=0.0)) + 30 * evidence.error.max(initial=0.0)
    # same[k, i]: whether the claim does with output k what forward does with output i.
    same = np.abs(claimed[:, None] - true[None]).max(axis=2, initial=0.0) <= allowed
    if (
        not np.array_equal(same.sum(axis=1), _like_it(claimed, allowed))
        or not same.any(axis=1).all()
    ):
        return None
    live = np.abs(true).max(axis=1, initial=0.0) > allowed
    if np.all(np.diagonal(same)[live]):
        return None  # in the order of the truth: what is wrong is less than that
    kinds = len({tuple(row) for row in same[:, live].T})
    if live.sum() < LEAST or kinds < KINDS:
        raise TooSmall
    return Explanation(
        f"the gradient of `{evidence.name}` takes the entries of the cotangent in another order",
        "permuted",
        "permuted: the cotangent's entries",
        "a reshape, or an order of axes, that is not that of the output",
    )


def _like_it(rows: np.ndarray, allowed: float) -> np.ndarray:
    """How many rows are the same, for each row."""
    apart = np.abs(rows[:, None] - rows[None]).max(axis=2, initial=0.0)
    return np.asarray((apart <= allowed).sum(axis=1))
