"""What it ran on, known failures with their reasons, and lines that could not be read."""

from __future__ import annotations

from collections import Counter

from gradcheck.records import KnownFailure, Unreadable
from gradcheck.report.panels.base import Context, Panel
from gradcheck.report.summary import Summary

MOST = 100


def build(summary: Summary) -> Context:
    """A table for each run; known failures, skipped checks by reason, unreadable lines."""
    run = summary.run
    known = [entry for info in run.infos for entry in info.known_failures]
    excused = [case for case in run.cases if case.verdict == "known_failure"]
    reasons = Counter((case.check, case.reason) for case in run.cases if case.verdict == "skipped")
    return {
        "infos": run.infos[:MOST],
        "known": _used_last(known)[:MOST],
        "stale": sum(not entry.used for entry in known),
        "excused": excused[:MOST],
        "excused_total": len(excused),
        "skipped": reasons.most_common(MOST),
        "skipped_total": sum(reasons.values()),
        "unreadable": run.unreadable[:MOST],
        "unreadable_total": len(run.unreadable),
        "files": _files(run.unreadable),
    }


def _used_last(known: list[KnownFailure]) -> list[KnownFailure]:
    return sorted(known, key=lambda entry: (entry.used > 0, entry.pattern))


def _files(lines: list[Unreadable]) -> int:
    return len({line.path for line in lines})


PANEL = Panel("environment", "Environment", build)
