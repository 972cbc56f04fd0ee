"""What each check and each subject could have detected."""

from __future__ import annotations

from gradcheck.report.charts import ranges
from gradcheck.report.panels.base import Context, Panel
from gradcheck.report.summary import SubjectView, Summary
from gradcheck.report.verdicts import look

MOST = 300  # subjects listed


def build(summary: Summary) -> Context:
    """Two charts by check, and a table by subject with its shapes and its weakest check."""
    whole = {check: [d.whole for d in seen] for check, seen in summary.sees.items()}
    entry = {check: [d.entry for d in seen] for check, seen in summary.sees.items()}
    views = sorted(summary.subjects.values(), key=_blindest)
    return {
        "whole": ranges("In a gradient as a whole", whole, "smallest relative error seen"),
        "entry": ranges("In a single entry of median size", entry, "smallest relative error seen"),
        "rows": [(view, _shapes(view), _verdict(view)) for view in views[:MOST]],
        "left_out": len(views) - MOST,
        "look": look,
    }


def _blindest(view: SubjectView) -> tuple[bool, float, str]:
    unknown = view.whole != view.whole
    return (unknown, 0.0 if unknown else -view.whole, view.name)


def _verdict(view: SubjectView) -> str:
    return min(
        view.verdicts, key=lambda verdict: (look(verdict).tone != "bad", verdict != "correct")
    )


def _shapes(view: SubjectView) -> str:
    """Batch 0 to 16, features 1 to 8."""
    parts = (
        f"{name} {low}" if low == high else f"{name} {low} to {high}"
        for name, (low, high) in list(view.sizes.items())[:6]
    )
    return ", ".join(parts)


PANEL = Panel("detectable", "What could have been detected", build)
