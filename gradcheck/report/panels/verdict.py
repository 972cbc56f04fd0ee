"""The first screen: what is wrong, where, and why; or what could have been seen and was not."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from gradcheck.records import RunInfo
from gradcheck.report.charts import stack, thumbnail
from gradcheck.report.failures import Group
from gradcheck.report.panels.base import Context, Panel
from gradcheck.report.summary import Summary, median
from gradcheck.report.text import apart, clean, duration, number, plural, word
from gradcheck.report.verdicts import LOOKS, look, rank

FIRST_SCREEN = 12  # causes listed; the others follow among the failures


def build(summary: Summary) -> Context:
    """Headline, one line below it, causes, counts, and the facts that make the run repeatable."""
    groups = summary.groups[:FIRST_SCREEN]
    return {
        "tone": _tone(summary),
        "headline": headline(summary),
        "below": _below(summary),
        "sees": _sees(summary),
        "causes": [_cause(group) for group in groups],
        "more": len(summary.groups) - len(groups),
        "bar": stack("Verdicts", _parts(summary)) if summary.verdicts else None,
        "legend": [(look(v), n, v) for v, n in _ordered(summary.verdicts)],
        "facts": _facts(summary),
        "commands": [info.command for info in summary.run.infos if info.command],
        "unfinished": _unfinished(summary),
        "comparison": summary.comparison,
    }


def headline(summary: Summary) -> str:
    """One sentence: how many mistakes, or that there is none."""
    groups = summary.groups
    if not summary.run.cases:
        return "Nothing was verified"
    if groups:
        undecided = [group for group in groups if group.first.kind == "inconclusive"]
        wrong = len(groups) - len(undecided)
        if wrong:
            return f"{word(wrong).capitalize()} {'mistake' if wrong == 1 else 'mistakes'}"
        return f"Nothing wrong, but {word(len(undecided))} undecided"
    if not summary.verdicts["correct"]:
        return "Nothing could be verified"
    known = summary.verdicts["known_failure"]
    if known:
        failures = "failure" if known == 1 else "failures"
        return f"Right, but for {word(known)} known {failures}"
    return "Every gradient is right"


def _tone(summary: Summary) -> str:
    kinds = {group.first.kind for group in summary.groups}
    if kinds - {"inconclusive", "timeout"}:
        return "bad"
    return "odd" if kinds or not summary.verdicts["correct"] else "good"


def _below(summary: Summary) -> str:
    cases, subjects = sum(summary.verdicts.values()), len(summary.subjects)
    whole = f"{plural(cases - summary.verdicts['skipped'], 'case')}, {plural(subjects, 'subject')}"
    if not summary.failed:
        return f"{whole}, {plural(summary.examples, 'example')} tried."
    return f"{whole}: {plural(summary.failed, 'case')} did not pass."


def _sees(summary: Summary) -> str:
    """What would have been noticed in a subject of the middle."""
    views = summary.subjects.values()
    whole, entry = median(v.whole for v in views), median(v.entry for v in views)
    if whole != whole:
        return ""
    return (
        f"In the median subject a relative error of {number(whole, 2)} in a gradient as a whole, "
        f"or of {number(entry, 2)} in a single entry, would have been seen."
    )


def _cause(group: Group) -> dict[str, object]:
    first = group.first
    finding = first.finding
    return {
        "group": group,
        "first": first,
        "look": look(first.kind),
        "numbers": apart(finding.expected, finding.returned),
        "said": finding.returned is not None and number(finding.returned) in first.message,
        "more_subjects": len(group.subjects) - 1,
        "picture": None
        if first.at_kink
        else thumbnail(finding.evidence.expected, finding.evidence.returned),
    }


def _parts(summary: Summary) -> list[tuple[str, int, str]]:
    return [(look(v).label, n, look(v).tone) for v, n in _ordered(summary.verdicts)]


def _ordered(verdicts: Counter[str]) -> list[tuple[str, int]]:
    known = list(LOOKS)
    return sorted(verdicts.items(), key=lambda item: (item[0] != "correct", rank(item[0]),
                  known.index(item[0]) if item[0] in known else 99))  # fmt: skip


def _facts(summary: Summary) -> list[tuple[str, str]]:
    infos = summary.run.infos
    seconds = sum(end.seconds for end in summary.run.ends) or summary.seconds
    facts = [
        ("started", _all(moment(info.started) for info in infos)),
        ("took", duration(seconds) if seconds else ""),
        ("seed", _all("" if info.seed is None else str(info.seed) for info in infos)),
        ("profile", _all(info.profile for info in infos)),
        ("commit", _all(info.commit[:12] for info in infos)),
        ("device", _all(", ".join(info.devices) for info in infos)),
        ("versions", _all(_versions(info) for info in infos)),
    ]
    return [(name, value) for name, value in facts if value]


def _all(values: object) -> str:
    found = list(dict.fromkeys(clean(str(v), 200) for v in values if v))  # type: ignore[attr-defined]
    return " · ".join(found[:3]) + (f" and {len(found) - 3} more" if len(found) > 3 else "")


def _versions(info: RunInfo) -> str:
    return ", ".join(f"{name} {version}" for name, version in list(info.versions.items())[:9])


def moment(text: str) -> str:
    """An ISO time as 21 November 2026, 21:10 UTC; anything else as it is."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{at.day} {at:%B %Y, %H:%M} {at:%Z}".strip()


def _unfinished(summary: Summary) -> str:
    ends, runs = {end.run for end in summary.run.ends}, len(summary.run.infos)
    missing = runs - len(ends)
    if not summary.run.infos or missing <= 0:
        return ""
    which = "The run has" if runs == 1 else f"{missing} of {runs} runs have"
    return f"{which} no end record: it was interrupted, or is still going."


PANEL = Panel("verdict", "Verdict", build)
