"""Line charts: learning curves, and the trend over runs."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from gradcheck.records import Series
from gradcheck.report.charts.steps import marker
from gradcheck.report.scales import Scale, decades, linear
from gradcheck.report.svg import Chart, Picture, frame, path, spread, text
from gradcheck.report.text import count, middle, number, short

WIDTH, HEIGHT = 560.0, 280.0
LEFT, RIGHT, TOP, BOTTOM = 56.0, 396.0, 34.0, 238.0
MOST, POINTS = 6, 200  # curves in one chart, points drawn of one curve
MARKS = ("circle", "square", "cross")


def curves(title: str, series: Sequence[Series], *, log: bool = False, x_title: str = "step",
           y_title: str = "value") -> Chart | None:  # fmt: skip
    """Up to six curves with their names at the right end; the table holds all of them, thinned."""
    drawn = {s.name or f"series {k + 1}": _points(s, log) for k, s in enumerate(series[:MOST])}
    drawn = {name: points for name, points in drawn.items() if points}
    if not drawn:
        return None
    xs = [x for points in drawn.values() for x, _ in points]
    ys = [y for points in drawn.values() for _, y in points]
    x = linear(xs, LEFT, RIGHT, whole=all(float(value).is_integer() for value in xs))
    y = decades(ys, BOTTOM, TOP) if log else linear(ys, BOTTOM, TOP)
    shapes = [frame(x, y, x_title, y_title)]
    shapes += [_curve(x, y, points, k) for k, points in enumerate(drawn.values())]
    shapes += _labels(y, drawn)
    description = _describe(drawn, len(series))
    picture = Picture(title, description, WIDTH, HEIGHT, Markup("").join(shapes))
    rows = [(name, *row) for name, points in drawn.items() for row in thin(points, 24)]
    return Chart(title, description, [picture], ("series", x_title, y_title), rows)


def _points(series: Series, log: bool) -> list[tuple[float, float]]:
    xs = series.x or list(range(len(series.y)))
    pairs = zip(xs, series.y, strict=False)
    kept = [(x, y) for x, y in pairs if math.isfinite(x + y) and (y > 0 or not log)]
    return thin(kept, POINTS)


def thin(points: list[tuple[float, float]], limit: int) -> list[tuple[float, float]]:
    """At most `limit` points, the first and the last among them."""
    if len(points) <= limit:
        return points
    return [points[round(k * (len(points) - 1) / (limit - 1))] for k in range(limit)]


def _curve(x: Scale, y: Scale, points: Sequence[tuple[float, float]], number_: int) -> Markup:
    at = [(x(px), y(py)) for px, py in points]
    style = f"c{number_ % MOST}"
    marked = thin(at, 6) if len(at) > 12 else at
    marks = [marker(MARKS[number_ % len(MARKS)], px, py, style) for px, py in marked]
    return path(at, f"curve {style}") + Markup("").join(marks)


def _labels(y: Scale, drawn: dict[str, list[tuple[float, float]]]) -> list[Markup]:
    places = spread([y(points[-1][1]) for points in drawn.values()], 15, TOP, BOTTOM)
    return [
        text(RIGHT + 8, place + 4, middle(name, 22), f"label c{k % MOST}")
        for k, (name, place) in enumerate(zip(drawn, places, strict=True))
    ]


def _describe(drawn: dict[str, list[tuple[float, float]]], total: int) -> str:
    ends = (
        f"{short(name, 40)} from {number(points[0][1], 3)} to {number(points[-1][1], 3)}"
        for name, points in drawn.items()
    )
    more = f" {count(total - MOST)} more are not drawn." if total > MOST else ""
    return "; ".join(ends) + "." + more
