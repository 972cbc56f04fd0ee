"""How far the independent derivatives agree with one another."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import combinations

from gradcheck.records import Case, OracleRecord
from gradcheck.report.charts import ranges
from gradcheck.report.panels.base import Context, Panel
from gradcheck.report.summary import Summary, median

WORST = 12  # disagreements listed
DISAGREE = 1.0  # difference over the sum of both errors


@dataclass
class Agreement:
    """Two oracles over all derivatives both gave: relative difference, and over their errors."""

    left: str
    right: str
    differences: list[float] = field(default_factory=list)
    apart: int = 0

    @property
    def middle(self) -> float:
        return median(self.differences)

    @property
    def largest(self) -> float:
        return max(self.differences, default=math.nan)


def build(summary: Summary) -> Context:
    """Pairs of oracles, and the cases where two disagree by more than their errors allow."""
    pairs: dict[tuple[str, str], Agreement] = {}
    disagreements: list[tuple[float, Case, OracleRecord, OracleRecord]] = []
    names: dict[str, int] = defaultdict(int)
    for case in summary.run.cases:
        by_input: dict[str, list[OracleRecord]] = defaultdict(list)
        for oracle in case.oracles:
            names[oracle.name] += 1
            by_input[oracle.input].append(oracle)
        for found in by_input.values():
            for left, right in combinations(found, 2):
                over = _compare(pairs, left, right)
                if over > DISAGREE:
                    disagreements.append((over, case, left, right))
    disagreements.sort(key=lambda item: -item[0])
    figures = {f"{p.left} · {p.right}": p.differences for p in pairs.values()}
    return {
        "pairs": list(pairs.values()),
        "names": dict(names),
        "worst": disagreements[:WORST],
        "disagreements": len(disagreements),
        "chart": ranges("Relative difference of two oracles", figures, "relative difference"),
    }


def _compare(
    pairs: dict[tuple[str, str], Agreement], left: OracleRecord, right: OracleRecord
) -> float:
    """Enters the pair; returns their difference over the sum of their errors."""
    key = (left.name, right.name)
    pair = pairs.setdefault(key, Agreement(*key))
    size = max(abs(left.value), abs(right.value)) or 1.0
    difference = abs(left.value - right.value)
    if not math.isfinite(difference / size):
        return 0.0
    pair.differences.append(difference / size)
    allowed = left.error + right.error
    over = difference / allowed if allowed > 0 else (math.inf if difference > 0 else 0.0)
    pair.apart += over > DISAGREE
    return over


PANEL = Panel("oracles", "Do the oracles agree", build)
