"""Several runs side by side: counts, time, and how both moved."""

from __future__ import annotations

from collections import Counter, defaultdict

from gradcheck.records import Series
from gradcheck.report.charts import curves
from gradcheck.report.panels.base import Context, Panel
from gradcheck.report.panels.verdict import moment
from gradcheck.report.summary import Summary

MOST = 60  # runs listed, the latest


def build(summary: Summary) -> Context | None:
    """Cases, failures and seconds by run, oldest first; None for a single run."""
    infos = summary.run.infos
    if len(infos) < 2:
        return None
    cases, failures = Counter[int](), Counter[int]()
    seconds: dict[int, float] = defaultdict(float)
    for case in summary.run.cases:
        cases[case.run] += 1
        failures[case.run] += case.failed
    for end in summary.run.ends:
        seconds[end.run] += end.seconds
    order = sorted(range(len(infos)), key=lambda k: (infos[k].started, k))[-MOST:]
    rows = [
        (moment(infos[k].started), infos[k].commit[:12], infos[k].platform,
         ", ".join(infos[k].devices), cases[k], failures[k], seconds[k])
        for k in order
    ]  # fmt: skip
    x = [float(k + 1) for k in range(len(order))]
    counts = [Series("failures", x, [float(failures[k]) for k in order])]
    times = [Series("seconds", x, [seconds[k] for k in order])]
    charts = [
        curves("Failures by run", counts, x_title="run, oldest first", y_title="failures"),
        curves("Time by run", times, x_title="run, oldest first", y_title="seconds"),
    ]
    return {"rows": rows, "charts": [chart for chart in charts if chart]}


PANEL = Panel("trend", "Runs", build)
