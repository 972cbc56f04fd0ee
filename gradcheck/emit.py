"""Reports -> records, pages and artifacts: the way from findings to what is written."""

from __future__ import annotations

import json
import platform
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck import records
from gradcheck.findings import CheckOutcome, Finding, Report
from gradcheck.reproduce import LITERAL, artifact_name

if TYPE_CHECKING:
    from gradcheck.power import Planted

PACKAGES = ("gradcheck", "numpy", "scipy", "hypothesis", "pytest", "torch", "jax", "keras")


def cases(report: Report, folder: Path | None = None) -> list[records.Case]:
    """One record per check that was asked for; large arrays go into `folder`."""
    found = [_case(report, outcome, folder) for outcome in report.outcomes.values()]
    for later in found[1:]:  # one run of examples served all checks: it is counted once
        later.coverage, later.discards = None, []
    return found


def case(report: Report, check: str, folder: Path | None = None) -> records.Case:
    """The record of one check."""
    return _case(report, report.outcomes[check], folder)


def powers(subject: str, results: Iterable[Planted]) -> list[records.Power]:
    """One record per fault that was planted in a subject; `by` is the first check to catch it."""
    return [
        records.Power(subject, r.fault, r.caught, r.checks[0] if r.checks else "", r.input)
        for r in results
    ]


def save_powers(found: Sequence[records.Power], folder: Path) -> Path:
    """Write them among the records of a folder, in place of older ones of the same subjects."""
    path = folder / records.POWER_FILE
    subjects = {power.subject for power in found}
    kept = records.read([path]).powers if path.exists() else []
    with records.Writer(path) as writer:
        for power in [*(p for p in kept if p.subject not in subjects), *found]:
            writer.write(power)
    return path


def run_info(
    *, seed: int | None, profile: str = "", devices: Iterable[str] = ("cpu",), command: str = ""
) -> records.RunInfo:
    """What was run, where, and how to repeat it."""
    return records.RunInfo(
        seed=seed,
        profile=profile,
        commit=commit(),
        versions=versions(),
        devices=list(devices),
        command=command,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        platform=platform.platform(),
    )


def run_of_reports(reports: Iterable[Report]) -> records.Run:
    """The run that these reports tell, as if it had been written and read."""
    found = list(reports)
    info = run_info(seed=found[0].seed if found else None, devices={r.device for r in found})
    return records.Run.of(info, *(c for report in found for c in cases(report)), _end(found))


def _end(reports: list[Report]) -> records.End:
    totals = Counter(o.verdict for report in reports for o in report.outcomes.values())
    return records.End(sum(report.seconds for report in reports), totals=dict(totals))


def save_reports(reports: Iterable[Report], path: Path) -> Path:
    """Write a page (.html) or records (.json, .jsonl) of some reports; artifacts stand beside."""
    found = list(reports)
    if path.suffix.lower() in (".html", ".htm"):
        from gradcheck.report import write_page

        write_page(run_of_reports(found), path)
        return path
    with records.Writer(path) as writer:
        writer.write(run_info(seed=found[0].seed if found else None))
        for report in found:
            for record in cases(report, path.parent / "artifacts"):
                writer.write(record)
        writer.write(_end(found))
    return path


def _case(report: Report, outcome: CheckOutcome, folder: Path | None) -> records.Case:
    return records.Case(
        subject=report.subject,
        check=outcome.check,
        dtype=report.dtype,
        device=report.device,
        verdict=outcome.verdict,
        source=report.source,
        score=outcome.score if outcome.examples else None,
        detectable={n: records.Detectable(**d) for n, d in outcome.detectable.items()},
        examples=outcome.examples,
        discards=[records.Discard(m, c) for m, c in report.discards.items()],
        seconds=outcome.seconds,
        evaluations=outcome.evaluations,
        coverage=_coverage(report),
        oracles=[
            records.OracleRecord(t.oracle, t.input, t.value, t.error, t.example)
            for t in outcome.told
        ],
        remarks=list(dict.fromkeys(outcome.remarks)),
        reason=outcome.not_run,
        findings=[_finding(report, finding, folder) for finding in outcome.findings],
    )


def _coverage(report: Report) -> records.Coverage:
    covered = report.coverage
    return records.Coverage(
        dims=covered.get("dims", {}),
        styles=covered.get("styles", {}),
        layouts=covered.get("layouts", {}),
        masks=covered.get("masks", {}),
        distance=covered.get("distance", {}),
        status=covered.get("status", {}),
        origin=covered.get("origin", {}),
        kinks=covered.get("counts", {}).get("special points", 0),
    )


