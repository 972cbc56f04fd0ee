"""What the suites show beyond verdicts: text, tables, curves, and the catalogue of formulas."""

from __future__ import annotations

from collections import Counter
from fnmatch import fnmatchcase
from typing import Any

from gradcheck.records import Entry, Section
from gradcheck.report.charts import curves
from gradcheck.report.mathml import formula
from gradcheck.report.panels.base import Context, Panel
from gradcheck.report.summary import Summary
from gradcheck.report.text import plural
from gradcheck.report.verdicts import Look, look, rank

ROWS = 200  # of one table
SECTIONS = 60


def build(summary: Summary) -> Context:
    """One block a section, in the order they were recorded."""
    sections = summary.run.sections
    return {
        "sections": [_section(summary, section) for section in sections[:SECTIONS]],
        "left_out": len(sections) - SECTIONS,
    }


def _section(summary: Summary, section: Section) -> dict[str, Any]:
    table = section.table
    return {
        "title": section.title or "Untitled",
        "paragraphs": [part for part in section.text.split("\n\n") if part.strip()],
        "columns": table.columns if table else [],
        "rows": table.rows[:ROWS] if table else [],
        "rows_left_out": len(table.rows) - ROWS if table else 0,
        "chart": curves(section.title or "Curves", section.series, log=section.log)
        if section.series
        else None,
        "entries": [_entry(summary, entry) for entry in section.catalogue[:ROWS]],
        "entries_left_out": len(section.catalogue) - ROWS,
    }


def _entry(summary: Summary, entry: Entry) -> dict[str, Any]:
    seen, words = _verdict(summary, entry.subject or entry.name)
    return {
        "entry": entry,
        "formula": formula(entry.formula) if entry.formula else None,
        "look": seen,
        "words": words,
    }


def _verdict(summary: Summary, pattern: str) -> tuple[Look | None, str]:
    """The worst verdict of the subjects a name or glob stands for."""
    names = [pattern] if pattern in summary.subjects else [
        name for name in summary.subjects if fnmatchcase(name, pattern)
    ]  # fmt: skip
    verdicts: Counter[str] = Counter()
    for name in names:
        verdicts.update(summary.subjects[name].verdicts)
    if not verdicts:
        return None, "not in this run"
    worst = min(verdicts, key=rank)
    judged = sum(verdicts.values()) - verdicts["skipped"]
    return look(worst), f"{plural(verdicts['correct'], 'case')} of {judged} correct"


PANEL = Panel("sections", "From the suites", build)
