"""`check_training`: the update of a training step against the numerical gradient of its loss."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcheck.errors import UsageError
from gradcheck.findings import CheckOutcome, Report
from gradcheck.training.drivers import driver
from gradcheck.training.verdict import Taken, Verdict, Weights, as_number, copied


def check_training(
    step: Callable[..., Any],
    weights: Any,
    *,
    lr: float,
    like: Any = None,
    loss: Callable[..., Any] | None = None,
    batches: Sequence[Any] | None = None,
    steps: int = 3,
    seed: int | None = None,
    name: str | None = None,
    source: str = "",
) -> Report:
    """Hold a training step's updates against the numerical gradient of its own loss.

    step(weights) -> (new weights, loss), or step(weights, batch) where `batches` are given;
    weights: an array or a mapping of arrays, float64; loss: a number, at the weights the step
    was given. lr: the rate the step uses. like: the optimizer it should be (as `check_optimizer`
    takes), plain gradient descent by default. loss(weights[, batch]): where the step's own loss
    cannot be trusted or evaluated alone.

    The steps are run first, in order, so that what the step keeps from one to the next is seen as
    it is; then its loss is differentiated at each point. A step of up to a few hundred weights is
    checked entry by entry, a larger one at entries drawn by `seed`.

    Raises UsageError where the step returns something else, or lr or steps cannot be used.
    """
    if not (np.isfinite(lr) and lr > 0):
        raise UsageError(f"check_training: lr={lr!r}, expected a positive number")
    steps = steps if batches is None else min(steps, len(batches))
    if steps < 1:
        raise UsageError("check_training: there is no step to take")
    given = [() if batches is None else (batches[k],) for k in range(steps)]
    seed = secrets.randbelow(2**31) if seed is None else seed
    label = str(name or getattr(step, "__name__", type(step).__name__))
    report = Report(label, seed=seed, source=source, outcomes=_outcomes(), examples=steps)
    started = time.perf_counter()
    taken = _run(step, weights, given)
    optimizer = driver(_descent if like is None else like, "like")
    Verdict(step, loss, optimizer, lr, np.random.default_rng(seed), report).all(taken)
    report.seconds = time.perf_counter() - started
    return report


def _descent(weights: Any, gradient: Any, state: Any = None, *, lr: float) -> Any:
    return weights - lr * gradient, state


def _outcomes() -> dict[str, CheckOutcome]:
    return {name: CheckOutcome(name) for name in ("loss", "update")}


def _run(step: Callable[..., Any], weights: Any, given: Sequence[tuple[Any, ...]]) -> list[Taken]:
    """The steps in order, each from a copy of the last one's weights."""
    taken, now = [], weights
    for batch in given:
        before = _named(now)
        told = step(copied(now), *batch)
        if not (isinstance(told, tuple) and len(told) == 2):
            raise UsageError(f"step returned {type(told).__name__}: expected (weights, loss)")
        now, value = told
        after = _named(now)
        if {k: a.shape for k, a in after.items()} != {k: a.shape for k, a in before.items()}:
            raise UsageError("step: the new weights have other names or shapes than the old ones")
        taken.append(Taken(before, after, as_number(value), batch))
    return taken


def _named(weights: Any) -> Weights:
    own = copied(weights)
    return own if isinstance(own, dict) else {"weights": own}
