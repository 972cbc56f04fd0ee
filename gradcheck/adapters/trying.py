"""Whether the methods of a NumPy object run, on spare copies of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.adapters import probing
from gradcheck.adapters.signatures import Arguments, call
from gradcheck.adapters.state import working_copy

if TYPE_CHECKING:
    from gradcheck.adapters.layer import Layer


def accepts(layer: Layer, data: Mapping[str, Any], sizes: Mapping[str, int]) -> bool:
    """Whether forward runs on generic numbers of these declarations."""
    if not probing.fits(data, sizes):
        return False
    spare = working_copy(layer.work)
    values = probing.numbers(data, sizes, seed=3)
    if layer.places:
        return probing.gives_array(layer.forward_on, spare, values)
    forward = getattr(spare, layer.forward_name)
    return probing.gives_array(call, forward, layer.takes, _unplaced(layer.takes, values))


def pulls(layer: Layer, name: str, value: Any) -> bool:
    """Whether forward and backward both run where the one input that must be given is `value`."""
    places, build = layer.places, layer.build
    layer.places, layer.build = {name: name}, dict
    spare = working_copy(layer.work)

    def run() -> None:
        raw = layer.forward_on(spare, {name: value})
        layer.backward_on(spare, np.ones_like(layer.outputs(raw)), {name: value}, raw)

    ran = probing.succeeds(run)
    layer.places, layer.build = places, build
    return ran


def _unplaced(takes: Arguments, values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by argument, by name or in order, where inputs have not been fitted yet."""
    named = {name: values[name] for name in takes.names if name in values}
    slots = takes.names or tuple(f"*{k}" for k in range(len(values)))
    return named or dict(zip(slots, values.values(), strict=False))
