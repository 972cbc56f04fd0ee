"""One step of a training run, with all that is needed to verify it alone."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Step:
    """The update from `before` to `weights`.

    number: counted from 1. before, gradient, weights: arrays by name. loss: at `before`, on
    `batch`, the data of this step (indices, or whatever the scheme draws). stopped: None, or the
    rule that ended the run here: "margin", "limit", "patience", "diverged" or "converged".
    """

    number: int
    before: Mapping[str, Any]
    gradient: Mapping[str, Any]
    loss: Any
    weights: Mapping[str, Any]
    batch: Any = None
    stopped: str | None = None

    def finite(self):
        """Whether loss, gradient and new weights are all finite."""
        numbers = (self.loss, *self.gradient.values(), *self.weights.values())
        return all(np.isfinite(value).all() for value in numbers)


def last(steps):
    """The last step of a run. Raises ValueError where there was none."""
    kept = deque(steps, maxlen=1)
    if not kept:
        raise ValueError("the run has no step")
    return kept[0]
