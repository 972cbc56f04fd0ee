"""Error against step size, log-log: truncation, noise, and how far off the claim is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from markupsafe import Markup

from gradcheck.records import LevelRecord
from gradcheck.report.scales import Scale, decades
from gradcheck.report.svg import Chart, Picture, frame, line, path, spread, tag, text
from gradcheck.report.text import apart, number

TITLE = "Error against step size"
WIDTH, HEIGHT = 440.0, 290.0
LEFT, RIGHT, TOP, BOTTOM = 52.0, 324.0, 34.0, 246.0
Points = Sequence[tuple[float, float]]
ORDER = 8  # of the central difference: its truncation falls as h^8


def step_plot(
    levels: Sequence[LevelRecord], claimed: float | None, at_kink: bool = False
) -> Chart | None:
    """What each step size gave, and how far the claimed directional derivative is from it.

    levels: at least two; claimed: <gradient, direction> as returned, None where not
    recorded; at_kink: the point is one.
    """
    usable = sorted(_drawable(levels), key=lambda level: level.step)
    if len(usable) < 2:
        return None
    off = [(lv.step, abs(lv.estimate - claimed)) for lv in usable] if claimed is not None else []
    truncation = [(level.step, level.truncation) for level in usable]
    noise = [(level.step, level.noise) for level in usable]
    values = [value for curve in (off, truncation, noise) for _, value in curve]
    x = decades([level.step for level in usable], LEFT, RIGHT)
    y = decades(values, BOTTOM, TOP)
    chosen = next((level for level in usable if level.chosen), None)
    shapes = [frame(x, y, "step size h", "absolute error")]
    shapes += [_chosen(x, y, chosen), *_slopes(x, y, truncation, noise)]
    shapes += [_curve(x, y, truncation, "s1", "circle"), _curve(x, y, noise, "s2", "square")]
    shapes += [_curve(x, y, off, "s3", "cross")]
    shapes += _labels(y, {"truncation": truncation, "noise": noise, "the claim": off})
    description = _describe(chosen, claimed)
    if at_kink:
        description += " At a kink a central difference is the mean of both slopes."
    picture = Picture(
        "Error against step size", description, WIDTH, HEIGHT, Markup("").join(shapes)
    )
    rows = [(lv.step, lv.estimate, lv.truncation, lv.noise, lv.chosen) for lv in levels]
    columns = ("step", "estimate", "truncation", "noise", "taken")
    return Chart(TITLE, description, [picture], columns, rows)


def _drawable(levels: Iterable[LevelRecord]) -> list[LevelRecord]:
    return [lv for lv in levels if lv.step > 0 and math.isfinite(lv.step + lv.estimate)]


def _describe(chosen: LevelRecord | None, claimed: float | None) -> str:
    if chosen is None:
        return "No step size gave an estimate that could be trusted."
    error = chosen.truncation + chosen.noise
    said = f"The step {number(chosen.step, 3)} was taken: error about {number(error, 2)}."
    if claimed is None or not math.isfinite(claimed):
        return said
    off, estimate = abs(claimed - chosen.estimate), apart(claimed, chosen.estimate)
    times = f", {number(off / error, 2)} times that error" if error > 0 else ""
    return (
        f"{said} The claim is {number(off, 3)} away{times}: along this direction it says "
        f"{estimate[0]}, and the numerical derivative is {estimate[1]}."
    )


def _chosen(x: Scale, y: Scale, level: LevelRecord | None) -> Markup:
    if level is None:
        return Markup("")
    at = x(level.step)
    label = text(at, y.end - 4, "step taken", "tick", "middle")
    return line(at, y.start, at, y.end, "taken") + label


def _slopes(
    x: Scale,
    y: Scale,
    truncation: Points,
    noise: Points,
) -> list[Markup]:
    """Guides: slope 8 through the last truncation, slope -1 through the first noise."""
    guides = []
    for curve, slope, end in ((truncation, ORDER, -1), (noise, -1, 0)):
        drawn = [(h, v) for h, v in curve if v > 0 and math.isfinite(v)]
        if drawn:
            guides.append(_guide(x, y, drawn[end], slope))
    return guides


def _guide(x: Scale, y: Scale, through: tuple[float, float], slope: float) -> Markup:
    """The part that lies inside the axes of a log-log line of this slope."""
    h, v = (math.log10(value) for value in through)
    ends = sorted(h + (math.log10(bound) - v) / slope for bound in (y.low, y.high))
    first, last = max(ends[0], math.log10(x.low)), min(ends[1], math.log10(x.high))
    if first >= last:
        return Markup("")
    return path([(x(10**at), y(10 ** (v + slope * (at - h)))) for at in (first, last)], "guide")


def _curve(x: Scale, y: Scale, curve: Points, style: str, mark: str) -> Markup:
    points = [(x(h), y(v)) for h, v in curve if math.isfinite(v)]
    marks = [marker(mark, at[0], at[1], style) for at in points]
    return path(points, f"curve {style}") + Markup("").join(marks)


def marker(kind: str, x: float, y: float, style: str) -> Markup:
    """A mark at a point: circle, square or cross, so that curves differ without colour."""
    if kind == "circle":
        return tag("circle", cx=x, cy=y, r=3.5, class_=f"mark {style}")
    if kind == "square":
        return tag("rect", x=x - 3, y=y - 3, width=6, height=6, class_=f"mark {style}")
    d = f"M{x - 3.5:.1f} {y - 3.5:.1f}l7 7m0-7l-7 7"
    return tag("path", d=d, class_=f"cross {style}")


def _labels(y: Scale, curves: dict[str, Points]) -> list[Markup]:
    """Each curve's name beside its right end."""
    drawn = {name: curve for name, curve in curves.items() if curve and math.isfinite(curve[-1][1])}
    ends = {name: y(curve[-1][1]) for name, curve in drawn.items()}
    names = list(ends)
    places = spread([ends[name] for name in names], 15, TOP, BOTTOM)
    styles = {"truncation": "s1", "noise": "s2", "the claim": "s3"}
    return [
        text(RIGHT + 8, place + 4, name, f"label {styles[name]}")
        for name, place in zip(names, places, strict=True)
    ]
