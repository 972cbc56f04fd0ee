"""A training step that was taken: its weights before and after, as arrays by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.errors import UsageError

Weights = dict[str, np.ndarray]
ALONE = "weights"  # the name of an array that is given by itself


@dataclass(frozen=True)
class Taken:
    """One step as it was run: weights before and after, the loss it returned, its batch.

    like: list or tuple, where the step takes its weights in one.
    """

    before: Weights
    after: Weights
    loss: float
    batch: tuple[Any, ...]
    like: type | None = None

    def as_given(self, weights: Weights) -> Any:
        """These weights in the form the step takes."""
        if self.like is not None:
            return self.like(weights.values())
        return weights[ALONE] if list(weights) == [ALONE] else weights


def copied(weights: Any) -> Any:
    """Weights as the caller gave them, array, mapping or list, in memory of their own."""
    if isinstance(weights, Mapping):
        return {name: np.array(value, dtype=float) for name, value in weights.items()}
    if isinstance(weights, list | tuple) and not all(np.isscalar(w) for w in weights):
        return type(weights)(np.array(value, dtype=float) for value in weights)
    return np.array(weights, dtype=float)


def named(weights: Any) -> Weights:
    """Weights by name, in memory of their own; those of a list are called by their place."""
    own = copied(weights)
    if isinstance(own, list | tuple):
        return {f"weights[{k}]": value for k, value in enumerate(own)}
    return own if isinstance(own, dict) else {ALONE: own}


def as_number(value: Any) -> float:
    """A loss as a float."""
    array = np.asarray(value, dtype=float)
    if array.size != 1:
        raise UsageError(f"step returned a loss of shape {array.shape}: expected one number")
    return float(array.reshape(()))
