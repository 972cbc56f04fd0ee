"""The zoo: correct functions with correct VJPs, half of them numerically nasty."""

from __future__ import annotations

from benchmarks.zoo import (
    bounded,
    complexes,
    jumps,
    kinked,
    layers,
    linear_algebra,
    precision,
    reductions,
    sequences,
    several,
    smooth,
    special,
    stiff,
    tables,
)
from benchmarks.zoo.entry import Entry

FAMILIES = (
    smooth,
    stiff,
    kinked,
    jumps,
    reductions,
    layers,
    linear_algebra,
    sequences,
    precision,
    bounded,
    tables,
    special,
    complexes,
    several,
)
ZOO: tuple[Entry, ...] = tuple(entry for family in FAMILIES for entry in family.ENTRIES)

__all__ = ["FAMILIES", "ZOO", "Entry"]
