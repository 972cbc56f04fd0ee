"""A report as plain text: the diagnosis first, figures after."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from gradcheck.findings import Finding, Report

GRADIENT = "gradient"  # the check that takes low precisions to float64, where they are judged
SHOWN = 12  # findings in full; the rest are counted


def describe_report(report: Report) -> str:
    """What a person reads: verdict, then each finding, then what was and was not seen."""
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    findings = report.findings
    yield f"{report.subject}: {report.verdict.replace('_', ' ')} ({_counts(report)})"
    groups = _grouped(findings)
    for group in groups[:SHOWN]:
        yield ""
        yield from _finding_lines(group, report)
    if len(groups) > SHOWN:
        yield f"\n... and {len(groups) - SHOWN} more causes"
    if groups and groups[0][0].script:
        yield ""
        yield "to reproduce:"
        yield from (f"    {line}" for line in groups[0][0].script.rstrip().splitlines())
    if groups:
        yield ""
    yield from _figures(report)
    yield f"  seed={report.seed}"


def _figures(report: Report) -> Iterator[str]:
    yield from _passes(report)
    for remark in report.remarks:
        yield f"  remark: {remark}"
    for message, count in report.discards.items():
        yield f"  {_plural(count, 'example')} discarded: forward raised {message}"


def _grouped(findings: list[Finding]) -> list[list[Finding]]:
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.cause or finding.message, []).append(finding)
    # Within a cause the finding that names the fault, and an entry, speaks first.
    return [
        sorted(group, key=lambda f: (f.fault is None, f.index is None)) for group in groups.values()
    ]


def _finding_lines(group: list[Finding], report: Report) -> Iterator[str]:
    finding = group[0]
    fault = f" [{finding.fault}]" if finding.fault else ""
    yield f"  {finding.kind.replace('_', ' ')}{fault}: {finding.message}"
    if finding.index is not None:
        at = f"[{', '.join(map(str, finding.index))}]" if finding.index else ""
        expected, returned = _number(finding.expected), _number(finding.returned)
        where = f"{finding.input}{at}{_in(report, finding.check)}"
        yield f"    {where}: expected {expected}, returned {returned}"
    for said in dict.fromkeys(f"{o.kind.replace('_', ' ')}: {o.message}" for o in group[1:]):
        yield f"    same cause: {said}"
    if finding.hint:
        yield f"    look for: {finding.hint}"
    yield f"    smallest example ({finding.check}):"
    for name, value in finding.example.items():
        yield f"      {name} = {_value(value, indent=9 + len(name))}"


def _passes(report: Report) -> Iterator[str]:
    for (name, of), figures in _detectable(report).items():
        whole, entry = (min(f[part] for f in figures) for part in ("whole", "entry"))
        if math.isfinite(whole):
            single = f", {entry:.0e} in a single entry" if math.isfinite(entry) else ""
            said = f"would have detected a relative error of {whole:.0e} as a whole{single}"
            yield f"  gradient of `{name}`{of}: {said}"


def _detectable(report: Report) -> dict[tuple[str, str], list[dict[str, float]]]:
    """Figures of the checks by input and by what they are in; none of an input found wrong."""
    wrong = {finding.input for finding in report.findings if finding.kind != "inconclusive"}
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    for name in report.detectable:
        for outcome in report.outcomes.values():
            if name in outcome.detectable and name not in wrong:
                key = (name, _in(report, outcome.check))
                found.setdefault(key, []).append(outcome.detectable[name])
    return found


def _in(report: Report, check: str) -> str:
    """In which dtype a check's figures are, where that is not the run's."""
    elsewhere = check == GRADIENT and report.dtype not in ("float64", "complex128")
    return " in float64" if elsewhere else ""


def _counts(report: Report) -> str:
    run = sum(not outcome.not_run for outcome in report.outcomes.values())
    discarded = sum(report.discards.values())
    counts = f"{_plural(report.examples, 'example')}, {_plural(run, 'check')}"
    said = f"{counts}, {report.seconds:.2f} s"
    return said + (f", {discarded} discarded" if discarded else "")


def _plural(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _number(value: Any) -> str:
    if value is None:
        return "nothing"
    number = complex(value) + 0.0  # no minus zero
    return f"{number.real:.8g}" if not number.imag else f"{number:.8g}"


def _value(value: Any, indent: int) -> str:
    if not isinstance(value, np.ndarray):
        return repr(value)
    if value.size > 64:
        return f"array of shape {value.shape}, {value.dtype}"
    return np.array2string(value, separator=", ", threshold=64).replace("\n", "\n" + " " * indent)
