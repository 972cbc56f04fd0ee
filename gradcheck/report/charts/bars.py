"""Bars: counts by name, and one bar split into parts."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from gradcheck.report.svg import Chart, Picture, tag, text
from gradcheck.report.text import count, middle, number, short

WIDTH, LEFT, STEP = 340.0, 120.0, 22.0


def bars(title: str, counts: Sequence[tuple[str, int]], what: str = "examples",
         most: int = 12) -> Chart | None:  # fmt: skip
    """Horizontal bars in the order given; the table holds all."""
    if not counts:
        return None
    largest = max(n for _, n in counts) or 1
    shapes = []
    for place, (name, n) in enumerate(counts[:most]):
        y = STEP * place
        width = max(2.0, (WIDTH - LEFT - 62) * n / largest) if n else 0.0
        shapes += [text(LEFT - 8, y + 15, middle(name, 17), "label", "end")]
        shapes += [tag("rect", x=LEFT, y=y + 4, width=width, height=14, class_="bar good")]
        shapes += [text(LEFT + width + 6, y + 15, count(n), "value")]
    description = f"{count(len(counts))} kinds; {short(counts[0][0], 60)}: {count(counts[0][1])}."
    if len(counts) > most:
        description += f" The first {most} are drawn."
    height = STEP * min(len(counts), most) + 4
    picture = Picture(title, description, WIDTH, height, Markup("").join(shapes))
    return Chart(title, description, [picture], (title, what), list(counts)[:100])


def stack(title: str, parts: Sequence[tuple[str, int, str]]) -> Picture:
    """One bar of the whole, split by (name, count, tone). No part is thinner than can be seen."""
    total = sum(n for _, n, _ in parts) or 1
    shares = [max(n / total, 0.006) if n else 0.0 for _, n, _ in parts]
    whole, at, shapes = sum(shares) or 1.0, 0.0, []
    for (_, _, tone), share in zip(parts, shares, strict=True):
        width = 1000 * share / whole
        if width:
            shapes.append(tag("rect", x=at, y=0, width=max(width - 2, 1.0), height=14,
                              class_=f"bar {tone}"))  # fmt: skip
        at += width
    words = ", ".join(f"{count(n)} {name} ({number(100 * n / total, 3)} %)" for name, n, _ in parts)
    return Picture(title, words, 1000, 14, Markup("").join(shapes), stretched=True)
