"""The function at a kink: its slope on each side, what lies between them, and what is claimed."""

from __future__ import annotations

import math

from markupsafe import Markup

from gradcheck.records import KinkRecord
from gradcheck.report.svg import Chart, Picture, fixed, line, spread, tag, text
from gradcheck.report.text import number

WIDTH, HEIGHT = 440.0, 250.0
CENTRE, MIDDLE, REACH = 178.0, 126.0, 128.0


def kink_picture(kink: KinkRecord) -> Chart | None:
    """One-sided slopes as a bent line; the fan between them holds every generalised derivative."""
    slopes = (kink.left, kink.right, kink.claimed)
    if not all(math.isfinite(slope) for slope in slopes):
        return None
    steepest = max(abs(slope) for slope in slopes) or 1.0
    rise = [slope / steepest * 88.0 for slope in slopes]
    left, right, claim = rise
    shapes = [
        line(CENTRE - REACH, MIDDLE, CENTRE + REACH, MIDDLE, "grid"),
        line(CENTRE, 20, CENTRE, HEIGHT - 20, "grid"),
        _fan(left, right),
        line(CENTRE - REACH, MIDDLE + left, CENTRE, MIDDLE, "curve s1"),
        line(CENTRE, MIDDLE, CENTRE + REACH, MIDDLE - right, "curve s1"),
        line(CENTRE - REACH, MIDDLE + claim, CENTRE + REACH, MIDDLE - claim, "curve s3 dashed"),
        tag("circle", cx=CENTRE, cy=MIDDLE, r=4.5, class_="mark s1"),
        *_labels(kink, left, right, claim),
    ]
    description = describe(kink)
    picture = Picture("Slopes at the kink", description, WIDTH, HEIGHT, Markup("").join(shapes))
    rows = [("left slope", kink.left), ("right slope", kink.right), ("claimed", kink.claimed),
            ("alpha", kink.alpha), ("coordinates at a kink", kink.count),
            ("convention", kink.convention)]  # fmt: skip
    return Chart("At the kink", description, [picture], ("quantity", "value"), rows)


def _fan(left: float, right: float) -> Markup:
    """Both wedges between the two slopes, drawn through the kink."""
    wedges = ""
    for sign in (-1, 1):
        x = CENTRE + sign * REACH
        ends = (MIDDLE - sign * left, MIDDLE - sign * right)
        wedges += f"M{fixed(CENTRE)} {fixed(MIDDLE)}L{fixed(x)} {fixed(ends[0])}V{fixed(ends[1])}z"
    return tag("path", d=wedges, class_="fan")


def _labels(kink: KinkRecord, left: float, right: float, claim: float) -> list[Markup]:
    ends = spread([MIDDLE - right, MIDDLE - claim], 16, 16, HEIGHT - 16)
    return [
        text(CENTRE + REACH + 6, ends[0] + 4, f"right {number(kink.right, 3)}", "label s1"),
        text(CENTRE + REACH + 6, ends[1] + 4, f"claimed {number(kink.claimed, 3)}", "label s3"),
        text(CENTRE - REACH, MIDDLE + left + (18 if left >= 0 else -9),
             f"left {number(kink.left, 3)}", "label s1"),
    ]  # fmt: skip


def describe(kink: KinkRecord) -> str:
    """Where the claim lies between the two slopes, in words."""
    if kink.point_defect:
        return (
            f"Both sides have the slope {number(kink.left)}, and the claim is "
            f"{number(kink.claimed)}: a defect at a single point."
        )
    where = f"alpha = {number(kink.alpha, 3)}" if math.isfinite(kink.alpha) else "no alpha"
    said = (
        f"The slope is {number(kink.left)} on the left and {number(kink.right)} on the right. The "
        f"claim {number(kink.claimed)} {_place(kink)} ({where})"
    )
    return f"{said}; declared: {kink.convention}." if kink.convention else f"{said}."


def _place(kink: KinkRecord) -> str:
    for name, slope in (("left", kink.left), ("right", kink.right)):
        if math.isclose(kink.claimed, slope, rel_tol=1e-9, abs_tol=1e-12):
            return f"is the {name} slope"
    low, high = sorted((kink.left, kink.right))
    return "lies between them" if low < kink.claimed < high else "lies outside"
