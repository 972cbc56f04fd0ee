"""What truth and claim differ by is the same at every point: a linear term, or a constant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from gradcheck.diagnosis.evidence import Evidence, equal
from gradcheck.diagnosis.explanation import Explanation

# A term of forward is made of other inputs, or of weights; a wrong constant takes few values.
FEW = 3
# How far away it must be the same: slopes in pieces are, as long as nothing crosses a kink.
SHIFTS = (0.3, 2.0)


def linear_part(evidence: Evidence) -> Explanation | None:
    """What is missing is the same elsewhere: the gradient of a part that is linear."""
    if not holds(evidence):
        return None
    name, missing = evidence.name, evidence.true - evidence.claimed
    off = np.abs(missing).max(axis=1)
    if np.mean(off > 1e-7 * np.max(off)) < 0.6:
        return None  # a term of forward reaches most outputs: here some alone are wrong
    idle = (np.abs(evidence.true) <= 30 * evidence.error) & (np.abs(missing) > 1e-3 * np.max(off))
    if idle.any():
        return Explanation(
            f"the gradient of `{name}` has a term that is the same at every point, and that "
            "forward does not have",
            "path added",
            "path added: constant",
            "a term of vjp that no use of the input in forward accounts for",
        )
    if max(map(_values, (evidence, *evidence.more()))) < FEW:
        return told(evidence)
    return Explanation(
        f"the gradient of `{name}` lacks a path: the gradient through a part of forward that is "
        f"linear in `{name}` is missing",
        "path missing",
        "path missing: linear part",
        "every place where forward uses the input contributes one term to its gradient",
    )


def told(evidence: Evidence) -> Explanation:
    """Of one number, nothing says whether forward has it as a term or vjp as a wrong constant."""
    return Explanation(
        f"the gradient of `{evidence.name}` is off by a constant: what it differs by is the same "
        "at every point",
        "off by a constant",
        "off by a constant",
        "the 1 of a product rule, a constant slope, a term that is linear and that one side lacks",
    )


def _values(evidence: Evidence) -> int:
    """How many different numbers, but for their signs, the difference is made of."""
    sizes = np.abs(evidence.true - evidence.claimed)
    sizes = sizes / np.max(sizes)
    return len(np.unique(np.round(sizes[sizes > 1e-6], 5)))


def holds(evidence: Evidence) -> bool:
    """Whether what is missing is the same at other points, at which the truth is another."""
    missing, name = evidence.true - evidence.claimed, evidence.name
    if not np.any(evidence.claimed):
        return False
    for x in _elsewhere(evidence):
        arrays = {**evidence.scene.arrays, name: x}
        there = evidence.at(
            replace(evidence.scene, arrays=arrays, outputs=evidence.scene.forward(arrays))
        )
        if not there.scene.is_linear(name) or equal(there.true, evidence.true):
            return False
        if not equal(there.true - there.claimed, missing, evidence.error + there.error):
            return False
    return True


def _elsewhere(evidence: Evidence) -> Iterator[np.ndarray]:
    item = evidence.scene.inputs.get(evidence.name)
    low, high = getattr(item, "low", None), getattr(item, "high", None)
    rng = np.random.default_rng(12)
    for shift in SHIFTS:
        # In another order as well, or what is linear between kinks would seem to be so everywhere.
        moved = np.flip(evidence.array) + shift * rng.standard_normal(evidence.shape)
        yield np.asarray(np.clip(moved, low, high))
