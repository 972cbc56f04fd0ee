"""Subjects by checks by dtype and device, each cell with its worst error over tolerance."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from gradcheck.report.charts import histogram
from gradcheck.report.panels.base import Context, Panel
from gradcheck.report.summary import Cell, Place, SubjectView, Summary
from gradcheck.report.text import number
from gradcheck.report.verdicts import look, rank

ROWS = 240  # rows in all; failing subjects first, then those nearest to failing
OPEN = 36  # rows that are not folded away, where there are more
SHADES = 4


@dataclass(frozen=True)
class CellView:
    """tone: colour class; mark: what is printed; words: what a screen reader says; link: anchor."""

    tone: str
    mark: str
    words: str
    link: str = ""


@dataclass(frozen=True)
class RowView:
    """One line of the table. subject is empty where the row above has the same one (`name`)."""

    name: str
    subject: str
    place: Place
    cells: list[CellView | None]
    failed: bool
    score: float


@dataclass(frozen=True)
class Columns:
    """A check that runs on one dtype and device only needs no row of its own: its column says so.

    home: check -> its only place, None where it has several. main: the place of most checks.
    """

    home: dict[str, Place | None]
    main: Place

    @classmethod
    def of(cls, summary: Summary) -> Columns:
        found: dict[str, set[Place]] = {check: set() for check in summary.checks}
        for view in summary.subjects.values():
            for place, row in view.cells.items():
                for check in row:
                    found[check].add(place)
        home = {check: next(iter(p)) if len(p) == 1 else None for check, p in found.items()}
        used = Counter(place for places in found.values() for place in places)
        return cls(home, used.most_common(1)[0][0] if used else ("", ""))

    def labels(self) -> list[tuple[str, str]]:
        """Each check, and where it runs if that is not where most do."""
        return [
            (check, " ".join(place) if place and place != self.main else "")
            for check, place in self.home.items()
        ]

    def rows(self, view: SubjectView) -> dict[Place, dict[str, Cell]]:
        """The cells of a subject by row; what has a home elsewhere moves to the first row."""
        rows: dict[Place, dict[str, Cell]] = {}
        moved: dict[str, Cell] = {}
        for place, cells in view.cells.items():
            for check, cell in cells.items():
                if self.home[check]:
                    moved[check] = cell
                else:
                    rows.setdefault(place, {})[check] = cell
        first = next(iter(rows), self.main)
        rows[first] = rows.get(first, {}) | moved
        return rows


def build(summary: Summary) -> Context:
    """The table, and the histogram of all scores."""
    views = sorted(summary.subjects.values(), key=_order)
    columns = Columns.of(summary)
    rows, left_out = _rows(summary, columns, views)
    passed = [view for view in left_out if not view.failed]
    return {
        "columns": columns.labels(),
        "tables": _fold(rows),
        "places": len({row.place for row in rows}) > 1,
        "main": columns.main,
        "failed_left_out": len(left_out) - len(passed),
        "left_out": passed,
        "worst_left_out": max((view.score for view in passed), default=0.0),
        "examples": sum(view.examples for view in passed),
        "histogram": histogram(summary.scores),
        "kinds": sorted(summary.verdicts, key=rank),
        "look": look,
    }


def _order(view: SubjectView) -> tuple[bool, float, str]:
    return (not view.failed, view.worst_rank if view.failed else 0, view.name)


def _rows(
    summary: Summary, columns: Columns, views: list[SubjectView]
) -> tuple[list[RowView], list[SubjectView]]:
    links = _links(summary)
    kept = _kept(views)
    rows: list[RowView] = []
    for view in (view for view in views if view.name in kept):
        for number_, (place, cells) in enumerate(columns.rows(view).items()):
            shown = [
                _cell(cells.get(check), links.get((view.name, home or place, check), ""))
                for check, home in columns.home.items()
            ]
            subject = "" if number_ else view.name
            rows.append(RowView(view.name, subject, place, shown, view.failed, view.score))
    return rows, [view for view in views if view.name not in kept]


def _fold(rows: list[RowView]) -> list[list[RowView]]:
    """What is seen at once, and what is folded: passing subjects, where all would not fit."""
    if len(rows) <= OPEN:
        return [rows]
    failed = [row for row in rows if row.failed]
    passed = [row for row in rows if not row.failed]
    shown = {
        row.name for row in sorted(passed, key=_nearness)[: max(OPEN // 3, OPEN - len(failed))]
    }
    nearest = [row for row in passed if row.name in shown]
    return [failed + nearest, [row for row in passed if row.name not in shown]]


def _nearness(row: RowView) -> float:
    return -row.score


def _kept(views: list[SubjectView]) -> set[str]:
    """Failing subjects, then the passing ones with the largest scores, up to ROWS rows."""
    kept: set[str] = set()
    room = ROWS
    for view in sorted(views, key=lambda view: (not view.failed, -view.score)):
        if room < len(view.cells) and kept:
            break
        kept.add(view.name)
        room -= len(view.cells)
    return kept


def _links(summary: Summary) -> dict[tuple[str, Place, str], str]:
    """Where a failing cell leads to: its first failure in the page."""
    links: dict[tuple[str, Place, str], str] = {}
    for group in summary.groups:
        for failure in group.failures:
            case = failure.case
            place = (case.dtype, case.device)
            if failure.full or failure.row:
                links.setdefault((case.subject, place, case.check), failure.id)
    return links


def _cell(cell: Cell | None, link: str) -> CellView | None:
    if cell is None:
        return None
    seen = look(cell.verdict)
    score = "" if cell.score is None else number(cell.score, 2)
    words = seen.label + (f", {score} times the tolerance" if score else "")
    if cell.verdict == "correct":
        return CellView(f"g{_shade(cell.score)}", _short(cell.score), words)
    mark = seen.mark + (f" {_short(cell.score)}" if cell.score and cell.score > 1 else "")
    return CellView(seen.tone, mark, words, link)


def _shade(score: float | None) -> int:
    if score is None or not math.isfinite(score):
        return 0
    return min(max(round(score * SHADES + 0.49), 0), SHADES)


def _short(score: float | None) -> str:
    """.32, <.01, 3e8: what fits a cell."""
    if score is None or not math.isfinite(score):
        return "✓" if score is None else number(score)
    if score == 0:
        return "✓"
    if score >= 1:
        return number(score, 2) if score < 100 else f"1e{math.floor(math.log10(score))}"
    return f"{score:.2f}".lstrip("0") if score >= 0.005 else "<.01"


PANEL = Panel("matrix", "Subjects and checks", build)
