"""Whether a claim is off along one random direction: a look that costs few evaluations."""

from __future__ import annotations

import numpy as np

from gradcheck.diagnosis.evidence import Scene
from gradcheck.diagnosis.jacobian import directional


def off(scene: Scene, name: str, only: np.ndarray | float = 1.0) -> bool | None:
    """Whether a claim is off along one random direction, times `only`; None where unknown."""
    x, claim = np.asarray(scene.arrays[name]), np.asarray(scene.claims[name])
    if claim.shape != x.shape or not claim.size or not scene.outputs:
        return None
    if not np.all(np.isfinite(claim)):
        return True
    rng = np.random.default_rng(9)
    v = only * rng.uniform(0.5, 1, x.shape) * rng.choice([-1.0, 1.0], x.shape)
    told = directional(scene.forward, scene.arrays, name, v, scene.cotangents)
    if not np.isfinite(told):
        return None
    returned = float(np.sum((claim * v).real))
    return bool(abs(told - returned) > 1e-6 * (np.sum(np.abs(claim * v)) + abs(told)))
