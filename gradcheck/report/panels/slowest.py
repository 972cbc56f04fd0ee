"""Where the time went."""

from __future__ import annotations

from collections import Counter
from heapq import nlargest

from gradcheck.report.charts import bars
from gradcheck.report.panels.base import Context, Panel
from gradcheck.report.summary import Summary

MOST = 20
ABSURD = 1e9  # seconds: more than a lifetime is no time


def build(summary: Summary) -> Context:
    """The slowest cases, and the checks that took most in all."""
    cases = [case for case in summary.run.cases if 0 < case.seconds < ABSURD]
    by_check: Counter[str] = Counter()
    for case in cases:
        by_check[case.check] += round(case.seconds * 1000)
    total = sum(case.seconds for case in cases)
    return {
        "cases": nlargest(MOST, cases, key=lambda case: case.seconds),
        "total": total,
        "chart": bars("Time by check", by_check.most_common(12), "milliseconds"),
    }


PANEL = Panel("slowest", "Slowest", build)
