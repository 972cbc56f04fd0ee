"""Which failures are one mistake, and which of them are shown in full."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

from gradcheck.records import Case, FindingRecord
from gradcheck.report.text import index_text, number, slug
from gradcheck.report.verdicts import look, rank

Key = tuple[str, ...]
IN_FULL = 50  # failures shown in full
ROWS = 400  # failures shown as rows of a table; any others are named


@dataclass
class Failure:
    """One finding of one case. `id` is its anchor in the page, where it has one.

    full: shown in full; row: shown as a row of a table; neither: only named.
    """

    case: Case
    finding: FindingRecord
    id: str = ""
    full: bool = False
    row: bool = False

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
    def at_kink(self) -> bool:
        """There is no derivative to lay over the claim: only slopes on two sides."""
        kink = self.finding.evidence.kink
        return kink is not None and not kink.point_defect


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
    def rows(self) -> list[Failure]:
        return [failure for failure in self.failures if failure.row]

    @property
    def others(self) -> list[Failure]:
        return [failure for failure in self.failures if not failure.full and not failure.row]


def group_failures(cases: Iterable[Case], in_full: int = IN_FULL) -> list[Group]:
    """Failures grouped by cause, worst kind first, then by how many cases one cause explains.

    One cause: in one subject the same `cause`, or the same fault in the same input; in two, both,
    and the same inputs besides: what is said of any layer ("vjp raises", "x: sign flipped") does
    not make two layers one mistake.
    """
    groups: dict[int, Group] = {}
    known: dict[Key, int] = {}
    for case in cases:
        if case.failed:
            for finding in case.findings or [FindingRecord(case.verdict, case.check)]:
                _enter(groups, known, Failure(case, finding))
    ordered = list(groups.values())
    for group in ordered:
        group.failures.sort(key=_telling)
    # By name last: workers and shuffled tests write their records in any order.
    ordered.sort(key=lambda g: (rank(g.first.kind), -g.cases, g.first.case.subject))
    _name(ordered)
    _choose(ordered, in_full)
    return ordered


def _enter(groups: dict[int, Group], known: dict[Key, int], failure: Failure) -> None:
    """Adds a failure to its group; one that belongs to two makes them one."""
    keys = _keys(failure)
    found = sorted({known[key] for key in keys if key in known})
    number_ = found[0] if found else len(known)
    group = groups.setdefault(number_, Group(failure.finding.cause))
    for other in found[1:]:
        group.failures += groups.pop(other).failures
        known.update((key, number_) for key, at in known.items() if at == other)
    group.failures.append(failure)
    known.update((key, number_) for key in keys)


def _keys(failure: Failure) -> list[Key]:
    finding, subject = failure.finding, failure.case.subject
    keys: list[Key] = []
    if finding.fault:
        keys.append(("fault", subject, finding.input, finding.fault))
    if finding.cause:
        keys.append(("cause", subject, finding.cause))
    if finding.fault and finding.cause:
        inputs = [name for name in finding.example if not name.startswith("cotangent")]
        if len(inputs) > 1:  # a single x is every layer's
            keys.append(("shared", finding.cause, finding.input, finding.fault, *sorted(inputs)))
    return keys or [("kind", subject, finding.input, failure.kind)]


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
    rest = (failure for group in groups for failure in group.failures if not failure.full)
    for failure in islice(rest, ROWS):
        failure.row = True


def values_text(failure: Failure) -> str:
    """Expected 2.31, returned -0.48; "" where the finding is not about values."""
    finding = failure.finding
    if finding.expected is None and finding.returned is None:
        return ""
    return f"expected {number(finding.expected)}, returned {number(finding.returned)}"
