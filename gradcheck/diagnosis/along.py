"""Whether a claim is off along one random direction: a look that costs few evaluations."""

from __future__ import annotations

import numpy as np

from gradcheck.diagnosis.evidence import Scene
from gradcheck.diagnosis.jacobian import directional

# A relative difference that is one.
WRONG = 1e-6


def off(scene: Scene, name: str, only: np.ndarray | float = 1.0) -> bool | None:
    """Whether a claim is off along one random direction, times `only`; None where unknown."""
    by = difference(scene, name, only)
    return None if by is None else by > WRONG


def difference(scene: Scene, name: str, only: np.ndarray | float = 1.0) -> float | None:
    """How far off it is, relative to the gradient; infinite where the claim is not finite."""
    x, claim = np.asarray(scene.arrays[name]), np.asarray(scene.claims[name])
    if claim.shape != x.shape or not claim.size or not scene.outputs:
        return None
    if not np.all(np.isfinite(claim)):
        return np.inf
    rng = np.random.default_rng(9)
    v = only * rng.uniform(0.5, 1, x.shape) * rng.choice([-1.0, 1.0], x.shape)
    told = directional(scene.forward, scene.arrays, name, v, scene.cotangents)
    if not np.isfinite(told):
        return None
    apart = abs(told - float(np.sum((claim * v).real)))
    size = float(np.sum(np.abs(claim * v))) + abs(told)
    return float(apart / size) if apart else 0.0
