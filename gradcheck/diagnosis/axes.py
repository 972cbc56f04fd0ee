"""The right derivative over the wrong axes: a softmax, a norm, a mean over rows for columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from gradcheck.diagnosis import jacobian
from gradcheck.diagnosis.evidence import Evidence
from gradcheck.diagnosis.explanation import Explanation
from gradcheck.diagnosis.words import axis
from gradcheck.evaluation import ForwardRaised
from gradcheck.judgement.problem import Judgement

Reshaped = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class View:
    """The array as forward might have been given it, and the way back."""

    said: str
    to: Reshaped
    back: Reshaped


def explain(evidence: Evidence, judgement: Judgement) -> Explanation | None:
    """What forward would have given, had its axes been others: the same map, elsewhere."""
    if evidence.is_complex or not evidence.one_output or len(evidence.shape) < 2:
        return None
    if evidence.outputs[0].shape != evidence.shape or not evidence.scene.is_linear(evidence.name):
        return None
    for view in _views(evidence):
        table = _through(evidence, view)
        if table is not None and evidence.matches(table):
            return Explanation(
                f"the gradient of `{evidence.name}` {view.said}",
                "wrong axis",
                f"wrong axis: {view.said}",
                "axis= and keepdims=, in vjp as in forward",
            )
    return None


def _views(evidence: Evidence) -> Iterator[View]:
    shape, names = evidence.shape, evidence.axes
    for a, b in combinations(range(len(shape)), 2):
        over, other = (a, b) if _couples(evidence, a) and not _couples(evidence, b) else (b, a)
        said = f"is taken over {axis(names, other)} where forward goes over {axis(names, over)}"

        def swap(x: np.ndarray, a: int = a, b: int = b) -> np.ndarray:
            return np.swapaxes(x, a, b).copy()

        yield View(said, swap, swap)
    for a in range(1, len(shape) - 1):
        said = f"takes every index of {axis(names, a)} by itself, as if it were one of axis 0"
        rest = tuple(np.delete(shape, [0, a]))

        def split(x: np.ndarray, a: int = a, rest: tuple[int, ...] = rest) -> np.ndarray:
            moved = np.moveaxis(x, a, 1).reshape(-1, *rest)
            return np.expand_dims(moved, a).copy()

        def join(x: np.ndarray, a: int = a, rest: tuple[int, ...] = rest) -> np.ndarray:
            moved = np.squeeze(x, a).reshape(shape[0], shape[a], *rest)
            return np.moveaxis(moved, 1, a).copy()

        yield View(said, split, join)


def _couples(evidence: Evidence, a: int) -> bool:
    """Whether outputs depend on entries at another index of one axis, all other indices alike."""
    shape = evidence.shape
    table = np.nan_to_num(evidence.true).reshape(*shape, *shape)
    first = tuple(0 for _ in shape)
    line = tuple(slice(1, None) if k == a else 0 for k in range(len(shape)))
    return bool(np.any(np.abs(table[first + line]) > 1e-9 * np.max(np.abs(table))))


def _through(evidence: Evidence, view: View) -> np.ndarray | None:
    """The Jacobian of forward at the view, each axis put back."""
    scene, name, shape = evidence.scene, evidence.name, evidence.shape
    there = view.to(evidence.array)
    arrays = {**scene.arrays, name: there}
    try:
        if scene.forward(arrays)[0].shape != there.shape:
            return None
        table, _ = jacobian.numerical(scene.forward, arrays, name)
    except (ForwardRaised, ValueError, IndexError):
        return None
    columns = np.stack([view.back(row.reshape(there.shape)).ravel() for row in table])
    rows = [view.back(column.reshape(there.shape)).ravel() for column in columns.T]
    size = int(np.prod(shape))
    return np.stack(rows, axis=1).reshape(size, size)
