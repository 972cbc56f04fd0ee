"""Multiplied by M where it should be by its transpose, at either end of the chain.

Where the right gradient is M^T z, z solves that; the claim is then M z, with nothing left free.
"""

from __future__ import annotations

import numpy as np

from gradcheck.diagnosis.evidence import Evidence, TooSmall, equal
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
    return _turned(evidence)


def _turned(evidence: Evidence) -> Explanation | None:
    """A B where A^T B is due (or B A where B A^T is): A solves the truth, B is another input."""
    if evidence.is_complex or len(evidence.shape) < 2 or not np.all(np.isfinite(evidence.true)):
        return None
    true, claimed = (t.reshape(len(t), *evidence.shape) for t in (evidence.true, evidence.claimed))
    tried = False
    for name, matrix in evidence.matrices().items():
        if matrix.shape != evidence.shape or np.any(np.linalg.cond(matrix) > 1e6):
            continue
        rows, columns = matrix.shape[-2:]
        tried = True
        inverse, given = np.linalg.pinv(matrix), np.zeros_like(true)
        if 1 < rows <= columns:
            inner = np.swapaxes(true @ inverse, -1, -2)
            given = inner @ matrix
            fits = equal(np.swapaxes(inner, -1, -2) @ matrix, true)
        elif 1 < columns < rows:
            inner = np.swapaxes(inverse @ true, -1, -2)
            given = matrix @ inner
            fits = equal(matrix @ np.swapaxes(inner, -1, -2), true)
        else:
            continue
        if (
            fits
            and not equal(given, true)
            and evidence.matches(given.reshape(claimed.shape[0], -1))
        ):
            return Explanation(
                f"the gradient of `{evidence.name}` is a product of `{name}` with a matrix that "
                "should be transposed",
                "transposed",
                f"a factor of `{name}` not transposed",
                f"a product with {name} whose other factor wants a .T, or has one too many",
            )
    if tried:
        raise TooSmall  # only the side on which B is the longer one can be told
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
