"""What each check could detect: a line from best to worst and a dot at the median, by decades."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from gradcheck.report.scales import Scale, decades
from gradcheck.report.svg import Chart, Picture, line, tag, text
from gradcheck.report.text import middle, number, short

WIDTH, LEFT, RIGHT, STEP, TOP = 560.0, 180.0, 545.0, 24.0, 34.0
LETTER, LETTERS = 7.4, 34  # width of one in a label, and the most of them


def ranges(
    title: str,
    figures: Mapping[str, Sequence[float]],
    x_title: str,
    *,
    most: int = 24,
    what: str = "check",
    better: str = "sharper",
) -> Chart | None:
    """figures: values by name, drawn worst median first. better: what a smaller one is."""
    kept = {name: sorted(v for v in values if 0 < v < math.inf) for name, values in figures.items()}
    kept = {name: values for name, values in kept.items() if values}
    if not kept:
        return None
    names = sorted(kept, key=lambda name: -_middle(kept[name]))
    longest = min(max(map(len, names)), LETTERS)
    left = max(LEFT, LETTER * longest + 16)
    x = decades([v for values in kept.values() for v in (values[0], values[-1])], left, RIGHT)
    bottom = TOP + STEP * min(len(names), most)
    shapes = _axis(x, bottom, x_title)
    for place, name in enumerate(names[:most]):
        shapes += _row(x, (left - 12, TOP + STEP * (place + 0.5)), name, kept[name])
    description = _describe(kept, names, better)
    picture = Picture(title, description, WIDTH, bottom + 40, Markup("").join(shapes))
    rows = [(n, len(v), v[0], _middle(v), v[-1]) for n in names if (v := kept[n])]
    columns = (what, "figures", "best", "median", "worst")
    return Chart(title, description, [picture], columns, rows[:most])


def _middle(values: Sequence[float]) -> float:
    return values[len(values) // 2]


def _axis(x: Scale, bottom: float, title: str) -> list[Markup]:
    shapes = []
    for value, label in x.ticks(6):
        shapes += [line(x(value), TOP, x(value), bottom, "grid")]
        shapes += [text(x(value), bottom + 16, label, "tick", "middle")]
    return [*shapes, text(RIGHT, bottom + 34, title, "name", "end")]


def _row(x: Scale, place: tuple[float, float], name: str, values: Sequence[float]) -> list[Markup]:
    left, y = place
    return [
        text(left, y + 4, middle(name, LETTERS), "label", "end"),
        line(x(values[0]), y, max(x(values[-1]), x(values[0]) + 0.5), y, "range s1"),
        tag("circle", cx=x(_middle(values)), cy=y, r=4.5, class_="mark solid s1"),
    ]


def _describe(figures: Mapping[str, Sequence[float]], names: Sequence[str], better: str) -> str:
    """names: worst median first."""
    best, worst = (number(_middle(figures[name]), 2) for name in (names[-1], names[0]))
    if len(names) == 1:
        return f"Median {best}; smaller is {better}."
    return (
        f"Median from {best} ({short(names[-1], 60)}) to {worst} ({short(names[0], 60)}); "
        f"smaller is {better}."
    )
