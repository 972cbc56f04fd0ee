"""Which inputs were tried: shapes, masks, layouts, kinks, and what was discarded."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from gradcheck.report.charts import bars, columns
from gradcheck.report.panels.base import Context, Panel
from gradcheck.report.summary import Summary, by_count
from gradcheck.report.text import alike

DIMENSIONS = 12  # the most used ones are drawn
MOST = 30  # messages listed
DRAWN = {
    "during generate phase": "new examples",
    "during shrink phase": "shrinking",
    "during reuse phase": "saved examples",
    "during explain phase": "explaining",
    "minimal failing test case": "the smallest",
    "discarded": "given up",
}
DISTANCE = "Distance to the nearest kink, in units of the inputs"


def build(summary: Summary) -> Context:
    """A bar chart for each dimension and kind of input; the reasons of discards and remarks."""
    found = summary.coverage
    dimensions = sorted(found.dims.items(), key=lambda item: -sum(item[1].values()))
    sizes = [columns(name, _by_size(sizes), "size") for name, sizes in dimensions[:DIMENSIONS]]
    kinds = (
        (DISTANCE, found.distance),
        ("Values", found.styles),
        ("Layouts", found.layouts),
        ("Masks", found.masks),
        ("How Hypothesis's draws ended", _named(found.status)),
        ("What Hypothesis drew them for", _named(found.origin)),
    )
    discards, remarks = _discards(summary.discards), _remarks(summary.remarks)
    charts = [bars(title, _ordered(title, counts)) for title, counts in kinds if counts]
    return {
        "sizes": [chart for chart in sizes if chart],
        "charts": [chart for chart in charts if chart],
        "kinks": found.kinks,
        "more_dimensions": [name for name, _ in dimensions[DIMENSIONS:]],
        "examples": summary.examples,
        "evaluations": summary.evaluations,
        "discards": discards[:MOST],
        "discarded": sum(summary.discards.values()),
        "reasons": len(discards),
        "remarks": remarks[:MOST],
        "remarks_total": len(remarks),
    }


@dataclass
class Alike:
    """Messages that differ only in numbers and names: the first one stands for all."""

    message: str
    more: int = -1
    count: int = 0
    subjects: dict[str, None] = field(default_factory=dict)


def _discards(counts: Mapping[str, int]) -> list[Alike]:
    found: dict[str, Alike] = {}
    for message, n in sorted(counts.items(), key=lambda item: -item[1]):
        same = found.setdefault(alike(message), Alike(message))
        same.more += 1
        same.count += n
    return sorted(found.values(), key=lambda same: -same.count)


def _remarks(remarks: Mapping[str, list[str]]) -> list[Alike]:
    found: dict[str, Alike] = {}
    for message, subjects in remarks.items():
        same = found.setdefault(alike(message), Alike(message))
        same.more += 1
        same.subjects.update(dict.fromkeys(subjects))
    return list(found.values())


def _named(counts: Mapping[str, int]) -> dict[str, int]:
    """Hypothesis's words in shorter ones, where there are."""
    return {DRAWN.get(name, name): n for name, n in counts.items()}


def _ordered(title: str, counts: dict[str, int]) -> list[tuple[str, int]]:
    """Distances from near to far, anything else by how often it was."""
    if title != DISTANCE:
        return by_count(counts)
    return sorted(counts.items(), key=lambda item: _far(item[0]))


def _far(name: str) -> float:
    if name.startswith("at "):
        return 0.0
    try:
        return float(name)
    except ValueError:
        return math.inf


def _by_size(sizes: dict[str, int]) -> list[tuple[str, int]]:
    """Numbers in their order, then everything else."""

    def key(item: tuple[str, int]) -> tuple[bool, int, str]:
        name = item[0]
        plain = name.isdecimal() and len(name) < 12
        return (not plain, int(name) if plain else 0, name)

    return sorted(sizes.items(), key=key)


PANEL = Panel("coverage", "What was tried", build)
