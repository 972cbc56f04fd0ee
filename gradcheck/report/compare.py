"""What changed since a baseline: new failures, fixed, slower, less detectable."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from gradcheck.records import Case, Run
from gradcheck.report.verdicts import rank

SLOWER = 2.0  # times as long, and
SLOWER_BY = 0.1  # seconds more: a case of milliseconds doubles by chance
BLINDER = 10.0  # times the detectable error


@dataclass(frozen=True)
class Change:
    """One case in both runs. before, after: a verdict, seconds, or a detectable error."""

    case: Case
    before: str | float
    after: str | float
    input: str = ""

    @property
    def ratio(self) -> float:
        before, after = float(self.before), float(self.after)
        return after / before if before else math.inf


@dataclass
class Comparison:
    """Two runs, case by case. appeared, vanished: cases in one of them only."""

    new_failures: list[Change] = field(default_factory=list)
    changed: list[Change] = field(default_factory=list)
    fixed: list[Change] = field(default_factory=list)
    slower: list[Change] = field(default_factory=list)
    less_detectable: list[Change] = field(default_factory=list)
    appeared: list[Case] = field(default_factory=list)
    vanished: list[Case] = field(default_factory=list)
    same: int = 0
    baseline: list[str] = field(default_factory=list)


def compare(run: Run, baseline: Run) -> Comparison:
    """What `run` does differently from `baseline`, matched by subject, check, dtype and device.

    A case slower by at least 0.1 s and twice its time is slower; a smallest detectable error ten
    times as large is less detectable. Where a run holds a case twice, its worst counts.
    """
    found = Comparison(baseline=[info.started or info.commit for info in baseline.infos])
    old, new = _by_id(baseline), _by_id(run)
    found.appeared = [case for name, case in new.items() if name not in old]
    found.vanished = [case for name, case in old.items() if name not in new]
    for name in new.keys() & old.keys():
        _compare_case(found, old[name], new[name])
    for case in found.appeared:
        if case.failed:
            found.new_failures.append(Change(case, "not in the baseline", case.verdict))
    _sort(found)
    return found


def _by_id(run: Run) -> dict[str, Case]:
    cases: dict[str, Case] = {}
    for case in run.cases:
        known = cases.get(case.id)
        if known is None or rank(case.verdict) < rank(known.verdict):
            cases[case.id] = case
    return cases


def _compare_case(found: Comparison, old: Case, new: Case) -> None:
    if old.verdict == new.verdict:
        found.same += 1
    elif new.failed:
        (found.changed if old.failed else found.new_failures).append(
            Change(new, old.verdict, new.verdict)
        )
    elif old.failed and new.verdict == "correct":
        found.fixed.append(Change(new, old.verdict, new.verdict))
    else:
        found.changed.append(Change(new, old.verdict, new.verdict))
    if new.seconds > old.seconds * SLOWER and new.seconds - old.seconds > SLOWER_BY:
        found.slower.append(Change(new, old.seconds, new.seconds))
    for name in new.detectable.keys() & old.detectable.keys():
        before, after = old.detectable[name].whole, new.detectable[name].whole
        if after > before * BLINDER:
            found.less_detectable.append(Change(new, before, after, name))


def _sort(found: Comparison) -> None:
    for changes in (found.new_failures, found.changed, found.fixed):
        changes.sort(key=lambda change: (rank(str(change.after)), change.case.id))
    for changes in (found.slower, found.less_detectable):
        changes.sort(key=lambda change: (-change.ratio, change.case.id, change.input))
