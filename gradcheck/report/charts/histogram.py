"""Histogram of error over tolerance: how far the passing cases stay below 1, the failing above."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from gradcheck.report.scales import Scale, decade
from gradcheck.report.svg import Chart, Picture, line, tag, text
from gradcheck.report.text import count, number, plural

WIDTH, HEIGHT = 520.0, 220.0
LEFT, RIGHT, TOP, BOTTOM = 44.0, 506.0, 30.0, 176.0
LOWEST, HIGHEST = -4, 8  # decades; the first and last bar hold what lies beyond


def histogram(scores: Sequence[tuple[float, bool]]) -> Chart | None:
    """scores: (error over tolerance, whether the case failed). Exact zeros are only counted."""
    exact = sum(score == 0 for score, _ in scores)
    scores = [(score, failed) for score, failed in scores if score != 0]
    if not scores:
        return None
    bins = _bins(scores)
    top = max(passed + failed for passed, failed in bins)
    width = (RIGHT - LEFT) / len(bins)
    y = Scale(0.0, math.sqrt(top), BOTTOM, TOP + 20)
    one = LEFT + (0 - LOWEST + 1) * width
    shapes = [line(LEFT, BOTTOM, RIGHT, BOTTOM, "axis"), line(one, BOTTOM, one, TOP - 8, "taken")]
    shapes += [text(one + 5, TOP, "over the tolerance →", "tick")]
    shapes += [text(one - 5, TOP, "← within", "tick", "end")]
    for place, (passed, failed) in enumerate(bins):
        shapes += _bar(LEFT + place * width, width, y, passed, failed)
    for place in range(0, len(bins) + 1, 2):
        label = _edge(place + LOWEST - 1, len(bins) + LOWEST - 1)
        shapes += [text(LEFT + place * width, BOTTOM + 17, label, "tick", "middle")]
    shapes += [text(RIGHT, BOTTOM + 35, "error over tolerance", "name", "end")]
    description = _describe(scores, exact)
    picture = Picture("Error over tolerance", description, WIDTH, HEIGHT, Markup("").join(shapes))
    return Chart("Error over tolerance, all cases", description, [picture],
                 ("from", "to", "passed", "failed"), _rows(bins))  # fmt: skip


def _bins(scores: Sequence[tuple[float, bool]]) -> list[tuple[int, int]]:
    bins = [[0, 0] for _ in range(HIGHEST - LOWEST + 2)]
    for score, failed in scores:
        place = min(max(_power(score), LOWEST - 1), HIGHEST)
        bins[math.floor(place) - LOWEST + 1][failed] += 1
    return [(passed, failed) for passed, failed in bins]


def _power(score: float) -> float:
    """Its decade; NaN goes with the infinite ones."""
    if score <= 0:
        return -math.inf
    return math.log10(score) if score < math.inf else math.inf


def _bar(x: float, width: float, y: Scale, passed: int, failed: int) -> list[Markup]:
    """Passed below, failed on top; heights go as the square root, so that few remain visible."""
    total = passed + failed
    if not total:
        return []
    top, split = y(math.sqrt(total)), BOTTOM - (BOTTOM - y(math.sqrt(total))) * passed / total
    shapes = []
    for high, low, style in ((split, BOTTOM, "good"), (top, split, "bad")):
        if low - high > 0.01:
            shapes.append(tag("rect", x=x + 1, y=high, width=width - 2, height=low - high,
                              class_=f"bar {style}"))  # fmt: skip
    shapes.append(text(x + width / 2, top - 4, count(total), "value", "middle"))
    return shapes


def _edge(power: int, last: int) -> str:
    if power < LOWEST:
        return "0"
    return "∞" if power >= last else decade(power)


def _rows(bins: Sequence[tuple[int, int]]) -> list[tuple[str, str, int, int]]:
    last = len(bins) + LOWEST - 1
    return [
        (_edge(place + LOWEST - 1, last), _edge(place + LOWEST, last), passed, failed)
        for place, (passed, failed) in enumerate(bins)
        if passed or failed
    ]


def _describe(scores: Sequence[tuple[float, bool]], exact: int) -> str:
    passed = [score for score, failed in scores if not failed and score == score]
    said = f"{plural(len(passed), 'case')} passed"
    if passed:
        said += f" with at most {number(max(passed), 3)}"
    over = [score for score, failed in scores if failed and score == score]
    if over:
        failing = plural(len(over), "failing case")
        said += f"; {failing} with up to {number(max(over), 2)}"
    if exact:
        said += f"; not drawn: {plural(exact, 'case')} without any error"
    return f"{said}. Heights go as the square root of the count."
