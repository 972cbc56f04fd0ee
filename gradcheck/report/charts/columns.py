"""Small upright bars: how often each size of a dimension was tried."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from gradcheck.report.svg import Chart, Picture, line, tag, text
from gradcheck.report.text import count, short

WIDTH, HEIGHT, TOP, BOTTOM = 240.0, 118.0, 18.0, 94.0
MOST = 16


def columns(title: str, counts: Sequence[tuple[str, int]], what: str) -> Chart | None:
    """counts: (size, examples) in the order of the axis; the first sixteen are drawn."""
    if not counts:
        return None
    drawn = counts[:MOST]
    largest = max(n for _, n in drawn) or 1
    step = min(WIDTH / len(drawn), 34.0)
    shapes = [line(0, BOTTOM, step * len(drawn), BOTTOM, "axis")]
    for place, (name, n) in enumerate(drawn):
        middle, height = step * (place + 0.5), max((BOTTOM - TOP) * n / largest, 1.0 * (n > 0))
        width = min(step - 3, 20.0)
        bar = {"x": middle - width / 2, "y": BOTTOM - height, "width": width, "height": height}
        shapes += [tag("rect", class_="bar good", **bar)]
        shapes += [text(middle, BOTTOM + 15, short(name, 6), "tick", "middle")]
        if len(drawn) <= 9:
            shapes += [text(middle, BOTTOM - height - 4, count(n), "value", "middle")]
    description = _describe(counts, what)
    picture = Picture(f"Sizes of {title}", description, WIDTH, HEIGHT, Markup("").join(shapes))
    return Chart(title, description, [picture], (what, "examples"), list(counts)[:100])


def _describe(counts: Sequence[tuple[str, int]], what: str) -> str:
    often, n = max(counts, key=lambda item: item[1])
    more = f" The first {MOST} are drawn." if len(counts) > MOST else ""
    return f"{count(len(counts))} {what}s, most often {short(often, 40)} ({count(n)}).{more}"
