"""Packed sequences as inputs: the numbers move, the lengths stay."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from gradcheck.adapters.nested import Build
from gradcheck.inputs import array


def is_packed(value: Any) -> bool:
    """Whether a value is a torch PackedSequence; torch is not imported to find out."""
    rnn = sys.modules.get("torch.nn.utils.rnn")
    return rnn is not None and isinstance(value, rnn.PackedSequence)


def unpacked(inputs: Mapping[str, Any]) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """Inputs with an array in place of each torch.nn.utils.rnn.PackedSequence, and those by name.

    The array has the shape of the sequence's data: (sum of the lengths, features).
    """
    packed = {name: value for name, value in inputs.items() if is_packed(value)}
    shapes = {name: " ".join(map(str, value.data.shape)) for name, value in packed.items()}
    return {n: array(shapes[n]) if n in packed else v for n, v in inputs.items()}, packed


def packing(build: Build, packed: Mapping[str, Any]) -> Build:
    """`build`, with the arrays of packed sequences put back between their own batch sizes."""
    if not packed:
        return build

    def built(arrays: Mapping[str, Any]) -> dict[str, Any]:
        values = build(arrays)
        # _replace, not the constructor: it would move batch_sizes and check what is known.
        return {n: packed[n]._replace(data=v) if n in packed else v for n, v in values.items()}

    return built
