"""What changed since the baseline."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from gradcheck.records import Case
from gradcheck.report.compare import Change, Comparison
from gradcheck.report.panels.base import Context, Panel
from gradcheck.report.panels.verdict import moment
from gradcheck.report.summary import Summary
from gradcheck.report.text import count, duration, listing, number
from gradcheck.report.verdicts import LOOKS

MOST = 100  # rows of one kind of change


@dataclass(frozen=True)
class ChangeTable:
    """One kind of change: `total` cases, the first of them as (case, before, after, ratio)."""

    title: str
    tone: str
    total: int
    rows: list[tuple[str, ...]]

    @property
    def ratios(self) -> bool:
        return any(row[-1] for row in self.rows)


def build(summary: Summary) -> Context | None:
    """A table for each kind of change, and how many cases are as they were; None without one."""
    found = summary.comparison
    if found is None:
        return None
    tables = [
        _verdicts("New failures", "bad", found.new_failures),
        _verdicts("Fixed", "good", found.fixed),
        _verdicts("Other changes of verdict", "odd", found.changed),
        _figures("Slower", found.slower, duration),
        _figures("Less detectable", found.less_detectable, lambda value: number(value, 2)),
        _cases("New cases", found.appeared),
        _cases("Cases no longer there", found.vanished),
    ]
    baseline = listing(filter(None, map(moment, found.baseline))) or "the baseline"
    return {
        "comparison": found,
        "baseline": baseline,
        "tables": [table for table in tables if table.total],
    }


def _verdicts(title: str, tone: str, changes: list[Change]) -> ChangeTable:
    rows = [(c.case.id, _label(c.before), _label(c.after), "") for c in changes[:MOST]]
    return ChangeTable(title, tone, len(changes), list[tuple[str, ...]](rows))


def _label(verdict: str | float) -> str:
    name = str(verdict)
    return LOOKS[name].label if name in LOOKS else name


def _figures(title: str, changes: list[Change], say: Callable[[float], str]) -> ChangeTable:
    rows: list[tuple[str, ...]] = [
        (
            c.case.id + (f" · {c.input}" if c.input else ""),
            say(float(c.before)),
            say(float(c.after)),
            f"×{number(c.ratio, 2)}" if c.ratio < math.inf else "",
        )
        for c in changes[:MOST]
    ]
    return ChangeTable(title, "odd", len(changes), rows)


def _cases(title: str, cases: list[Case]) -> ChangeTable:
    rows: list[tuple[str, ...]] = [(c.id, "", _label(c.verdict), "") for c in cases[:MOST]]
    return ChangeTable(title, "mute", len(cases), rows)


def sentence(found: Comparison) -> str:
    """Since the baseline: 2 new failures, 1 fixed."""
    parts = [
        (len(found.new_failures), "new failures"),
        (len(found.fixed), "fixed"),
        (len(found.slower), "slower"),
        (len(found.less_detectable), "less detectable"),
    ]
    said = ", ".join(f"{count(n)} {what}" for n, what in parts if n)
    return said or "nothing changed for the worse or the better"


PANEL = Panel("changes", "Since the baseline", build)
