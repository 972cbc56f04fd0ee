"""A backward that updates its parameters: the gradient is (before - after) / learning rate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gradcheck.adapters.slots import Slot
from gradcheck.adapters.state import attributes
from gradcheck.errors import UsageError

RATES = ("learning_rate", "lr", "learningrate", "learn_rate", "eta", "step_size", "rate", "alpha")


def recovered(before: Any, after: Any, rate: float) -> np.ndarray:
    """The gradient that an update of this learning rate must have used."""
    if np.shape(before) != np.shape(after):
        raise ValueError(
            f"the update changed a parameter's shape from {np.shape(before)} to {np.shape(after)}"
        )
    return np.asarray((np.asarray(before) - np.asarray(after)) / rate)


def rounding(value: Any, rate: float) -> np.ndarray:
    """Absolute error of `recovered`: W - lr g is rounded to a multiple of about eps |W|."""
    value = np.asarray(value)
    return np.asarray(np.finfo(value.dtype).eps * np.abs(value) / abs(rate))


def as_rate(given: Any) -> float:
    """A learning rate that can be divided by. Raises UsageError."""
    if isinstance(given, bool) or not isinstance(given, int | float | np.number) or not given:
        raise UsageError(f"learning_rate={given!r}, expected a number other than 0")
    return float(given)


def held_rates(root: Any, slots: Mapping[str, Slot]) -> list[tuple[Any, str, float]]:
    """(owner, attribute, value) of the learning rates that an object and its parts hold."""
    owners = {id(root): root}
    owners.update({id(s.owner): s.owner for s in slots.values() if hasattr(s.owner, "__dict__")})
    found = []
    for owner in owners.values():
        held = attributes(owner)
        name = next((n for n in RATES if _is_rate(held.get(n))), None)
        if name is not None:
            found.append((owner, name, float(held[name])))
    return found


def _is_rate(value: Any) -> bool:
    return isinstance(value, float | np.floating) and bool(value > 0)
