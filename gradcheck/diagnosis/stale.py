"""A claim that stays the same when the inputs change: computed from constants."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gradcheck.diagnosis.evidence import Evidence, equal
from gradcheck.diagnosis.explanation import Explanation
from gradcheck.judgement.problem import Judgement

# How far inputs move that any number will do for, past the pieces of a slope, and how far others.
FAR, NEAR = 2.0, 0.2


def explain(evidence: Evidence, judgement: Judgement) -> Explanation | None:
    scene, name = evidence.scene, evidence.name
    rng, arrays = np.random.default_rng(21), dict(scene.arrays)
    for other, given in scene.arrays.items():  # data too: a claim that follows it is not stale
        item, value = scene.inputs.get(other), np.asarray(given)
        if value.dtype.kind not in "fc":
            continue
        low, high = getattr(item, "low", None), getattr(item, "high", None)
        held = (low, high, getattr(item, "domain", None), getattr(item, "values", None))
        far = NEAR if any(h is not None for h in held) else FAR
        arrays[other] = np.clip(value + far * rng.standard_normal(value.shape), low, high)
    there = replace(scene, arrays=arrays, outputs=scene.forward(arrays))
    if not np.array_equal(there.claims[name], evidence.returned) or not np.any(evidence.returned):
        return None
    if equal(there.numerical(name)[0], evidence.true):
        return None
    return Explanation(
        f"the gradient of `{name}` stays the same when the inputs change: it is computed from "
        "constants, or from values that were kept before the check began",
        "constant gradient",
        f"`{name}`: constant gradient",
        "a formula without the inputs, or something saved on the object or in a global",
    )
