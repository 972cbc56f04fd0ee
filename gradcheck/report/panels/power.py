"""Faults that were planted, and what caught them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from gradcheck.records import Power
from gradcheck.report.panels.base import Context, Panel
from gradcheck.report.summary import Summary, by_count

MISSES = 100


@dataclass
class FaultView:
    """One fault of the catalogue over all subjects it was planted in."""

    fault: str
    planted: int = 0
    caught: int = 0
    by: Counter[str] = field(default_factory=Counter)

    def add(self, power: Power) -> None:
        self.planted += 1
        self.caught += power.caught
        if power.caught and power.by:
            self.by[power.by] += 1

    @property
    def checks(self) -> list[str]:
        return [name for name, _ in by_count(self.by)]


def build(summary: Summary) -> Context:
    """By fault: planted, caught, by which checks; then every miss."""
    faults: dict[str, FaultView] = {}
    for power in summary.run.powers:
        faults.setdefault(power.fault, FaultView(power.fault)).add(power)
    views = sorted(faults.values(), key=lambda view: (view.caught / view.planted, view.fault))
    misses = [power for power in summary.run.powers if not power.caught]
    return {
        "faults": views,
        "planted": len(summary.run.powers),
        "caught": sum(power.caught for power in summary.run.powers),
        "subjects": list(dict.fromkeys(power.subject for power in summary.run.powers)),
        "misses": misses[:MISSES],
        "more": len(misses) - MISSES,
    }


PANEL = Panel("power", "Planted faults", build)
