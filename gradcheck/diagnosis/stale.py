"""A claim that stays the same when the inputs change: computed from what an earlier call left."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gradcheck.diagnosis.evidence import Evidence, equal
from gradcheck.diagnosis.explanation import Explanation
from gradcheck.judgement.problem import Judgement


def explain(evidence: Evidence, judgement: Judgement) -> Explanation | None:
    scene, name = evidence.scene, evidence.name
    rng, arrays = np.random.default_rng(21), dict(scene.arrays)
    for other, given in scene.arrays.items():  # data too: a claim that follows it is not stale
        item, value = scene.inputs.get(other), np.asarray(given)
        if value.dtype.kind not in "fc":
            continue
        low, high = getattr(item, "low", None), getattr(item, "high", None)
        arrays[other] = np.clip(value + 0.2 * rng.standard_normal(value.shape), low, high)
    there = replace(scene, arrays=arrays, outputs=scene.forward(arrays))
    if not np.array_equal(there.claims[name], evidence.returned) or not np.any(evidence.returned):
        return None
    if equal(there.numerical(name)[0], evidence.true):
        return None
    return Explanation(
        f"the gradient of `{name}` stays the same when the inputs change: it is computed from "
        "values kept from an earlier call, or from constants",
        "stale cache",
        f"`{name}`: stale values",
        "something saved on the object or in a global by another call",
    )
