"""Each failure from what is wrong to what to look for in the code, grouped by cause."""

from __future__ import annotations

from dataclasses import dataclass, field

from gradcheck.report.arrays import ArrayText, array_text
from gradcheck.report.charts import heat_maps, kink_picture, step_plot
from gradcheck.report.failures import IN_FULL, Failure, values_text
from gradcheck.report.panels.base import Context, Panel
from gradcheck.report.summary import Summary
from gradcheck.report.svg import Chart
from gradcheck.report.text import apart, count, href, index_text, number, short
from gradcheck.report.verdicts import Look, look

USUAL = ("float64", "cpu")  # not worth repeating in a list of thousands
SCRIPTS = 200_000  # characters of scripts in all, and of one
SCRIPT = 24_000
LARGE = 12  # failures drawn large
ENTRIES = 6  # wrong entries listed
PLAIN_FACTORS = {2.0: "2", 0.5: "1/2", -1.0: "-1", 0.0: "0"}


@dataclass(frozen=True)
class FailureView:
    """What the template shows of one failure."""

    failure: Failure
    look: Look
    where: list[tuple[str, str]]
    entries: list[tuple[str, str, str]]
    entries_total: int
    arrays: list[ArrayText]
    script: str
    script_note: str
    charts: list[Chart]
    files: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class _Room:
    """How many characters of scripts the page still takes, and the failures it has drawn."""

    left: int = SCRIPTS
    drawn: int = 0


def build(summary: Summary) -> Context:
    """Groups with failures in full and as rows; what has no room for a row, by subject."""
    room = _Room()
    others = [failure for group in summary.groups for failure in group.others]
    groups = [
        {
            "group": group,
            "full": [view(failure, room) for failure in group.full],
            "rows": [_row(failure) for failure in group.rows],
        }
        for group in summary.groups
        if group.full or group.rows
    ]
    return {
        "groups": groups,
        "causes": len(summary.groups),
        "total": sum(len(group.failures) for group in summary.groups),
        "others": _by_subject(others),
        "others_total": len(others),
        "in_full": IN_FULL,
        "look": look,
        "examples": summary.examples,
    }


def _row(failure: Failure) -> tuple[Failure, Look, str, list[tuple[str, str]]]:
    return failure, look(failure.kind), values_text(failure), _files(failure)


def _by_subject(failures: list[Failure]) -> list[tuple[str, str]]:
    """Subjects with the checks that failed: as short as naming each failure can be."""
    found: dict[str, list[str]] = {}
    for failure in failures:
        case = failure.case
        place = "" if (case.dtype, case.device) == USUAL else f" {case.dtype} {case.device}"
        found.setdefault(case.subject, []).append(short(case.check + place, 60))
    return [(subject, ", ".join(checks)) for subject, checks in found.items()]


def view(failure: Failure, room: _Room) -> FailureView:
    finding = failure.finding
    room.drawn += 1
    script, note = _script(finding.script, room)
    wrong = finding.evidence.wrong_entries
    return FailureView(
        failure,
        look(failure.kind),
        _where(failure),
        [(index_text(w.index), *apart(w.expected, w.returned)) for w in wrong[:ENTRIES]],
        len(wrong),
        [array_text(name, array) for name, array in list(finding.example.items())[:12]],
        script,
        note,
        _charts(failure, room.drawn > LARGE),
        _files(failure),
    )


def _where(failure: Failure) -> list[tuple[str, str]]:
    """Input, entry, expected, returned, factor, and how far over the tolerance."""
    finding, case = failure.finding, failure.case
    values = ["", ""]
    if finding.expected is not None and finding.returned is not None:
        values = list(apart(finding.expected, finding.returned))
    elif finding.expected is not None or finding.returned is not None:
        values = [number(finding.expected), number(finding.returned)]
    facts = [
        ("input", finding.input),
        ("entry", index_text(finding.index)),
        ("expected", values[0]),
        ("returned", values[1]),
        ("factor", _factor(finding.evidence.factor)),
        ("over tolerance", number(case.score, 2) if case.score and case.score > 1 else ""),
    ]
    return [(name, value) for name, value in facts if value]


def _factor(factor: complex | None) -> str:
    if factor is None:
        return ""
    plain = "" if isinstance(factor, complex) else PLAIN_FACTORS.get(float(factor), "")
    return plain or number(factor, 5)


def _script(script: str, room: _Room) -> tuple[str, str]:
    """The script, unless the page has no room for it: then where it is."""
    if len(script) > SCRIPT or len(script) > room.left:
        return "", f"The script is {count(len(script))} characters long: it is in the artifacts."
    room.left -= len(script)
    return script, ""


def _charts(failure: Failure, small: bool) -> list[Chart]:
    evidence, at_kink = failure.finding.evidence, failure.at_kink
    charts = [
        None if at_kink else heat_maps(evidence.expected, evidence.returned, small),
        kink_picture(evidence.kink) if evidence.kink else None,
        step_plot(evidence.levels, evidence.claimed, at_kink),
    ]
    return [chart for chart in charts if chart]


def _files(failure: Failure) -> list[tuple[str, str]]:
    """(path, link) of every artifact; the link is empty where the path leaves the folder."""
    finding = failure.finding
    kept = [array.artifact for array in finding.example.values() if array.artifact]
    return [(path, href(path)) for path in dict.fromkeys([*finding.artifacts, *kept])]


PANEL = Panel("failures", "What is wrong", build)