def _finding(report: Report, finding: Finding, folder: Path | None) -> records.FindingRecord:
    artifacts = _artifacts(report, finding, folder)
    return records.FindingRecord(
        kind=finding.kind,
        check=finding.check,
        input=finding.input or "",
        index=list(finding.index) if finding.index is not None else None,
        expected=_number(finding.expected),
        returned=_number(finding.returned),
        fault=finding.fault or "",
        message=finding.message,
        cause=finding.cause or finding.message,
        hint=finding.hint,
        example={
            name: records.ArrayRecord.of(np.asarray(v), artifacts[0] if artifacts else "")
            for name, v in _shown(finding).items()
            if isinstance(v, np.ndarray | np.generic)
        },
        script=finding.script,
        artifacts=artifacts,
        evidence=_evidence(finding),
    )


def _shown(finding: Finding) -> dict[str, Any]:
    """The arrays of the example, and the cotangents where the finding depends on them."""
    given = [c for c in finding.cotangent or () if c is not None]
    names = ["cotangent"] if len(given) == 1 else [f"cotangent {k}" for k in range(len(given))]
    return {**finding.example, **dict(zip(names, given, strict=True))}


def _evidence(finding: Finding) -> records.Evidence:
    told = finding.evidence
    kink = told.get("kink")
    return records.Evidence(
        levels=[records.LevelRecord(**level) for level in told.get("levels", ())],
        kink=_kink(kink) if kink else None,
        claimed=told.get("directional", (None, None))[1],
        factor=told.get("factor"),
        tolerance=told.get("tolerance"),
        wrong_entries=[
            records.WrongEntryRecord(list(i), e, r) for i, e, r in told.get("wrong_entries", ())
        ],
        expected=_drawn(told.get("expected")),
        returned=_drawn(told.get("returned")),
    )


def _kink(told: Mapping[str, Any]) -> records.KinkRecord:
    known = {field.name for field in fields(records.KinkRecord)}
    kept = {name: value for name, value in told.items() if name in known}
    return records.KinkRecord(**{**kept, "index": _index(told.get("index"))})


def _drawn(value: Any) -> records.ArrayRecord | None:
    """An array the page can draw; a large one says nothing as a heat map."""
    if not isinstance(value, np.ndarray) or value.size > records.MAX_VALUES:
        return None
    return records.ArrayRecord.of(value)


def _artifacts(report: Report, finding: Finding, folder: Path | None) -> list[str]:
    """Write a failure's arrays, description and script beside the report; their names."""
    if folder is None:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    stem = Path(artifact_name(report.subject, finding)).stem
    arrays = {n: v for n, v in finding.example.items() if isinstance(v, np.ndarray)}
    for k, cotangent in enumerate(finding.cotangent or ()):
        if cotangent is not None:
            arrays[f"cotangent_{k}"] = cotangent
    np.savez(folder / f"{stem}.npz", **arrays)  # type: ignore[arg-type]
    told: dict[str, Any] = {"subject": report.subject, "check": finding.check, "kind": finding.kind}
    told |= {"input": finding.input, "message": finding.message, "seed": report.seed}
    told |= {"fault": finding.fault, "dtype": report.dtype, "device": report.device}
    (folder / f"{stem}.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    (folder / f"{stem}.py").write_text(finding.script, encoding="utf-8", errors="replace")
    large = any(a.size > LITERAL for a in arrays.values())
    names = [f"{folder.name}/{stem}{suffix}" for suffix in (".npz", ".json", ".py")]
    return names if large else names[1:] + names[:1]


def _number(value: Any) -> Any:
    if value is None:
        return None
    number = complex(value)
    return number if number.imag else number.real


def _index(index: Any) -> list[int] | None:
    return None if index is None else list(index)


@cache
def versions() -> dict[str, str]:
    """Versions of Python and of the installed packages that matter, importing none."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


@cache
def commit() -> str:
    """The git commit of the working directory, "" outside a repository; + where it is changed."""
    try:
        told = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--abbrev=12", "--exclude=*"],
            capture_output=True, text=True, timeout=5, check=False,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return ""
    return told.stdout.strip()


def command_line(
    seed: int, option: str = "--gradcheck-seed", argv: Sequence[str] | None = None
) -> str:
    """The command that is running, as one would type it to repeat it with this seed.

    argv: that of the process which was started by hand, where this one is a worker of it.
    """
    argv = sys.argv if argv is None else argv
    path = Path(argv[0])
    name = "python -m gradcheck" if path.parent.name == "gradcheck" else path.name
    shown = "python -m pytest" if name in ("__main__.py", "pytest", "py.test") else name
    given = any(argument.startswith(option) for argument in argv)
    seeded = [] if given else [f"{option}={seed}"]
    return " ".join([shown, *map(shlex.quote, [*argv[1:], *seeded])])
