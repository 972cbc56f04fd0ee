"""Contributions that forward does not have: a branch or a mask of forward that vjp leaves out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck.diagnosis.evidence import Evidence
from gradcheck.diagnosis.explanation import Explanation
from gradcheck.judgement.problem import Judgement


def explain(evidence: Evidence, judgement: Judgement) -> Explanation | None:
    """Right wherever an output depends on the entry; not zero where it does not."""
    true, claimed = evidence.true, evidence.claimed
    if evidence.is_complex or not evidence.one_output or not np.all(np.isfinite(true)):
        return None
    if not evidence.scene.is_linear(evidence.name) or np.iscomplexobj(evidence.outputs[0]):
        return None
    allowed = 1e-7 * float(np.max(np.abs(true), initial=0.0)) + 30 * evidence.error
    added = (np.abs(true) <= allowed) & (np.abs(claimed) > allowed)
    right = (np.abs(true - claimed) <= allowed) & (np.abs(true) > allowed)
    if not added.any() or not right.any() or np.any(~added & (np.abs(true - claimed) > allowed)):
        return None
    for said, fault, where in _conditions(evidence):
        if np.all(where[added]) and not np.any(where[right]):
            text = (
                f"the gradient of `{evidence.name}` has contributions from outputs where {said}, "
                "which do not depend on it"
            )
            return Explanation(text, fault, f"added where {said}", "a mask, a branch")
    return None


def _conditions(evidence: Evidence) -> Iterator[tuple[str, str, np.ndarray]]:
    """What may hold at an output entry, spread over the elements of the Jacobian."""
    shape, output = evidence.outputs[0].shape, evidence.outputs[0]
    if shape != evidence.shape and np.any(output == 0.0) and np.any(output):
        zero = np.broadcast_to((output == 0.0).reshape(-1, 1), evidence.true.shape)
        yield "forward is 0", "path added", zero
    for other, value in evidence.scene.arrays.items():
        if not isinstance(value, np.ndarray) or other == evidence.name or value.shape != shape:
            continue
        fault = "mask leak" if value.dtype.kind == "b" else "path added"
        for said, where in _states(other, value):
            yield said, fault, np.broadcast_to(where.reshape(-1, 1), evidence.true.shape)


def _states(name: str, value: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    if value.dtype.kind == "f":
        yield f"`{name}` is positive", value > 0
        yield f"`{name}` is negative", value < 0
    elif value.dtype.kind == "b":
        yield f"`{name}` is False", ~value
        yield f"`{name}` is True", value
    elif value.dtype.kind in "iu":
        for k in np.unique(value):
            yield f"`{name}` is {k}", value == k
