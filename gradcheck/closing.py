"""The end of a run: what was gathered becomes the report."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from gradcheck.diagnosis import budget, relate
from gradcheck.errors import UsageError
from gradcheck.evaluation import describe
from gradcheck.examples import MOST_ELEMENTS
from gradcheck.findings import Finding, Report
from gradcheck.limits import TookTooLong

if TYPE_CHECKING:
    from gradcheck.runner import Run

NUMBER = re.compile(r"-?\b\d+(\.\d*)?(e[+-]?\d+)?\b")


def close(run: Run) -> Report:
    """Name the faults, tell what was left unjudged and discarded.

    Raises UsageError where no example ran.
    """
    report = run.report
    _tell_unjudged(run)
    _tell_narrow(run)
    _silence(run)
    _explain(run)
    report.examples, report.discards = run.ran, joined(run.discards)
    report.coverage = run.coverage.as_dict()
    report.seconds = time.perf_counter() - run.started
    if run.ran == 0:
        _nothing_ran(run)
    return report


def _tell_unjudged(run: Run) -> None:
    """Unclear at every example: a finding. At some: a remark that gives the usual reason."""
    for (check, name), findings in run.unclear.items():
        outcome, judged = run.report.outcomes[check], run.clear[check, name]
        if not judged and not outcome.findings:
            outcome.findings.append(findings[0])
        elif judged:
            reasons = Counter(str(finding.evidence.get("reason", "")) for finding in findings)
            why = reasons.most_common(1)[0][0] or "too noisy there"
            of = f"{len(findings)} of {len(findings) + judged}"
            outcome.remarks.append(f"{of} examples left `{name}` unjudged: {why}")


def _tell_narrow(run: Run) -> None:
    """Outputs that all fit into float32 come from float32 inside, and hide what it rounds away."""
    if not run.narrow[True] or run.narrow[False]:
        return
    seen = [f"{whole:.0e} in `{name}`" for name, whole in run.hidden.items()]
    above = f": only errors above {', '.join(seen)} would be seen where it rounds" if seen else ""
    run.report.notes.append(f"forward seems to compute in float32{above}")


def _silence(run: Run) -> None:
    """No remark that supposes right what was found to be wrong."""
    outcomes = run.report.outcomes
    for check in run.checks:
        if any(outcomes[name].findings for name in check.supposes if name in outcomes):
            outcomes[check.name].remarks.clear()


def joined(discards: Mapping[str, int]) -> dict[str, int]:
    """Messages that differ in numbers alone, as one: the most frequent, and how many like it."""
    groups: dict[str, list[str]] = {}
    for message in sorted(discards, key=discards.__getitem__, reverse=True):
        groups.setdefault(_without_numbers(message), []).append(message)
    told = {}
    for messages in groups.values():
        more = f", and {len(messages) - 1} more like it" if len(messages) > 1 else ""
        told[messages[0] + more] = sum(discards[message] for message in messages)
    return told


def _without_numbers(message: str) -> str:
    return re.sub(r"#(,\s*#)*,?", "#", NUMBER.sub("#", message))


def _explain(run: Run) -> None:
    """Name the faults of the findings that were kept, and tie those of one mistake."""
    outcomes = run.report.outcomes
    with budget.of_report():
        named = relate([_explained(run, f) for o in outcomes.values() for f in o.findings])
    for outcome in outcomes.values():
        outcome.findings = [finding for finding in named if finding.check == outcome.check]


def _explained(run: Run, finding: Finding) -> Finding:
    """The finding with its fault named; it stands as it is where naming it fails."""
    run.tell("naming faults")
    try:
        return finding.explained()
    except (Exception, TookTooLong) as error:  # noqa: BLE001 - user code runs at new points
        said = f"the finding about `{finding.input}` could not be explained: {describe(error)}"
        run.report.notes.append(said)
        return replace(finding, tell=None)


def _nothing_ran(run: Run) -> None:
    owner, dims, most = f"subject {run.subject.name!r}", run.subject.dims, MOST_ELEMENTS
    if run.discards:
        message = max(run.report.discards, key=run.report.discards.__getitem__)
        raise UsageError(
            f"{owner}: forward raised at every one of {sum(run.discards.values())} examples, "
            f"most often: {message}"
        )
    if run.plan.seconds is not None and run.out_of_time():
        run.report.notes.append(f"seconds={run.plan.seconds:g} ended before any example")
        return
    if run.subject.where is not None:
        raise UsageError(
            f"{owner}: where: no sizes are legal with {dims=} and at most {most} elements an input"
        )
    raise UsageError(
        f"{owner}: no sizes satisfy {dims=} with at most {most} elements an input: "
        "bound the dimensions, or give arrays with at="
    )
