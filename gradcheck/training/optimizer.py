"""`check_optimizer`: one optimizer against another over generated gradient sequences."""

from __future__ import annotations

import secrets
import time
from typing import Any

import numpy as np

from gradcheck.errors import UsageError
from gradcheck.findings import CheckOutcome, Finding, Report
from gradcheck.training.drivers import Driver, driver
from gradcheck.training.explain import Difference, explain
from gradcheck.training.sequences import Sequence, sequences

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
    options. A rate bound in a partial is not touched, and the rate is then never changed.
    lr: the base rate. examples: how often each kind of sequence is drawn.

    Weights and gradients are float64 arrays. The tolerance is the rounding that a few ulps in
    every number cause in `like`: there is none to choose.

    Raises UsageError for something that is no optimizer, or a rate that is not positive.
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
    rng = np.random.default_rng(seed)
    for _ in range(examples):
        for sequence in sequences(rng, lr, scheduled):
            _compare(report, sequence, *pair)
    if not scheduled:
        fixed = next(d.name for d in pair if not d.rated)
        report.notes.append(f"{fixed} takes no rate: changing rates were not tried")
    _explain(report, *pair, lr)
    report.seconds = time.perf_counter() - started
    return report


def _compare(report: Report, sequence: Sequence, theirs: Driver, like: Driver) -> None:
    outcome = report.outcomes.setdefault(sequence.name, CheckOutcome(sequence.name))
    outcome.examples += 1
    report.examples += 1
    start = time.perf_counter()
    expected = sequence.run(like)
    tolerance = sequence.tolerance(like, expected)
    finding = _difference(sequence, expected, sequence.run(theirs), tolerance, outcome)
    if finding is not None and not outcome.findings:
        outcome.findings.append(finding)
    moved = np.abs(np.diff(expected, axis=0, prepend=sequence.weights[None]))
    _detectable(outcome, tolerance, moved)
    outcome.seconds += time.perf_counter() - start


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
    failed = {name for name, outcome in report.outcomes.items() if outcome.findings}
    if not failed:
        return
    told: Difference = explain(theirs, like, lr, failed)
    for outcome in report.outcomes.values():
        outcome.findings = [_with(f, told) for f in outcome.findings]


def _with(finding: Finding, told: Difference) -> Finding:
    from dataclasses import replace

    return replace(
        finding,
        fault=told.fault,
        message=f"{told.message} ({finding.message})",
        cause=told.message,
        hint=told.hint,
    )
