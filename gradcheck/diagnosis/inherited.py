"""A gradient that is wrong because another, earlier on the way back, is.

Where the truth about x follows from that about b by a linear map, and the claim about x from the
claim about b by the same map, the mistake lies on the way to b.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from gradcheck.diagnosis.evidence import EXPLAINED, Scene
from gradcheck.diagnosis.explanation import Explanation
from gradcheck.diagnosis.scenes import MANY, RECTANGLES, Study
from gradcheck.judgement.problem import Judgement

Named = Callable[[Sequence[Scene], Judgement], "Explanation | None"]


def explain(
    study: Study, scenes: Sequence[Scene], judgement: Judgement, named: Named
) -> Explanation | None:
    """The fault of another input that the claim for this one inherits."""
    name = judgement.name
    for other in study.subject.differentiable:
        key = ("inherited", other)
        if other == name:
            continue
        told = [_follows(scene, name, other) for scene in (*scenes, *_further(study))]
        # Where the other gradient holds less than this one, no map exists: that refutes nothing.
        if told.count(True) < (2 if False in told else 1):
            continue
        if key not in study.told:
            study.told[key] = named(scenes, replace(judgement, name=other))
        theirs: Explanation | None = study.told[key]
        if theirs is not None and theirs.fault is not None:
            mistake = theirs.message.split(";")[0]
            return replace(
                theirs,
                message=f"the gradient of `{name}` is wrong by the same mistake: {mistake}",
            )
    return None


def _further(study: Study) -> list[Scene]:
    """Examples with the sizes the other way round: a wide end tells what a narrow one cannot."""
    if "further" not in study.told:
        names = len(study.subject.dimension_names)
        tables = [tuple(reversed(table[:names])) for table in RECTANGLES.get(names, MANY)[:2]]
        made = [study.scene(study.sizes(table), 401) for table in tables if table]
        study.told["further"] = [scene for scene in made if scene is not None]
    found: list[Scene] = study.told["further"]
    return found


def _follows(scene: Scene, name: str, other: str) -> bool | None:
    """Whether one linear map takes truth and claim about `other` to those about `name`.

    None where this example cannot tell.
    """
    if len(scene.outputs) != 1 or not scene.outputs[0].ndim or not scene.wrong(other):
        return None
    true, claimed = scene.numerical(name)[0], scene.claimed(name)
    theirs, given = scene.numerical(other)[0], scene.claimed(other)
    if not (np.all(np.isfinite(true)) and np.all(np.isfinite(theirs))):
        return None
    samples = np.array([index[0] for _, index in scene.rows])
    whole = _one_map(np.concatenate([theirs, given]), np.concatenate([true, claimed]))
    if whole:
        return True
    told = [
        _one_map(
            np.concatenate([theirs[samples == k], given[samples == k]]),
            np.concatenate([true[samples == k], claimed[samples == k]]),
        )
        for k in range(scene.outputs[0].shape[0])
    ]
    if False in told:
        return False
    return True if True in told else None


def _one_map(source: np.ndarray, target: np.ndarray) -> bool | None:
    """Solvable exactly; None where it always is, for want of equations to spare."""
    if not np.any(target):
        return None
    half = len(target) // 2
    gap = float(np.max(np.abs(target[:half] - target[half:]), initial=0.0))
    rank = np.linalg.matrix_rank(source, tol=1e-8 * max(float(np.max(np.abs(source))), 1e-300))
    if rank >= len(source):
        return None
    solved = np.linalg.lstsq(source, target, rcond=1e-10)[0]
    left = float(np.max(np.abs(source @ solved - target)))
    return left <= min(1e-7 * float(np.max(np.abs(target))), EXPLAINED * gap if gap else np.inf)
