"""A chart is an SVG with a title, a description, and its numbers as a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from markupsafe import Markup, escape

from gradcheck.report.scales import Scale
from gradcheck.report.text import clean, shown

Row = Sequence[Any]
WHOLE = 10**7  # a path is not cut; a name is, before it comes here


@dataclass(frozen=True)
class Picture:
    """One drawing. Its title names it; its description says what there is to see."""

    title: str
    description: str
    width: float
    height: float
    shapes: Markup
    note: str = ""
    stretched: bool = False  # to whatever width there is

    def svg(self, name: str) -> Markup:
        """The drawing; `name` is unique in the page and makes the ids of its title and text."""
        return tag(
            "svg",
            tag("title", self.title, id=f"{name}t"),
            tag("desc", self.description, id=f"{name}d"),
            self.shapes,
            viewBox=f"0 0 {fixed(self.width)} {fixed(self.height)}",
            preserveAspectRatio="none" if self.stretched else None,
            role="img",
            aria_labelledby=f"{name}t {name}d",
            style=f"--w:{fixed(self.width)}px",
        )


@dataclass(frozen=True)
class Chart:
    """A figure of the page: pictures under one caption, and the numbers they were drawn from."""

    title: str
    description: str
    pictures: Sequence[Picture]
    columns: Sequence[str]
    rows: Sequence[Row]
    wide: bool = False


def fixed(value: float) -> str:
    """A coordinate in at most one decimal."""
    return f"{value:.1f}".removesuffix(".0")


def tag(name: str, *children: Any, **attributes: Any) -> Markup:
    """An element. Text is escaped; `class_` is class, `stroke_width` is stroke-width."""
    inside = Markup("").join(_child(child) for child in children)
    return Markup(f"<{name}{_attributes(attributes)}>") + inside + Markup(f"</{name}>")


def _child(child: Any) -> Markup:
    return escape(child) if hasattr(child, "__html__") else escape(shown(child))


def _attributes(attributes: dict[str, Any]) -> str:
    kept = ((k, v) for k, v in attributes.items() if v is not None and v != "")
    return "".join(
        f' {_attribute(k)}="{escape(fixed(v) if isinstance(v, float) else clean(str(v), WHOLE))}"'
        for k, v in kept
    )


def _attribute(name: str) -> str:
    return (
        name if name in ("viewBox", "preserveAspectRatio") else name.rstrip("_").replace("_", "-")
    )


def group(shapes: Iterable[Any], **attributes: Any) -> Markup:
    """A <g> of shapes."""
    return tag("g", *shapes, **attributes)


def path(points: Sequence[tuple[float, float]], class_: str) -> Markup:
    """A line through points; nothing for fewer than two."""
    if len(points) < 2:
        return Markup("")
    return tag("path", d="M" + "L".join(f"{fixed(x)} {fixed(y)}" for x, y in points), class_=class_)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    return path([(x1, y1), (x2, y2)], class_)


def text(x: float, y: float, words: Any, class_: str = "", anchor: str = "") -> Markup:
    return tag("text", words, x=float(x), y=float(y), class_=class_, text_anchor=anchor)


def frame(x: Scale, y: Scale, x_title: str, y_title: str) -> Markup:
    """Axes with ticks, hairlines across, and their titles; y runs from bottom to top."""
    bottom, top = y.start, y.end
    shapes: list[Markup] = []
    for value, label in y.ticks():
        shapes += [line(x.start, y(value), x.end, y(value), "grid")]
        shapes += [text(x.start - 6, y(value) + 4, label, "tick", "end")]
    for value, label in x.ticks():
        shapes += [line(x(value), bottom, x(value), bottom + 4, "axis")]
        shapes += [text(x(value), bottom + 17, label, "tick", "middle")]
    shapes += [line(x.start, bottom, x.end, bottom, "axis")]
    shapes += [text(x.end, bottom + 33, x_title, "name", "end")]
    shapes += [text(x.start - 6, top - 9, y_title, "name", "start")]
    return group(shapes)


def spread(positions: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Label positions moved apart so that none is nearer than `gap`, kept within [low, high]."""
    order = sorted(range(len(positions)), key=positions.__getitem__)
    placed = list(positions)
    for before, at in pairwise(order):
        placed[at] = max(placed[at], placed[before] + gap)
    limit = high
    for at in reversed(order):
        placed[at] = max(low, min(placed[at], limit))
        limit = placed[at] - gap
    return placed
