"""Whether what explains an example explains fresh numbers too: the branches not taken there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck.diagnosis import jacobian
from gradcheck.diagnosis.evidence import Evidence
from gradcheck.evaluation import ForwardRaised
from gradcheck.inputs import Array, Input

# What is different, by name, at every point of which one thing is said.
Changes = Callable[[Evidence, str], list[dict[str, Any]]]
# Scales of the numbers, times a normal draw.
SCALES = (1.0, 1.0, 2.0, 3.0, 0.5, 1.0)
# Redrawn numbers at which a rule must hold where an example does not use every entry.
REDRAWN = 4


def redrawn(evidence: Evidence) -> Iterator[Evidence]:
    """The same sizes at other numbers, again and again."""
    scene = evidence.scene
    for _ in range(REDRAWN):
        there = scene.again({}) if scene.again is not None else None
        if there is None:
            return
        scene = there
        yield evidence.at(scene)


def holds(evidence: Evidence, said: str, changes: Changes) -> bool:
    """Whether the claim is, at other numbers, the derivative at such a point as well."""
    rng = np.random.default_rng(6)
    return not any(_misses(evidence, said, changes, rng, scale) for scale in SCALES)


def _misses(
    evidence: Evidence, said: str, changes: Changes, rng: np.random.Generator, scale: float
) -> bool:
    """Whether it cannot be, along one direction. NaN, or no such point, says nothing."""
    scene, name = evidence.scene, evidence.name
    free = [n for n, item in scene.inputs.items() if _is_free(item, scene.arrays[n])]
    drawn = {n: scale * rng.standard_normal(np.shape(scene.arrays[n])) for n in free}
    arrays = {**scene.arrays, **drawn}
    v = rng.uniform(0.5, 1, evidence.shape)
    try:
        there = replace(scene, arrays=arrays, outputs=scene.forward(arrays))
        claim = np.asarray(there.claims[name]) * v
        told = [
            jacobian.directional(there.forward, {**arrays, **at}, name, v, there.cotangents)
            for at in changes(evidence.at(there), said)
        ]
    except ForwardRaised:
        return False
    scales = [float(np.max(np.abs(o), initial=0.0)) for o in there.outputs]
    allowed = 1e-3 * (np.sum(np.abs(claim)) + 1e-6 * max(scales))
    return bool(told) and all(abs(t - np.sum(claim)) > allowed for t in told)


def _is_free(item: Input, value: Any) -> bool:
    """Whether any real number will do."""
    if not isinstance(item, Array) or np.asarray(value).dtype.kind != "f":
        return False
    return (item.low, item.high, item.domain, item.values) == (None,) * 4
