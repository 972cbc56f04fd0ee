"""Faults planted in a correct subject's own vjp, one at a time, and which checks catch them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from gradcheck.backends import backend as backend_named
from gradcheck.backends.base import Backend
from gradcheck.errors import UsageError
from gradcheck.findings import Finding, Report
from gradcheck.power.bends import BENDS, Bend, bent
from gradcheck.power.states import STATEFUL
from gradcheck.subject import Subject

# Enough to meet each canonical example and a few drawn ones.
EXAMPLES = 16
# Where one check that catches a fault is enough: a rectangular example, a square one, one at kinks.
FIRST = 3
SHRINK_SECONDS = 0.3
# A planted claim that differs by less at every example is no fault of this subject.
SAME = 1e-12


@dataclass(frozen=True)
class Planted:
    """One fault planted in the gradient of one input: which checks caught it, and its name."""

    fault: str
    input: str
    caught: bool
    checks: tuple[str, ...] = ()
    named: str | None = None
    message: str = ""
    seconds: float = 0.0


def power(
    subject: Subject,
    *,
    seed: int | None = None,
    examples: int = EXAMPLES,
    every_input: bool = False,
    faults: Sequence[str] | None = None,
    quick: bool = False,
) -> list[Planted]:
    """Plant every fault of the table in a correct subject, and say which checks caught it.

    every_input: each fault in each input's gradient; else the inputs take turns. A fault that
    changes nothing here (a transposed vector) is left out. faults: only those of these names.
    quick: no further than the first few examples where those catch it, and shrinking nothing.

    Raises UsageError where the subject does not pass as it is, or a name is unknown.
    """
    seed = 0 if seed is None else seed
    counts = (FIRST, examples) if quick else (examples,)
    report = _verified(subject, counts[0], seed)
    if not report.passed:
        raise UsageError(
            f"power: subject {subject.name!r} does not pass as it is ({report.verdict}): "
            "faults can be planted in a correct one only"
        )
    known = _table()
    unknown = [name for name in faults or () if name not in known]
    if unknown:
        raise UsageError(f"power: unknown fault {unknown[0]!r}; known: {', '.join(known)}")
    found = []
    for number, (fault, make) in enumerate(known.items()):
        if faults is not None and fault not in faults:
            continue
        names = subject.differentiable
        turns = (
            names if every_input else names[number % len(names) :] + names[: number % len(names)]
        )
        for name in turns:
            plant = partial(make, subject, name)
            if not _differs(subject, plant(), seed, make):
                continue
            found.append(_tried(plant, fault, name, counts, seed))
            if not every_input:
                break
    return found


def describe_power(results: Sequence[Planted]) -> str:
    """A table: fault, input, the checks that caught it, the name it was given."""
    lines = []
    for result in results:
        verdict = f"caught by {', '.join(result.checks)}" if result.caught else "NOT CAUGHT"
        named = f", named '{result.named}'" if result.named else ""
        lines.append(f"  {result.fault:34s} {result.input:10s} {verdict}{named}")
    caught = sum(result.caught for result in results)
    lines.append(f"{caught} of {len(results)} planted faults caught")
    return "\n".join(lines)


def _verified(subject: Subject, examples: int, seed: int) -> Report:
    from gradcheck.checks import select
    from gradcheck.runner import Plan, verify

    plan = Plan(examples=examples, seed=seed, shrink_seconds=SHRINK_SECONDS)
    return verify(subject, select(None), plan)


def _tried(
    plant: Callable[[], Subject], fault: str, name: str, counts: Sequence[int], seed: int
) -> Planted:
    """The checks at so many examples, then at more while nothing is caught; each time afresh."""
    start = time.perf_counter()
    findings: list[Finding] = []
    for examples in counts:
        report = _verified(plant(), examples, seed)
        findings = [f for f in report.findings if f.kind != "inconclusive"]
        if findings:
            break
    checks = tuple(dict.fromkeys(f.check for f in findings))
    told = [f for f in findings if f.fault and f.input in (name, None)]
    return Planted(
        fault,
        name,
        bool(findings),
        checks,
        told[0].fault if told else None,
        (told or findings)[0].message if findings else "",
        time.perf_counter() - start,
    )


def _differs(subject: Subject, planted: Subject, seed: int, make: Any) -> bool:
    """Whether the planted claim is another at some example; what no value shows counts too."""
    if getattr(make, "unseen", False):
        return True
    from gradcheck.case import Case
    from gradcheck.evaluation import ClaimRaised, Evaluator, ForwardRaised
    from gradcheck.examples import arrays_of, canonical

    backend = backend_named(subject.backend)
    for example in canonical(subject, seed):
        arrays = arrays_of(subject, example)
        right = Case(subject, example, arrays, backend, Evaluator(subject, backend))
        wrong = Case(planted, example, arrays, backend, Evaluator(planted, backend))
        try:
            ours, theirs = right.claim, wrong.claim
        except ForwardRaised:
            continue
        except ClaimRaised:
            return True
        if any(_apart(backend, ours[name], theirs[name]) for name in ours):
            return True
    return False


def _apart(backend: Backend, a: Any, b: Any) -> bool:
    a, b = backend.to_numpy(a), backend.to_numpy(b)
    if a.shape != b.shape:
        return True
    scale = np.max(np.abs(a[np.isfinite(a)]), initial=0.0)
    with np.errstate(invalid="ignore"):
        return bool(np.any(~(np.abs(a - b) <= SAME * scale) & ~(np.isnan(a) & np.isnan(b))))


def _table() -> dict[str, Callable[[Subject, str], Subject]]:
    """Every fault: makes a subject with it planted in the gradient of one input."""

    def made(bend: Bend) -> Callable[[Subject, str], Subject]:
        return lambda subject, name: bent(subject, name, bend)

    return {fault: made(bend) for fault, bend in BENDS.items()} | dict(STATEFUL)
