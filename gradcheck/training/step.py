"""`check_training`: the update of a training step against the numerical gradient of its loss."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcheck.errors import UsageError
from gradcheck.evaluation import describe
from gradcheck.findings import CheckOutcome, Finding, Report
from gradcheck.training.drivers import driver
from gradcheck.training.taken import Taken, as_number, copied, named
from gradcheck.training.verdict import Verdict

# Steps after those that are verified entry by entry: a correction that ends, a second buffer.
LATER = 9

Rate = float | Sequence[float] | Callable[[int], float]


def check_training(
    step: Callable[..., Any],
    weights: Any,
    *,
    lr: Rate,
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
    weights: an array, or a mapping or list of arrays, float64; loss: a number, at the weights the
    step was given. lr: the rate the step uses: a number, one for each step, or a function of the
    step's number, counted from 1. like: the optimizer it should be (as `check_optimizer` takes),
    plain gradient descent by default. loss(weights[, batch]): where the step's own loss cannot be
    trusted or evaluated alone.

    The steps are run first, in order, so that what the step keeps from one to the next is seen as
    it is; then its loss is differentiated at each point. A step of up to a few hundred weights is
    checked entry by entry, a larger one at entries drawn by `seed`; nine steps more, as far as
    there are batches and rates, at a few entries of each array.

    Raises UsageError where the step returns something else or raises at once, or lr or steps
    cannot be used.
    """
    most = steps + LATER if batches is None else min(steps + LATER, len(batches))
    if min(steps, most) < 1:
        raise UsageError("check_training: there is no step to take")
    rates = _rates(lr, steps, most)
    given = [() if batches is None else (batches[k],) for k in range(len(rates))]
    seed = secrets.randbelow(2**31) if seed is None else seed
    label = str(name or getattr(step, "__name__", type(step).__name__))
    report = Report(label, seed=seed, source=source, outcomes=_outcomes())
    optimizer = driver(_descent if like is None else like, "like")
    started = time.perf_counter()
    taken = _run(step, weights, given, report)
    report.examples = min(steps, len(taken))
    rng = np.random.default_rng(seed)
    verdict = Verdict(step, loss, optimizer, rates, rng, report, batches=given)
    verdict.all(taken, steps)
    report.seconds = time.perf_counter() - started
    return report


def _rates(lr: Rate, steps: int, most: int) -> tuple[float, ...]:
    """A rate for each step; no more steps than there are rates."""
    if callable(lr):
        rates = tuple(float(lr(number)) for number in range(1, most + 1))
    elif isinstance(lr, Sequence) or np.ndim(lr):
        rates = tuple(float(rate) for rate in np.ravel(lr))[:most]
    else:
        rates = (float(lr),) * most
    bad = next((r for r in rates if not (np.isfinite(r) and r > 0)), None)
    if bad is not None:
        raise UsageError(f"check_training: lr={bad!r}, expected a positive number")
    if len(rates) < min(steps, most):
        raise UsageError(f"check_training: lr has {len(rates)} rates for {steps} steps")
    return rates


def _descent(weights: Any, gradient: Any, state: Any = None, *, lr: float) -> Any:
    return weights - lr * gradient, state


def _outcomes() -> dict[str, CheckOutcome]:
    return {name: CheckOutcome(name) for name in ("loss", "update")}


def _run(
    step: Callable[..., Any], weights: Any, given: Sequence[tuple[Any, ...]], report: Report
) -> list[Taken]:
    """The steps in order, each from a copy of the last one's weights."""
    taken: list[Taken] = []
    now = weights
    for number, batch in enumerate(given, 1):
        before = named(now)
        try:
            told = step(copied(now), *batch)
        except Exception as error:
            if number == 1:
                raise UsageError(f"step raised {describe(error)} at its first call") from error
            said = f"step {number} raised {describe(error)}"
            report.outcomes["update"].findings.append(Finding("broken", "update", said))
            break
        if not (isinstance(told, tuple) and len(told) == 2):
            raise UsageError(f"step returned {type(told).__name__}: expected (weights, loss)")
        now, value = told
        after = named(now)
        if {k: a.shape for k, a in after.items()} != {k: a.shape for k, a in before.items()}:
            raise UsageError("step: the new weights have other names or shapes than the old ones")
        like = type(weights) if isinstance(weights, list | tuple) else None
        taken.append(Taken(before, after, as_number(value), batch, like))
    return taken
