"""A path through one number for each row: what is missing has a single direction there."""

from __future__ import annotations

import numpy as np

from gradcheck.diagnosis.evidence import Evidence, TooSmall
from gradcheck.diagnosis.explanation import Explanation
from gradcheck.diagnosis.words import axis
from gradcheck.judgement.problem import Judgement

# Singular values below this share of the largest are rounding.
NOTHING = 1e-7


def explain(evidence: Evidence, judgement: Judgement) -> Explanation | None:
    if evidence.is_complex or not evidence.scene.is_linear(evidence.name) or not evidence.shape:
        return None
    true, claimed = evidence.true, evidence.claimed
    if not np.all(np.isfinite(true)) or evidence.shape[-1] < 2:
        return None
    shape = (len(true), -1, evidence.shape[-1])
    missing, kept = (true - claimed).reshape(shape), claimed.reshape(shape)
    groups = range(missing.shape[1])
    if not all(_rank(missing[:, g]) <= 1 and _rank(kept[:, g]) > 1 for g in groups):
        return None
    if any(np.count_nonzero(np.abs(missing[:, g]).max(axis=0) > 1e-9) < 2 for g in groups):
        return None
    # What a single output misses has one direction whatever it is.
    if any(np.count_nonzero(np.abs(missing[:, g]).max(axis=1) > 1e-9) < 2 for g in groups):
        raise TooSmall
    where = axis(evidence.axes, len(evidence.shape) - 1)
    return Explanation(
        f"the gradient of `{evidence.name}` lacks a path, or has it wrong: the difference has a "
        f"single direction along {where}, as the gradient through one number for each row (the sum "
        "of a softmax, a mean, a norm) has",
        "path missing",
        f"path missing: one direction along {where}",
        "every place where forward uses the input contributes one term to its gradient",
    )


def _rank(matrix: np.ndarray) -> int:
    values = np.linalg.svd(matrix, compute_uv=False)
    return int(np.sum(values > NOTHING * max(values[0], 1e-300))) if values.size else 0
