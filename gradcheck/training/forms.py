"""How people hand parameters to an optimizer: one array, all of them by name, or in a list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.errors import UsageError

# alone(weights, rate) -> advance(gradient, rate) -> weights, of whatever the optimizer takes.
Alone = Callable[[Any, float], Callable[[Any, float], Any]]


@dataclass(frozen=True)
class Form:
    """One way: pack makes of some arrays what the optimizer takes, unpack the arrays again.

    apart: each parameter has an optimizer, or a state, of its own.
    """

    name: str
    apart: bool
    pack: Callable[[list[np.ndarray]], Any]
    unpack: Callable[[Any], list[Any]]

    def start(self, alone: Alone, weights: list[np.ndarray], rate: float) -> Any:
        """advance(gradients, rate) -> the weights of all parameters."""
        if self.apart:
            return _each(alone, weights, rate)
        one = alone(self.pack(weights), rate)
        return lambda gradients, rate: self.unpack(one(self.pack(gradients), rate))


def _each(alone: Alone, weights: list[np.ndarray], rate: float) -> Any:
    advances, now = [alone(w, rate) for w in weights], list(weights)

    def advance(gradients: list[Any], rate: float) -> list[Any]:
        for k, gradient in enumerate(gradients):
            if gradient is not None:
                now[k] = advances[k](gradient, rate)
        return now

    return advance


FORMS = (
    Form("an array", True, lambda arrays: arrays[0], lambda packed: [packed]),
    Form(
        "arrays by name",
        False,
        lambda arrays: {f"parameter{k}": a for k, a in enumerate(arrays)},
        lambda packed: list(packed.values()),
    ),
    Form("a list of arrays", False, list, list),
)


def in_the_form_that_works(alone: Alone, label: str) -> Form:
    """The first form in which a step moves the weights; else the first that does not raise.

    A vector is given: a list's loop over a matrix would move its rows, and pass for an array's.
    Raises UsageError with what was raised where none works.
    """
    still, said = None, []
    for form in FORMS:
        before = np.array([1.0, -2.0, 3.0])
        try:
            with np.errstate(all="ignore"):
                advance = form.start(alone, [before.copy()], 0.25)
                after = np.array(advance([np.array([0.5, 1.5, -1.0])], 0.25)[0], dtype=float)
        except Exception as error:  # noqa: BLE001 - the wrong form may raise anything
            said.append(f"given {form.name}: {type(error).__name__}: {error}")
            continue
        if after.shape == before.shape and not np.array_equal(after, before):
            return form
        still = still or form
    if still is None:
        raise UsageError(f"{label}: no step could be taken; {'; '.join(said)}")
    return still
