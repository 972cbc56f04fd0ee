"""What the examples covered: sizes, styles, masks; plain counts for the report."""

from __future__ import annotations

from collections import Counter
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from gradcheck import records
from gradcheck.inputs import Mask
from gradcheck.values import KINK_STYLES

if TYPE_CHECKING:
    from gradcheck.case import Case
    from gradcheck.checks.base import Notes
    from gradcheck.subject import Subject


class Coverage:
    """Counts over the examples of one run."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.dims: dict[str, Counter[int]] = {n: Counter() for n in subject.dimension_names}
        self.styles: Counter[str] = Counter()
        self.masks: Counter[str] = Counter()
        self.layouts: Counter[str] = Counter()
        self.distance: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self.drawn = records.Coverage()

    def add(self, case: Case) -> None:
        for name, size in case.example.sizes:
            self.dims[name][size] += 1
        for name, style in case.example.styles.items():
            is_mask = isinstance(self.subject.inputs[name], Mask)
            (self.masks if is_mask else self.styles)[style] += 1
        if KINK_STYLES & set(case.example.styles.values()):
            self.counts["special points"] += 1
        sizes = [size for _, size in case.example.sizes]
        self.counts["zero size"] += 0 in sizes
        self.counts["size one"] += 1 in sizes
        self.counts["examples"] += 1

    def observing(self) -> AbstractContextManager[Any]:
        """What Hypothesis draws in this block is counted."""
        return records.observing(self.drawn)

    def note(self, notes: Notes) -> None:
        """What a check tried at one example, and what it saw there."""
        self.layouts.update(notes.layouts)
        if notes.distance:
            self.distance[notes.distance] += 1

    def discard(self, case: Case) -> None:
        self.counts["discards"] += 1

    def as_dict(self) -> dict[str, dict[str, Any]]:
        return {
            "dims": {n: {str(k): v for k, v in sorted(c.items())} for n, c in self.dims.items()},
            "styles": dict(self.styles),
            "masks": dict(self.masks),
            "layouts": dict(self.layouts),
            "distance": dict(self.distance),
            "status": self.drawn.status,
            "origin": self.drawn.origin,
            "counts": {k: v for k, v in self.counts.items() if v},
        }
