"""What a recurrence carries from each step to the one before, where a part of it is missing.

A matrix M that carries the state is asked in two ways. At M = 0 nothing comes back through it: a
claim that sends nothing back there, where something is due, goes through M alone. And M moved so
that no state feels it, changes what comes back and not what went forward: a claim that does not
change with it does not go through M.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from gradcheck.diagnosis.evidence import Evidence, Scene, equal
from gradcheck.evaluation import ClaimRaised, ForwardRaised

# Singular values below this share of the largest are zero.
RANK = 1e-9


def from_later_steps(evidence: Evidence, axis: int) -> bool:
    """Whether what is wrong comes from later steps alone, as far as outputs have steps."""
    return not _steps(evidence, axis) or _right(evidence, ~_later(evidence, axis))


def _steps(evidence: Evidence, axis: int) -> bool:
    """Whether the output has a state for each step of the input."""
    out = evidence.outputs[0].shape if evidence.one_output else ()
    return len(out) > axis and out[axis] == evidence.shape[axis] and not evidence.is_complex


def missing(evidence: Evidence, axis: int) -> str | None:
    """What of the state is not sent back along an axis of steps; None where that is not known."""
    out = evidence.outputs[0].shape
    if not _steps(evidence, axis) or len(out) == axis + 1:
        return None
    for name, matrix in evidence.matrices().items():
        if matrix.ndim == 2 and out[-1] in matrix.shape:
            try:
                if _nothing_beside(evidence, axis, name):
                    return f"what does not come back through `{name}` is missing"
                if _not_through(evidence, axis, name):
                    return f"what comes back through `{name}` is missing"
            except (ArithmeticError, ForwardRaised, ClaimRaised):
                continue  # not every layer takes a matrix of zeros
    return None


def _nothing_beside(evidence: Evidence, axis: int, name: str) -> bool:
    """Whether, at a matrix of zeros, the claim sends nothing back where something is due."""
    there = _moved(evidence.scene, name, np.zeros_like(evidence.scene.arrays[name]))
    own = evidence.at(there)
    later = _later(own, axis)
    return not np.any(own.claimed[later]) and _solid(own.true[later]) and _right(own, ~later)


def _not_through(evidence: Evidence, axis: int, name: str) -> bool:
    """Whether a move of the matrix that no state feels changes what is due, and not the claim."""
    steps = {a: 1 for a in evidence.axes[:-1] if a in evidence.sizes}
    if evidence.axes[axis] not in steps or evidence.scene.again is None:
        return False
    small = evidence.scene.again({**steps, evidence.axes[axis]: 2})
    if small is None:
        return False
    own = evidence.at(small)
    for moved in _unfelt(own, axis, name):
        there = evidence.at(_moved(small, name, moved))
        later = _later(own, axis)
        if not equal(there.outputs[0], own.outputs[0]) or equal(there.true, own.true, own.error):
            continue
        return equal(there.claimed, own.claimed) and _right(own, ~later)
    return False


def _unfelt(evidence: Evidence, axis: int, name: str) -> Iterator[np.ndarray]:
    """The matrix moved across all states but the last, from either side."""
    matrix, states = np.asarray(evidence.scene.arrays[name]), evidence.outputs[0]
    rows = np.moveaxis(states, axis, 0)[:-1].reshape(-1, states.shape[-1])
    _, values, basis = np.linalg.svd(rows)
    rank = int(np.sum(values > RANK * np.max(values, initial=0.0)))
    across = basis[rank:]
    if not len(across):
        return
    rng = np.random.default_rng(23)
    if matrix.shape[0] == rows.shape[1]:
        yield matrix + across.T @ rng.standard_normal((len(across), matrix.shape[1]))
    if matrix.shape[1] == rows.shape[1]:
        yield matrix + rng.standard_normal((matrix.shape[0], len(across))) @ across


def _moved(scene: Scene, name: str, matrix: np.ndarray) -> Scene:
    arrays = {**scene.arrays, name: matrix}
    return replace(scene, arrays=arrays, outputs=scene.forward(arrays))


def _later(evidence: Evidence, axis: int) -> np.ndarray:
    """Entries of a Jacobian by which an output gets something from an input of an earlier step."""
    out = np.indices(evidence.outputs[0].shape)[axis].reshape(-1, 1)
    own = np.indices(evidence.shape)[axis].reshape(1, -1)
    return np.asarray(out > own)


def _right(evidence: Evidence, where: np.ndarray) -> bool:
    return equal(evidence.claimed[where], evidence.true[where], evidence.error[where])


def _solid(true: np.ndarray) -> bool:
    return bool(np.all(np.isfinite(true)) and np.max(np.abs(true), initial=0.0) > 1e-4)
