"""Run checks at examples, and keep the smallest failing example of each finding."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradcheck.backends import backend as backend_named
from gradcheck.case import Case
from gradcheck.checks.base import Check, Notes
from gradcheck.closing import close
from gradcheck.coverage import Coverage
from gradcheck.diagnosis import quoted
from gradcheck.errors import UsageError
from gradcheck.evaluation import ClaimRaised, Evaluator, ForwardRaised
from gradcheck.examples import Example, arrays_of
from gradcheck.findings import CheckOutcome, Finding, Key, Report
from gradcheck.limits import Limit, TookTooLong, limit_of
from gradcheck.progress import tell
from gradcheck.search import search
from gradcheck.subject import Subject

MOST_LATE = 3  # calls that may take too long before a run ends: each has cost a whole limit


@dataclass(frozen=True)
class Plan:
    """How a subject is verified: examples in all, a budget in seconds, and where."""

    examples: int
    seed: int
    seconds: float | None = None
    shrink_seconds: float = 5.0
    dtype: str = "float64"
    device: str = "cpu"
    at: Mapping[str, Any] | None = None
    cotangent: Any = None


@dataclass
class Run:
    """One verification under way: what was found so far, by finding key."""

    subject: Subject
    checks: Sequence[Check]
    plan: Plan
    report: Report
    found: dict[Key, tuple[Any, Finding]] = field(default_factory=dict)
    remembered: dict[Example, Key | None] = field(default_factory=dict)
    discards: Counter[str] = field(default_factory=Counter)
    unclear: dict[tuple[str, str], list[Finding]] = field(default_factory=dict)
    clear: Counter[tuple[str, str]] = field(default_factory=Counter)
    narrow: Counter[bool] = field(default_factory=Counter)
    hidden: dict[str, float] = field(default_factory=dict)
    ran: int = 0
    late: int = 0
    at_corner: bool = False
    started: float = field(default_factory=time.perf_counter)
    shrink_until: float | None = None

    def __post_init__(self) -> None:
        # A NumPy subject stays where it is; the device is then its twin's.
        device = "cpu" if self.subject.backend == "numpy" else self.plan.device
        self.backend = backend_named(self.subject.backend, device)
        self.coverage = Coverage(self.subject)
        self.limit = Limit(limit_of(self.plan.seconds))

    # -- examples ------------------------------------------------------------------------------

    def example(self, example: Example) -> Key | None:
        """Run the checks at an example: the key of its first finding, the same when asked again."""
        if example in self.remembered:
            return self.remembered[example]
        if self.out_of_time():
            return None
        numbers = arrays_of(self.subject, example)
        self.remembered[example] = key = self.at(example, numbers)
        return key

    def out_of_time(self) -> bool:
        now = time.perf_counter()
        if self.late >= MOST_LATE:
            return True
        if self.shrink_until is not None and now > self.shrink_until:
            return True
        return self.plan.seconds is not None and now - self.started > self.plan.seconds

    # -- one example ---------------------------------------------------------------------------

    def at(self, example: Example, numbers: Mapping[str, Any]) -> Key | None:
        evaluator = Evaluator(self.subject, self.backend, self.limit)
        case = Case(
            self.subject,
            example,
            numbers,
            self.backend,
            evaluator,
            self.plan.dtype,
            self.plan.device,
            self.plan.cotangent,
        )
        try:
            case.outputs  # noqa: B018 - computed here so that a forward that raises is a discard
        except ForwardRaised as raised:
            self.discards[str(raised)] += 1
            self.coverage.discard(case)
            return None
        except TookTooLong as late:
            return self._forward_too_slow(case, late)
        self.ran += 1
        self.coverage.add(case)
        return self._stages(case)

    def _forward_too_slow(self, case: Case, late: TookTooLong) -> Key | None:
        """A finding of the first check there is: none of them has anything to run on."""
        check = next((c for c in self.checks if not self.report.outcomes[c.name].not_run), None)
        if check is None:
            return None
        self.ran += 1
        self.report.outcomes[check.name].examples += 1
        finding = self._too_slow(check, case, late)
        self._keep(finding, case)
        return finding.key

    def _stages(self, case: Case) -> Key | None:
        first: Key | None = None
        failed_stage: int | None = None
        for check in self.checks:
            if failed_stage is not None and check.stage > failed_stage:
                break
            if not self._due(check):
                continue
            self.tell(check.name)
            for finding in self._check(check, case):
                failed_stage = check.stage
                first = first or finding.key
                self._keep(finding, case)
        return first

    def tell(self, doing: str) -> None:
        done = min(self.ran, self.plan.examples)
        tell(done, self.plan.examples, doing, len(self.found))

    def _due(self, check: Check) -> bool:
        outcome = self.report.outcomes[check.name]
        if self.at_corner and not check.at_corners:
            return False
        supposed = [self.report.outcomes[n] for n in check.supposes if n in self.report.outcomes]
        if any(other.findings for other in supposed):
            return False
        return not outcome.not_run and (bool(outcome.findings) or (self.ran - 1) % check.every == 0)

    def _check(self, check: Check, case: Case) -> list[Finding]:
        outcome = self.report.outcomes[check.name]
        notes = Notes(
            outcome.examples,
            known=self._known(check, case, "wrong"),
            known_at_kinks=self._known(check, case, "wrong_at_kink"),
        )
        start, calls = time.perf_counter(), case.evaluator.forwards
        try:
            findings = list(check.run(case, notes))
        except ClaimRaised as raised:
            findings = [] if case.undefined else [self._claim_raised(check, case, raised)]
            said = f"vjp raised {raised} where the outputs are not finite"
            outcome.remarks += [said] if case.undefined and said not in outcome.remarks else []
        except ForwardRaised as raised:
            findings = []
            outcome.remarks.append(f"forward raised {raised} near a point where it had not")
        except TookTooLong as late:
            findings = [self._too_slow(check, case, late)]
        outcome.seconds += time.perf_counter() - start
        outcome.evaluations += case.evaluator.forwards - calls
        outcome.examples += 1
        outcome.score = max(outcome.score, notes.score)
        outcome.told += notes.told
        self.coverage.note(notes)
        outcome.remarks += [r for r in notes.remarks if r not in outcome.remarks]
        self._detectable(outcome, check, notes)
        return findings

    def _known(self, check: Check, case: Case, verdict: str) -> frozenset[str]:
        """Inputs of which this check found this at an example no larger: that one will be kept."""
        held = {
            name: size
            for (by, kind, name), (size, _) in self.found.items()
            if by == check.name and kind == verdict and name is not None
        }
        size = (False, *_size(case)) if held else ()
        return frozenset(name for name, smallest in held.items() if smallest <= size)

    def _claim_raised(self, check: Check, case: Case, raised: ClaimRaised) -> Finding:
        said = f"vjp raised {quoted(str(raised))} in the check '{check.name}'"
        evidence = {"traceback": raised.traceback, "error": type(raised.error).__name__}
        cause = f"vjp raises {type(raised.error).__name__}"
        return case.finding(check.name, "broken", said, cause=cause, evidence=evidence)

    def _too_slow(self, check: Check, case: Case, late: TookTooLong) -> Finding:
        self.late += 1
        sizes = ", ".join(f"{n}: {np.shape(a)}" for n, a in case.numbers.items() if a is not None)
        hint = "a loop that never ends at these sizes, a lock, or a wait"
        return case.finding(check.name, "timeout", f"{late} at {sizes}", cause=str(late), hint=hint)

    def _detectable(self, outcome: CheckOutcome, check: Check, notes: Notes) -> None:
        for name, figures in notes.detectable.items():
            self.clear[check.name, name] += 1
            best = outcome.detectable.get(name)
            if best is None or figures["whole"] < best["whole"]:
                outcome.detectable[name] = figures
        if notes.narrow is not None:
            self.narrow[notes.narrow] += 1
        for name, seen in notes.hidden.items():
            self.hidden[name] = min(seen, self.hidden.get(name, seen))
        for name, finding in notes.unclear.items():
            self.unclear.setdefault((check.name, name), []).append(finding)

    def _keep(self, finding: Finding, case: Case) -> None:
        """Remember the finding if its example is the smallest of its key so far."""
        outcome = self.report.outcomes[finding.check]
        size = (not finding.telling, *_size(case))
        held = self.found.get(finding.key)
        if held is not None and held[0] <= size:
            return
        self.found[finding.key] = (size, finding)
        outcome.findings = [f for f in outcome.findings if f.key != finding.key] + [finding]


def verify(subject: Subject, checks: Sequence[Check], plan: Plan) -> Report:
    """Run `checks` on a subject and report; earlier stages guard the later ones."""
    _require_something(subject)
    report = Report(
        subject.name, seed=plan.seed, dtype=plan.dtype, device=plan.device, source=subject.source
    )
    report.notes.extend(subject.remarks)
    for check in checks:
        report.outcomes[check.name] = CheckOutcome(
            check.name, not_run=check.why_not(subject, plan.dtype)
        )
    run = Run(subject, checks, plan, report)
    with run.limit.guarding():
        search(run)
        closed = close(run)
    if run.late >= MOST_LATE:
        closed.notes.append(f"stopped after {run.ran} examples: {run.late} calls took too long")
    elif plan.seconds is not None and run.out_of_time():
        closed.notes.append(f"stopped after {run.ran} examples: seconds={plan.seconds:g} is spent")
    return closed


def _require_something(subject: Subject) -> None:
    """UsageError where no gradient is claimed at all: that is no correct gradient."""
    if subject.inputs and not subject.differentiable:
        said = f"no input of {subject.name!r} is differentiable"
        raise UsageError(f"nothing to verify: {said} (inputs: {', '.join(subject.inputs)})")


def _size(case: Case) -> tuple[float, ...]:
    """Order of examples: none empty, fewer elements, simpler styles, then shorter numbers."""
    arrays = [a for a in case.numbers.values() if isinstance(a, np.ndarray)]
    styles = sum(style != "plain" for style in case.example.styles.values())
    digits = sum(len(f"{float(abs(v)):.17g}") for a in arrays for v in a.ravel()[:64])
    empty = sum(a.size == 0 for a in arrays)
    return (empty, sum(a.size for a in arrays), styles, digits)
