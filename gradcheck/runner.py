"""Run checks over examples: generate, judge, keep the smallest failing example of each finding."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np

from gradcheck.backends import backend as backend_named
from gradcheck.case import Case
from gradcheck.checks.base import Check, Notes
from gradcheck.corners import corners
from gradcheck.coverage import Coverage
from gradcheck.diagnosis import budget, quoted, relate
from gradcheck.errors import UsageError
from gradcheck.evaluation import ClaimRaised, Evaluator, ForwardRaised, describe
from gradcheck.examples import MOST_ELEMENTS, Example, arrays_of, canonical, drawn, strategy
from gradcheck.findings import CheckOutcome, Finding, Report
from gradcheck.limits import Limit, TookTooLong, limit_of
from gradcheck.profiles import hypothesis_settings
from gradcheck.progress import tell
from gradcheck.subject import Subject

Key = tuple[str, str, str | None]
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


class _Stop(Exception):
    """A failing example, raised for Hypothesis to shrink: one subclass per finding key."""


@cache
def _stop_type(key: Key) -> type[_Stop]:
    # Hypothesis tells bugs apart by exception type and place, so each key gets a type of its own.
    return type("_".join(str(part) for part in key), (_Stop,), {})


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

    def all(self) -> None:
        """Given arrays, or the canonical examples and then generated ones."""
        if self.plan.at is not None:
            self._given(self.plan.at)
            return
        for number, example in enumerate(canonical(self.subject, self.plan.seed)):
            if number >= self.plan.examples or self._out_of_time():
                return
            self.example(example)
        count = self.plan.examples - self.ran
        if any(check.at_corners for check in self.checks):
            self._at_corners()
        self._generated(count)

    def _at_corners(self) -> None:
        """Examples at constants of the subject's own, where its gradient jumps.

        For the checks that asked alone: an ulp, by which a batch of one may differ from a batch
        of three, is enough to be on the other side.
        """
        evaluator = Evaluator(self.subject, self.backend, self.limit)
        self.at_corner = True
        with contextlib.suppress(TookTooLong):  # the finding comes with an example
            for example in corners(self.subject, evaluator, self.plan.seed):
                if self._out_of_time():
                    break
                self.example(example)
        self.at_corner = False

    def _given(self, at: Mapping[str, Any]) -> None:
        numbers = {name: _as_numbers(value) for name, value in at.items()}
        missing = [name for name in self.subject.inputs if name not in numbers]
        if missing:
            raise UsageError(f"at: no value for input {missing[0]!r}")
        self._run(Example((), seed=self.plan.seed), numbers)

    def _generated(self, count: int) -> None:
        """Examples that Hypothesis draws; where one fails, draw them again and shrink."""
        if count <= 0 or not self.subject.inputs:
            return
        failed = False
        with self.coverage.observing():
            examples = drawn(self.subject, count, self.plan.seed)
        for example in examples:
            if self._out_of_time():
                return
            failed = self.example(example) is not None or failed
        if failed:
            self._shrink(count)

    def _shrink(self, count: int) -> None:
        """The same draws again, remembered, this time as failures for Hypothesis to shrink."""
        from hypothesis import given, seed

        self._begin_shrinking()

        def draw(example: Example) -> None:
            key = self.example(example)
            if key is not None:
                raise _stop_type(key)

        property_ = given(strategy(self.subject))(draw)
        try:
            with self.coverage.observing():
                seed(self.plan.seed)(hypothesis_settings(count)(property_))()
        except _Stop:
            pass
        except BaseExceptionGroup as group:
            if group.split(_Stop)[1] is not None:
                raise
        except Exception as error:
            if type(error).__name__ not in ("Unsatisfiable", "FlakyFailure", "Flaky"):
                raise

    def example(self, example: Example) -> Key | None:
        """Run the checks at an example: the key of its first finding, the same when asked again."""
        if example in self.remembered:
            return self.remembered[example]
        if self._out_of_time():
            return None
        numbers = arrays_of(self.subject, example)
        self.remembered[example] = key = self._run(example, numbers)
        return key

    def _begin_shrinking(self) -> None:
        if self.shrink_until is None:
            self.shrink_until = time.perf_counter() + self.plan.shrink_seconds

    def _out_of_time(self) -> bool:
        now = time.perf_counter()
        if self.late >= MOST_LATE:
            return True
        if self.shrink_until is not None and now > self.shrink_until:
            return True
        return self.plan.seconds is not None and now - self.started > self.plan.seconds

    # -- one example ---------------------------------------------------------------------------

    def _run(self, example: Example, numbers: Mapping[str, Any]) -> Key | None:
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
            self._tell(check.name)
            for finding in self._check(check, case):
                failed_stage = check.stage
                first = first or finding.key
                self._keep(finding, case)
        return first

    def _tell(self, doing: str) -> None:
        done = min(self.ran, self.plan.examples)
        tell(done, self.plan.examples, doing, len(self.found))

    def _due(self, check: Check) -> bool:
        outcome = self.report.outcomes[check.name]
        if self.at_corner and not check.at_corners:
            return False
        return not outcome.not_run and (bool(outcome.findings) or (self.ran - 1) % check.every == 0)

    def _check(self, check: Check, case: Case) -> list[Finding]:
        outcome = self.report.outcomes[check.name]
        notes = Notes(outcome.examples)
        start, calls = time.perf_counter(), case.evaluator.forwards
        try:
            findings = list(check.run(case, notes))
        except ClaimRaised as raised:
            findings = [self._claim_raised(check, case, raised)]
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

    # -- the end -------------------------------------------------------------------------------

    def close(self) -> Report:
        """Turn what was gathered into the report."""
        report = self.report
        for (check, name), findings in self.unclear.items():
            outcome, judged = report.outcomes[check], self.clear[check, name]
            if not judged and not outcome.findings:
                outcome.findings.append(findings[0])
            elif judged:
                of = f"{len(findings)} of {len(findings) + judged}"
                outcome.remarks.append(f"{of} examples left `{name}` unjudged: too noisy there")
        self._explain()
        report.examples, report.discards = self.ran, dict(self.discards)
        report.coverage = self.coverage.as_dict()
        report.seconds = time.perf_counter() - self.started
        if self.ran == 0:
            self._nothing_ran()
        return report

    def _explain(self) -> None:
        """Name the faults of the findings that were kept, and tie those of one mistake."""
        outcomes = self.report.outcomes
        with budget.of_report():
            named = relate([self._explained(f) for o in outcomes.values() for f in o.findings])
        for outcome in outcomes.values():
            outcome.findings = [finding for finding in named if finding.check == outcome.check]

    def _explained(self, finding: Finding) -> Finding:
        """The finding with its fault named; it stands as it is where naming it fails."""
        self._tell("naming faults")
        try:
            return finding.explained()
        except (Exception, TookTooLong) as error:  # noqa: BLE001 - user code runs at new points
            said = f"the finding about `{finding.input}` could not be explained: {describe(error)}"
            self.report.notes.append(said)
            return replace(finding, tell=None)

    def _nothing_ran(self) -> None:
        name = self.subject.name
        if self.discards:
            message, _ = self.discards.most_common(1)[0]
            raise UsageError(
                f"subject {name!r}: forward raised at every one of "
                f"{sum(self.discards.values())} examples, most often: {message}"
            )
        if self.plan.seconds is not None and self._out_of_time():
            self.report.notes.append(f"seconds={self.plan.seconds:g} ended before any example")
            return
        raise UsageError(
            f"subject {name!r}: no sizes satisfy dims={self.subject.dims} and where= with at most "
            f"{MOST_ELEMENTS} elements an input: bound the dimensions, or give arrays with at="
        )


def verify(subject: Subject, checks: Sequence[Check], plan: Plan) -> Report:
    """Run `checks` on a subject and report; earlier stages guard the later ones."""
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
        run.all()
        closed = run.close()
    if run.late >= MOST_LATE:
        closed.notes.append(f"stopped after {run.ran} examples: {run.late} calls took too long")
    elif plan.seconds is not None and run._out_of_time():
        closed.notes.append(f"stopped after {run.ran} examples: seconds={plan.seconds:g} is spent")
    return closed


def _as_numbers(value: Any) -> Any:
    """A value given by the user at `at=`: arrays and scalars become NumPy arrays."""
    if isinstance(value, np.ndarray | bool | type(None) | str):
        return value
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


def _size(case: Case) -> tuple[float, ...]:
    """Order of examples: none empty, fewer elements, simpler styles, then shorter numbers."""
    arrays = [a for a in case.numbers.values() if isinstance(a, np.ndarray)]
    styles = sum(style != "plain" for style in case.example.styles.values())
    digits = sum(len(f"{float(abs(v)):.17g}") for a in arrays for v in a.ravel()[:64])
    empty = sum(a.size == 0 for a in arrays)
    return (empty, sum(a.size for a in arrays), styles, digits)
