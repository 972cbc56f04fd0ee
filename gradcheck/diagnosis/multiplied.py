"""Multiplied by M where it should be by its transpose, at either end of the chain.

Where the right gradient is M^T z, z solves that; the claim is then M z, with nothing left free.
"""

from __future__ import annotations

import numpy as np

from gradcheck.diagnosis.evidence import Evidence, equal
from gradcheck.diagnosis.explanation import Explanation
from gradcheck.judgement.problem import Judgement


def explain(evidence: Evidence, judgement: Judgement) -> Explanation | None:
    for name, matrix in evidence.matrices().items():
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.shape[0] < 2:
            continue
        if equal(matrix, matrix.T) or np.linalg.cond(matrix) > 1e6:
            continue
        if _fits(evidence, matrix):
            return Explanation(
                f"the gradient of `{evidence.name}` is multiplied by `{name}` where it should be "
                "by its transpose",
                "transposed",
                f"multiplied by `{name}` instead of its transpose",
                f"a product with {name} that wants {name}.T, or has one too many",
            )
    return None


def _fits(evidence: Evidence, matrix: np.ndarray) -> bool:
    true, claimed = evidence.true, evidence.claimed
    if evidence.is_complex or np.mean(np.isfinite(true)) < 0.5:
        return False
    size = len(matrix)
    tables = [(true.reshape(len(true), *evidence.shape), 1)]
    if evidence.one_output and not np.iscomplexobj(evidence.outputs[0]):
        tables.append((true.reshape(*evidence.outputs[0].shape, -1), 0))
    for table, first in tables:
        last = table.ndim if first else table.ndim - 1
        for axis in range(first, last):
            if table.shape[axis] != size:
                continue
            ends = np.moveaxis(table, axis, 0)
            for used, wanted in ((matrix, matrix.T), (matrix.T, matrix)):
                inner = np.linalg.solve(wanted, ends.reshape(size, -1))
                candidate = np.moveaxis((used @ inner).reshape(ends.shape), 0, axis)
                if evidence.matches(candidate.reshape(claimed.shape)):
                    return True
    return False
