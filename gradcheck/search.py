"""Which examples a run goes through: given, canonical, at corners, drawn; and the shrinking."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.adapters.torch_packed import is_packed
from gradcheck.corners import corners
from gradcheck.errors import UsageError
from gradcheck.evaluation import Evaluator, describe
from gradcheck.examples import Example, canonical, drawn, strategy
from gradcheck.findings import Key
from gradcheck.inputs import Constant
from gradcheck.limits import TookTooLong
from gradcheck.profiles import hypothesis_settings, the_same_draws

if TYPE_CHECKING:
    from gradcheck.runner import Run


class _Stop(Exception):
    """A failing example, raised for Hypothesis to shrink: one subclass per finding key."""


@cache
def _stop_type(key: Key) -> type[_Stop]:
    # Hypothesis tells bugs apart by exception type and place, so each key gets a type of its own.
    return type("_".join(str(part) for part in key), (_Stop,), {})


def search(run: Run) -> None:
    """Given arrays, or the canonical examples and then generated ones."""
    if run.plan.at is not None:
        _given(run, run.plan.at)
        return
    for number, example in enumerate(canonical(run.subject, run.plan.seed)):
        if number >= run.plan.examples or run.out_of_time():
            return
        run.example(example)
    count = run.plan.examples - run.ran
    if any(check.at_corners for check in run.checks):
        _at_corners(run)
    _generated(run, count)


def _at_corners(run: Run) -> None:
    """Examples at constants of the subject's own, where its gradient jumps.

    For the checks that asked alone: an ulp, by which a batch of one may differ from a batch
    of three, is enough to be on the other side.
    """
    evaluator = Evaluator(run.subject, run.backend, run.limit)
    run.at_corner = True
    with contextlib.suppress(TookTooLong):  # the finding comes with an example
        for example in corners(run.subject, evaluator, run.plan.seed):
            if run.out_of_time():
                break
            run.example(example)
    run.at_corner = False


def _given(run: Run, at: Mapping[str, Any]) -> None:
    fixed = {n: item.value for n, item in run.subject.inputs.items() if isinstance(item, Constant)}
    numbers = {
        **fixed,
        **{name: v if name in fixed else _as_numbers(v) for name, v in at.items()},
    }
    missing = [name for name in run.subject.inputs if name not in numbers]
    if missing:
        raise UsageError(f"at: no value for input {missing[0]!r}")
    run.at(Example((), seed=run.plan.seed), numbers)


def _generated(run: Run, count: int) -> None:
    """Examples that Hypothesis draws; where one fails, draw them again and shrink."""
    if count <= 0 or not run.subject.inputs:
        return
    failed = False
    with run.coverage.observing():
        examples = drawn(run.subject, count, run.plan.seed)
    for example in examples:
        if run.out_of_time():
            return
        failed = run.example(example) is not None or failed
    if failed:
        _shrink(run, count)


def _shrink(run: Run, count: int) -> None:
    """The same draws again, remembered, this time as failures for Hypothesis to shrink."""
    from hypothesis import given, seed

    _begin_shrinking(run)

    def draw(example: Example) -> None:
        key = run.example(example)
        if key is not None:
            raise _stop_type(key)

    property_ = given(strategy(run.subject))(draw)
    try:
        with run.coverage.observing(), the_same_draws():
            seed(run.plan.seed)(hypothesis_settings(count)(property_))()
    except _Stop:
        pass
    except BaseExceptionGroup as group:
        if group.split(_Stop)[1] is not None:
            raise
    except Exception as error:
        if type(error).__name__ not in ("Unsatisfiable", "FlakyFailure", "Flaky"):
            raise


def _begin_shrinking(run: Run) -> None:
    if run.shrink_until is None:
        run.shrink_until = time.perf_counter() + run.plan.shrink_seconds


def _as_numbers(value: Any) -> Any:
    """A value given by the user at `at=`: arrays and scalars become NumPy arrays."""
    if isinstance(value, np.ndarray | bool | type(None) | str):
        return value
    if is_packed(value):
        value = value.data
    if hasattr(value, "detach"):
        value = _from_tensor(value)
    try:
        return np.asarray(value)
    except ValueError as error:
        raise UsageError(f"at: {describe(error)} for {value!r}") from None


def _from_tensor(value: Any) -> np.ndarray:
    try:
        return np.array(value.detach().cpu().resolve_conj().numpy())
    except (TypeError, RuntimeError) as error:
        raise UsageError(
            f"at: a {value.layout} {value.dtype} tensor cannot be used: {describe(error)}"
        ) from None
