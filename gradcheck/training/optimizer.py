"""`check_optimizer`: one optimizer against another over generated gradient sequences."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck.errors import UsageError
from gradcheck.evaluation import describe
from gradcheck.findings import CheckOutcome, Finding, Report
from gradcheck.training.drivers import Driver, driver
from gradcheck.training.explain import explain
from gradcheck.training.lab import Difference
from gradcheck.training.sequences import MANY, Sequence, once, sequences

# A power of two, exact in every precision a framework may keep its rate in.
RATE = 2.0**-5


def check_optimizer(
    theirs: Any,
    like: Any,
    *,
    lr: float = RATE,
    examples: int = 3,
    seed: int | None = None,
    name: str | None = None,
    source: str = "",
) -> Report:
    """Hold an optimizer against another one, step by step, and return a Report.

    theirs, like: a step function (weights, gradient[, state][, lr=]) -> weights or (weights,
    state); a class with step or update(weights, gradient), in place or returning the weights; a
    class of torch.optim or keras.optimizers; or a functools.partial of one of them with its
    options. Weights and gradient may also be taken by name, in a mapping, or in a list. A rate
    bound in a partial is not touched, and the rate is then never changed.
    lr: the base rate. examples: how often each kind of sequence is drawn; a long one, and what a
    framework does beside (a parameter without a gradient, a gradient buffer used again), once.

    Weights and gradients are float64 arrays. The tolerance is the rounding that a few ulps in
    every number cause in `like`: there is none to choose.

    Raises UsageError for something that is no optimizer, one that cannot take a single step, or a
    rate that is not positive.
    """
    if not (np.isfinite(lr) and lr > 0):
        raise UsageError(f"check_optimizer: lr={lr!r}, expected a positive number")
    if examples < 1:
        raise UsageError(f"check_optimizer: examples={examples!r}, expected at least 1")
    pair = driver(theirs, "theirs"), driver(like, "like")
    seed = secrets.randbelow(2**31) if seed is None else seed
    report = Report(name or pair[0].name, seed=seed, source=source)
    started = time.perf_counter()
    scheduled = pair[0].rated and pair[1].rated
    for sequence in _drawn(seed, lr, examples, scheduled, *pair):
        _compare(report, sequence, *pair)
    report.notes.extend(_beside(*pair, lr))
    if not scheduled:
        fixed = next(d.name for d in pair if not d.rated)
        report.notes.append(f"{fixed} takes no rate: changing rates were not tried")
    if not report.findings:
        report.notes.append(f"not tried: what changes only after {MANY} steps")
    _explain(report, *pair, lr)
    report.seconds = time.perf_counter() - started
    return report


def _drawn(
    seed: int, lr: float, examples: int, scheduled: bool, theirs: Driver, like: Driver
) -> Iterator[Sequence]:
    rng = np.random.default_rng(seed)
    for _ in range(examples):
        yield from sequences(rng, lr, scheduled)
    yield from once(rng, lr, theirs.skips and like.skips, theirs.buffers)


def _beside(theirs: Driver, like: Driver, lr: float) -> Iterator[str]:
    """What is no difference of the weights, and yet worth knowing."""
    gradient = np.array([[1.0, -2.0, 3.0], [0.5, 0.25, -1.0]])
    given = [gradient.copy()]
    try:
        with np.errstate(all="ignore"):
            theirs.start([np.ones_like(gradient)], lr)(given, lr)
    except Exception:  # noqa: BLE001 - a step that raises is a finding of the sequences
        return
    if not np.array_equal(given[0], gradient):
        yield f"{theirs.name} writes into the gradient it is given"


def _compare(report: Report, sequence: Sequence, theirs: Driver, like: Driver) -> None:
    outcome = report.outcomes.setdefault(sequence.name, CheckOutcome(sequence.name))
    outcome.examples += 1
    report.examples += 1
    start = time.perf_counter()
    expected = sequence.run(like)
    tolerance = sequence.tolerance(like, expected)
    finding = _run_of(sequence, theirs, expected, tolerance, outcome)
    if finding is not None and sequence.remark:
        outcome.remarks.append(f"{sequence.remark}: {finding.cause or finding.message}")
    elif finding is not None and not outcome.findings:
        outcome.findings.append(finding)
    moved = np.abs(np.diff(expected, axis=0, prepend=sequence.weights[None]))
    _detectable(outcome, tolerance, moved)
    outcome.seconds += time.perf_counter() - start


def _run_of(
    sequence: Sequence,
    theirs: Driver,
    expected: np.ndarray,
    tolerance: np.ndarray,
    outcome: CheckOutcome,
) -> Finding | None:
    try:
        returned = sequence.run(theirs, again=sequence.again)
    except UsageError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever an optimizer raises is a finding
        said = f"'{sequence.name}': the step raised {describe(error)}"
        cause = f"raises {type(error).__name__}"
        return Finding("broken", sequence.name, said, input="weights", cause=cause)
    return _difference(sequence, expected, returned, tolerance, outcome)


def _difference(
    sequence: Sequence,
    expected: np.ndarray,
    returned: np.ndarray,
    tolerance: np.ndarray,
    outcome: CheckOutcome,
) -> Finding | None:
    alike = (expected == returned) | (np.isnan(expected) & np.isnan(returned))
    with np.errstate(invalid="ignore", divide="ignore"):
        score = np.where(alike, 0.0, np.abs(returned - expected) / tolerance)
    score = np.where(np.isnan(score), np.inf, score)
    outcome.score = max(outcome.score, float(score.max()))
    bad = np.flatnonzero((score > 1).any(axis=tuple(range(1, score.ndim))))
    if not bad.size:
        return None
    step = int(bad[0])
    index = tuple(map(int, np.unravel_index(int(score[step].argmax()), score[step].shape)))
    finite = bool(np.isfinite(returned[step]).all())
    said = f"in step {step + 1} of '{sequence.name}' the weights go elsewhere"
    return Finding(
        "wrong" if finite or not np.isfinite(expected[step]).all() else "nonfinite",
        sequence.name,
        said,
        input="weights",
        index=index,
        expected=float(expected[step][index]),
        returned=float(returned[step][index]),
        example={
            "weights": sequence.weights,
            "gradients": sequence.gradients[: step + 1],
            "rates": np.array(sequence.rates[: step + 1]),
        },
        evidence={"expected": expected[step], "returned": returned[step], "step": step + 1},
    )


def _detectable(outcome: CheckOutcome, tolerance: np.ndarray, moved: np.ndarray) -> None:
    size = float(np.linalg.norm(moved))
    if not size or not np.isfinite(size):
        return
    whole = float(np.linalg.norm(tolerance)) / size
    entry = float(np.median(tolerance[moved > 0] / moved[moved > 0]))
    held = outcome.detectable.get("weights")
    if held is None or whole < held["whole"]:
        outcome.detectable["weights"] = {"whole": whole, "entry": entry}


def _explain(report: Report, theirs: Driver, like: Driver, lr: float) -> None:
    """Name the difference once; every finding has it as its cause."""
    failed = {name: o.findings[0] for name, o in report.outcomes.items() if o.findings}
    if not any(finding.cause == "" for finding in failed.values()):
        return
    told: Difference = explain(theirs, like, lr, failed)
    for outcome in report.outcomes.values():
        outcome.findings = [f if f.cause else _with(f, told) for f in outcome.findings]


def _with(finding: Finding, told: Difference) -> Finding:
    return replace(
        finding,
        fault=told.fault,
        message=f"{told.message} ({finding.message})",
        cause=told.message,
        hint=told.hint,
    )
