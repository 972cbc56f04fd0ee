"""A NumPy object worked at several points in a row with nothing undone, as training works it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.adapters.state import Snapshot

if TYPE_CHECKING:
    from gradcheck.adapters.layer import Layer

Point = Mapping[str, Any]


def later(
    layer: Layer, cotangent: Any, others: Sequence[Point], /, **inputs: Any
) -> dict[str, Any]:
    """Gradients of the data after forward and backward at each of `others`; state put back.

    A workspace still holds what a larger call left in it. Where gradients add up in the object, as
    those of parameters may, work at this very point changes them as well: those are left out, as is
    an object that draws: its numbers are others after other work.
    """
    if "stochastic" in layer.traits:
        return {}
    found = _worked(layer, cotangent, [*others, inputs])
    once = _worked(layer, cotangent, [inputs])
    twice = _worked(layer, cotangent, [inputs, inputs])
    data = [name for name in layer.data if name in found and name in once and name in twice]
    return {n: found[n] for n in data if np.array_equal(once[n], twice[n], equal_nan=True)}


def _worked(layer: Layer, cotangent: Any, points: Sequence[Point]) -> dict[str, np.ndarray]:
    """Gradients of the data at the last point; the outputs are the cotangents of those before."""
    layer.reset()
    start = Snapshot.of(layer.work)
    try:
        for k, point in enumerate(points, start=1):
            layer.put(point)
            raw = layer.forward_on(layer.work, point)
            u = cotangent if k == len(points) else _inexact(layer.outputs(raw))
            returned = layer.backward_on(layer.work, u, point, raw)
        found = layer.of_data(returned, point, cotangent, raw)
        return {name: np.array(gradient) for name, gradient in found.items()}
    finally:
        start.restore()


def _inexact(outputs: Any) -> Any:
    """Outputs as a cotangent of their own: None for one that is not a floating array."""
    if isinstance(outputs, tuple):
        return tuple(map(_inexact, outputs))
    return outputs if np.asarray(outputs).dtype.kind in "fc" else None
