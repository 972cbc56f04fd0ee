"""Right where an index repeats no value: contributions overwritten, or divided by a count."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from gradcheck.diagnosis import where
from gradcheck.diagnosis.evidence import Scene
from gradcheck.diagnosis.explanation import Explanation
from gradcheck.diagnosis.scenes import Study
from gradcheck.inputs import Integers
from gradcheck.values import integer_range


def explain(study: Study, name: str) -> Explanation | None:
    """Right as soon as an index input repeats no index, and wrong where it repeats one."""
    for other, item in study.subject.inputs.items():
        if not isinstance(item, Integers):
            continue
        scene = study.scene(_room(study, item), seed=409)
        value = None if scene is None else np.asarray(scene.arrays[other])
        if scene is None or value is None or value.size < 2:
            continue
        low, high = integer_range(item, scene.sizes)
        if high - low < value.size:
            continue
        drawn = low + np.random.default_rng(8).permutation(high - low)[: value.size]
        apart = _with(scene, other, drawn.reshape(value.shape).astype(value.dtype))
        alike = _with(scene, other, np.full_like(value, low))
        if apart.wrong(name) or not alike.wrong(name) or not _uses(alike, name):
            continue
        shrunk = _shrunk(alike, name)
        if shrunk is not None and not np.isclose(shrunk * value.size, 1.0):
            return Explanation(
                f"the gradient of `{name}` is right only where `{other}` repeats no index: where "
                f"all {value.size} are one, it is {shrunk:.6g} times what it should be",
                "scaled by how often an index repeats",
                f"right only where `{other}` repeats no index, scaled",
                "a count of the index that forward does not divide by, or by another power of it",
            )
        if not _of_the_index(alike, name, low, high):
            continue
        return Explanation(
            f"the gradient of `{name}` is right only where `{other}` repeats no index: what a "
            "repeated index contributes is not accumulated",
            "duplicate overwritten",
            f"right only where `{other}` repeats no index",
            "accumulate: +=, np.add.at, index_add, scatter_add",
        )
    return None


def _of_the_index(scene: Scene, name: str, index: int, high: int) -> bool:
    """Whether wrong are entries of the repeated index alone, along an axis that has its range.

    A mistake elsewhere that needs two equal labels is wrong at others as well.
    """
    wrong = where.wrong_entries(scene.of(name))[0]
    places = np.argwhere(wrong)
    along = [a for a, n in enumerate(wrong.shape) if n >= high]
    return any(np.all(places[:, a] == index) for a in along)


def _uses(scene: Scene, name: str) -> bool:
    """Whether forward depends on the input there: what it does not depend on adds up to nothing."""
    return bool(np.any(scene.numerical(name)[0]))


def _shrunk(scene: Scene, name: str) -> float | None:
    """The factor that the whole claim has there, if it is the same for every entry, and not 1."""
    true, claimed = scene.numerical(name)[0], scene.claimed(name)
    size = np.max(np.abs(true), initial=0.0)
    live = np.abs(true) > 1e-6 * size
    if not live.any():
        return None
    factor = float(np.median(claimed[live] / true[live]))
    same = np.all(np.abs(claimed - factor * true) <= 1e-6 * abs(factor) * size)
    return factor if same and not np.isclose(factor, 1.0) else None


def _room(study: Study, item: Integers) -> dict[str, int]:
    """Few indices, and many values for them: all dimensions short but those of the range."""
    bounds, ends = study.subject.dims or {}, f"{getattr(item.high, 'text', item.high)}"
    sizes = {}
    for dim in study.subject.dimension_names:
        low, high = bounds.get(dim, (1, 64))
        sizes[dim] = min(max(12 if re.search(rf"\b{dim}\b", ends) else 2, low), high)
    return sizes


def _with(scene: Scene, name: str, value: np.ndarray) -> Scene:
    arrays = {**scene.arrays, name: value}
    return replace(scene, arrays=arrays, outputs=scene.forward(arrays))
