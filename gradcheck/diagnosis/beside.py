"""Wrong at a value: whether a step beside it is right, as "only there" says, or wrong as well."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck.diagnosis.along import off
from gradcheck.diagnosis.evidence import Scene
from gradcheck.evaluation import ForwardRaised

# Steps beside a value: no nearer than the stencils of `off` reach.
NEAR = (2.0**-10, 2.0**-7)
# Distances at which a claim may be right again, and halvings of the way to where it is.
FAR, HALVINGS = (2.0**-7, 2.0**-4, 0.5, 2.0), 10


def wrong_near(scene: Scene, name: str, of: str, places: Sequence[Any]) -> bool:
    """Whether the claim for `name` is off where these entries of `of` are moved by a little."""
    return any(_off(scene, name, of, places, t) for step in NEAR for t in (step, -step))


def reach(scene: Scene, name: str, places: Sequence[Any]) -> float | None:
    """How far from where these entries stand the claim is wrong; None where that has no end.

    The same on both sides, if both are in the domain.
    """
    found = [_reach(scene, name, places, side) for side in (1.0, -1.0)]
    ends = [end for end in found if end is not None]
    if not ends or (len(ends) == 2 and abs(ends[0] - ends[1]) > 0.02 * max(ends)):
        return None
    return ends[0] if len(ends) == 2 or _inside(scene, name, places, -NEAR[0]) is None else None


def _reach(scene: Scene, name: str, places: Sequence[Any], side: float) -> float | None:
    if _off(scene, name, name, places, side * NEAR[0]) is not True:
        return None
    wrong = NEAR[0]
    for t in FAR:
        told = _off(scene, name, name, places, side * t)
        if told is None:
            return None
        if not told:
            return _between(scene, name, places, side, wrong, t)
        wrong = t
    return None


def _between(
    scene: Scene, name: str, places: Sequence[Any], side: float, wrong: float, right: float
) -> float:
    for _ in range(HALVINGS):
        middle = float(np.sqrt(wrong * right))
        told = _off(scene, name, name, places, side * middle)
        if told is None:
            break
        wrong, right = (middle, right) if told else (wrong, middle)
    return float(np.sqrt(wrong * right))


def _off(scene: Scene, name: str, of: str, places: Sequence[Any], t: float) -> bool | None:
    moved = _inside(scene, of, places, t)
    if moved is None:
        return None
    only: np.ndarray | float = 1.0
    if of == name:
        only = np.zeros(moved.shape)
        for place in places:
            only[place] = 1.0
    arrays = {**scene.arrays, of: moved}
    try:
        return off(replace(scene, arrays=arrays, outputs=scene.forward(arrays)), name, only)
    except ForwardRaised:
        return None


def _inside(scene: Scene, of: str, places: Sequence[Any], t: float) -> np.ndarray | None:
    """These entries moved by about t, each a little more than the one before: ties are no more."""
    item, moved = scene.inputs.get(of), np.array(scene.arrays[of])
    for place, more in zip(places, _growing(), strict=False):
        moved[place] += t * more
    low, high = getattr(item, "low", None), getattr(item, "high", None)
    outside = (low is not None and np.any(moved.real < low)) or (
        high is not None and np.any(moved.real > high)
    )
    return None if outside else moved


def _growing() -> Iterator[float]:
    more = 1.0
    while True:
        yield more
        more *= 1.0625
