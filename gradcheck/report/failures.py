"""Which failures are one mistake, and which of them are shown in full."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from gradcheck.records import Case, FindingRecord
from gradcheck.report.text import index_text, number, slug
from gradcheck.report.verdicts import look, rank

IN_FULL = 50  # failures shown in full; the others are rows of a table


@dataclass
class Failure:
    """One finding of one case. `id` is its anchor in the page."""

    case: Case
    finding: FindingRecord
    id: str = ""
    full: bool = False

    @property
    def kind(self) -> str:
        return self.finding.kind or self.case.verdict

    @property
    def message(self) -> str:
        return self.finding.message or self.case.reason or look(self.kind).meaning

    @property
    def at(self) -> str:
        """W[0, 1]: input and index."""
        return f"{self.finding.input}{index_text(self.finding.index)}"

    @property
    def script(self) -> str:
        return self.finding.script


@dataclass
class Group:
    """Failures of one cause, the most telling one first."""

    cause: str
    failures: list[Failure] = field(default_factory=list)

    @property
    def first(self) -> Failure:
        return self.failures[0]

    @property
    def id(self) -> str:
        return self.first.id

    @property
    def cases(self) -> int:
        return len({failure.case.id for failure in self.failures})

    @property
    def subjects(self) -> list[str]:
        return list(dict.fromkeys(failure.case.subject for failure in self.failures))

    @property
    def full(self) -> list[Failure]:
        return [failure for failure in self.failures if failure.full]

    @property
    def rest(self) -> list[Failure]:
        return [failure for failure in self.failures if not failure.full]


def group_failures(cases: Iterable[Case], in_full: int = IN_FULL) -> list[Group]:
    """Failures grouped by cause, worst kind first, then by how many cases one cause explains."""
    groups: dict[str, Group] = {}
    for case in cases:
        if case.failed:
            for finding in case.findings or [FindingRecord(case.verdict, case.check)]:
                key = finding.cause or _cause(case, finding)
                groups.setdefault(key, Group(key)).failures.append(Failure(case, finding))
    ordered = list(groups.values())
    for group in ordered:
        group.failures.sort(key=_telling)
    ordered.sort(key=lambda group: (rank(group.first.kind), -group.cases))
    _name(ordered)
    _choose(ordered, in_full)
    return ordered


def _cause(case: Case, finding: FindingRecord) -> str:
    return "\0".join((case.subject, finding.kind or case.verdict, finding.fault, finding.input))


def _telling(failure: Failure) -> tuple[int, bool, bool, bool, int]:
    """Worst kind, named faults, evidence and float64 first; small examples before large."""
    finding = failure.finding
    arrays = finding.example.values()
    size = sum(10**6 if array.values is None else len(array.flat) for array in arrays)
    unnamed, bare = not finding.fault, not finding.evidence.levels
    return (rank(failure.kind), unnamed, bare, failure.case.dtype != "float64", size)


def _name(groups: list[Group]) -> None:
    """Anchors that stay the same from run to run, as long as the failure is the same."""
    taken: dict[str, int] = {}
    for group in groups:
        for failure in group.failures:
            case, finding = failure.case, failure.finding
            name = slug("f", case.subject, case.check, case.dtype, case.device, finding.input)
            taken[name] = taken.get(name, 0) + 1
            failure.id = name if taken[name] == 1 else f"{name}.{taken[name]}"


def _choose(groups: list[Group], in_full: int) -> None:
    """The first of every group, then the second of every group, until `in_full` are chosen."""
    depth = 0
    while in_full > 0 and any(len(group.failures) > depth for group in groups):
        for group in groups:
            if len(group.failures) > depth and in_full > 0:
                group.failures[depth].full = True
                in_full -= 1
        depth += 1


def values_text(failure: Failure) -> str:
    """Expected 2.31, returned -0.48; "" where the finding is not about values."""
    finding = failure.finding
    if finding.expected is None and finding.returned is None:
        return ""
    return f"expected {number(finding.expected)}, returned {number(finding.returned)}"
