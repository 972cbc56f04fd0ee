"""Stop rules, as each document writes them, as its code applies them, and as they were meant."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from reference import shapes

WORDS = "written", "implemented", "intended"


def loss_change(previous, step):
    """|L_t - L_{t-1}|; nothing to measure in the first step."""
    return None if previous is None else abs(step.loss - previous.loss)


def loss_itself(previous, step):
    """|L_t|, from the second step on: what tf.abs(a, b) computes, b being the operation's name."""
    return None if previous is None else abs(step.loss)


def loss_against_itself(previous, step):
    """|L_{t+1} - L_{t+1}| = 0, as (001) prints it: met by any margin in the first step."""
    return 0.0


def weight_change(previous, step):
    """The largest |w_{t+1} - w_t|."""
    return max(np.max(np.abs(step.weights[k] - step.before[k])) for k in step.weights)


@dataclass(frozen=True)
class Rule:
    """Stop once `measure(previous, step) <= margin`, or after `limit` steps.

    measure: None stands for no criterion. watchful: also stop, with the reason "diverged", at
    the first number that is not finite; without it NaN passes every comparison and only the
    limit ends the run.
    """

    measure: Callable | None = None
    margin: float = 0.0
    limit: int | None = None
    watchful: bool = False

    def __post_init__(self):
        shapes.at_least("margin", self.margin, 0)
        if self.limit is not None:
            shapes.at_least("limit", self.limit, 1)

    def reason(self, previous, step):
        """The rule that ends the run at `step`, or None."""
        if self.watchful and not step.finite():
            return "diverged"
        measured = self.measure(previous, step) if self.measure else None
        if measured is not None and measured <= self.margin:
            return "margin"
        return "limit" if step.number == self.limit else None


def pick(stop, rules):
    """The rule named by `stop` ("written", "implemented", "intended"), or a Rule as it is."""
    if isinstance(stop, Rule):
        return stop
    shapes.one_of("stop", stop, WORDS)
    return rules[stop]
