"""An elementwise derivative that is wrong in a way no other family knows: its value, and where."""

from __future__ import annotations

import numpy as np

from gradcheck.diagnosis.evidence import Evidence, equal
from gradcheck.diagnosis.explanation import Explanation
from gradcheck.diagnosis.words import apart, number
from gradcheck.judgement.problem import Judgement


def explain(evidence: Evidence, judgement: Judgement) -> Explanation | None:
    true, claimed = evidence.true, evidence.claimed
    if evidence.is_complex or not evidence.one_output or len(evidence.scene.names) != 1:
        return None
    if evidence.outputs[0].shape != evidence.shape or not evidence.scene.is_linear(evidence.name):
        return None
    if np.any(claimed - np.diag(np.diag(claimed))) or not np.all(np.isfinite(true)):
        return None
    if not equal(np.diag(np.diag(true)), true) or not _depends_on_own_entry(evidence):
        return None
    slope, given = np.diag(true), np.diag(claimed)
    at = int(np.argmax(np.abs(given - slope)))
    due, used = apart(slope[at], given[at])
    return Explanation(
        f"the gradient of `{evidence.name}` has a wrong derivative: at {evidence.name} = "
        f"{number(evidence.array.flat[at])} it uses {used} where forward has the slope {due}",
        "wrong derivative",
        "wrong derivative",
        "the formula of the derivative",
    )


def _depends_on_own_entry(evidence: Evidence) -> bool:
    """Whether the claimed slopes come along when the entries of x change places."""
    scene, name = evidence.scene, evidence.name
    if evidence.array.size < 4:
        return False
    turned = np.flip(evidence.array).copy()
    ones = tuple(np.ones_like(u) for u in scene.cotangents)
    here = scene.vjp(ones, scene.arrays)[name]
    there = scene.vjp(ones, {**scene.arrays, name: turned})[name]
    return equal(np.flip(there), np.asarray(here))
