"""Records -> view model: everything the panels show, counted in one pass over the cases."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from gradcheck.checks import MODULES
from gradcheck.records import EXCUSED, Case, Coverage, Detectable, Run
from gradcheck.report.compare import Comparison
from gradcheck.report.failures import Group, group_failures
from gradcheck.report.verdicts import rank

Place = tuple[str, str]  # dtype, device


@dataclass(slots=True)
class Cell:
    """A subject and check on one dtype and device: the worst of its cases."""

    verdict: str
    score: float | None
    cases: int = 1

    def worsen(self, case: Case) -> None:
        self.cases += 1
        self.score = worst_score(self.score, case.score)
        if rank(case.verdict) < rank(self.verdict):
            self.verdict = case.verdict


@dataclass
class SubjectView:
    """What is known of one subject over all its cases.

    sees: by input, the best (smallest) detectable error over its checks; blindest: by dtype, the
    largest one and its check.
    """

    name: str
    source: str = ""
    cells: dict[Place, dict[str, Cell]] = field(default_factory=dict)
    verdicts: Counter[str] = field(default_factory=Counter)
    examples: int = 0
    seconds: float = 0.0
    sees: dict[str, Detectable] = field(default_factory=dict)
    blindest: dict[str, tuple[float, str]] = field(default_factory=dict)
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        return self.worst_rank < rank("known_failure")

    @property
    def worst_rank(self) -> int:
        return min(map(rank, self.verdicts), default=rank("skipped"))

    @property
    def score(self) -> float:
        scores = [c.score for row in self.cells.values() for c in row.values() if c.score]
        return max((s for s in scores if s == s), default=0.0)

    @property
    def weakest(self) -> str:
        """The check that sees least, in float64 where there is one."""
        found = self.blindest.get("float64") or next(iter(self.blindest.values()), (0.0, ""))
        return found[1]

    @property
    def whole(self) -> float:
        """Smallest relative error of a gradient as a whole that is seen in every input."""
        return max((seen.whole for seen in self.sees.values()), default=math.nan)

    @property
    def entry(self) -> float:
        return max((seen.entry for seen in self.sees.values()), default=math.nan)


@dataclass
class Summary:
    """The run as the panels read it."""

    run: Run
    comparison: Comparison | None = None
    verdicts: Counter[str] = field(default_factory=Counter)
    subjects: dict[str, SubjectView] = field(default_factory=dict)
    checks: list[str] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    scores: list[tuple[float, bool]] = field(default_factory=list)
    sees: dict[str, list[Detectable]] = field(default_factory=dict)
    coverage: Coverage = field(default_factory=Coverage)
    discards: Counter[str] = field(default_factory=Counter)
    remarks: dict[str, list[str]] = field(default_factory=dict)
    examples: int = 0
    evaluations: int = 0
    seconds: float = 0.0

    @property
    def failed(self) -> int:
        return sum(n for verdict, n in self.verdicts.items() if verdict not in EXCUSED)


def summarise(run: Run, comparison: Comparison | None = None) -> Summary:
    """The view model of a run, and of what changed since a baseline."""
    summary = Summary(run, comparison)
    checks: dict[str, None] = {}
    places: dict[Place, None] = {}
    for case in run.cases:
        checks[case.check] = None
        places[case.dtype, case.device] = None
        _count(summary, case)
        _enter(_subject(summary, case), case)
    summary.checks, summary.places = sorted(checks, key=_turn), list(places)
    summary.groups = group_failures(run.cases)
    return summary


def _turn(check: str) -> int:
    """The order in which checks run, whatever order workers and shuffled tests wrote them in."""
    return MODULES.index(check) if check in MODULES else len(MODULES)


def _count(summary: Summary, case: Case) -> None:
    summary.verdicts[case.verdict] += 1
    summary.examples += case.examples
    summary.evaluations += case.evaluations
    summary.seconds += case.seconds if math.isfinite(case.seconds) else 0.0
    if case.score is not None and (case.verdict == "correct" or case.score > 1):
        summary.scores.append((case.score, case.failed))
    if case.detectable:
        summary.sees.setdefault(case.check, []).extend(case.detectable.values())
    for discard in case.discards:
        summary.discards[discard.message] += discard.count
    for remark in case.remarks:
        where = summary.remarks.setdefault(remark, [])
        if case.subject not in where[-1:]:
            where.append(case.subject)
    if case.coverage:
        add_coverage(summary.coverage, case.coverage)


def add_coverage(total: Coverage, part: Coverage) -> None:
    """Adds the counts of `part` to `total`."""
    total.kinks += part.kinks
    for name in ("styles", "layouts", "masks", "distance", "status", "origin"):
        _add(getattr(total, name), getattr(part, name))
    for dimension, sizes in part.dims.items():
        _add(total.dims.setdefault(dimension, {}), sizes)


def _add(total: dict[str, int], part: dict[str, int]) -> None:
    for key, count in part.items():
        total[key] = total.get(key, 0) + count


def _subject(summary: Summary, case: Case) -> SubjectView:
    view = summary.subjects.get(case.subject)
    if view is None:
        view = summary.subjects[case.subject] = SubjectView(case.subject)
    view.source = view.source or case.source
    return view


def _enter(view: SubjectView, case: Case) -> None:
    view.verdicts[case.verdict] += 1
    view.examples += case.examples
    view.seconds += case.seconds if math.isfinite(case.seconds) else 0.0
    row = view.cells.setdefault((case.dtype, case.device), {})
    if case.check in row:
        row[case.check].worsen(case)
    else:
        row[case.check] = Cell(case.verdict, case.score)
    for name, seen in case.detectable.items():
        known = view.sees.get(name)
        if known is None or seen.whole < known.whole:
            view.sees[name] = seen
        largest = view.blindest.get(case.dtype, (0.0, ""))
        view.blindest[case.dtype] = max(largest, (seen.whole, case.check), key=_finite)
    if case.coverage:
        _widen(view.sizes, case.coverage)


def _finite(pair: tuple[float, str]) -> float:
    return pair[0] if pair[0] == pair[0] else -1.0


def _widen(sizes: dict[str, tuple[int, int]], coverage: Coverage) -> None:
    for name, counts in coverage.dims.items():
        found = [int(size) for size in counts if size.isdecimal() and len(size) < 12]
        if found:
            low, high = sizes.get(name, (found[0], found[0]))
            sizes[name] = (min(low, *found), max(high, *found))


def worst_score(left: float | None, right: float | None) -> float | None:
    """The larger of two scores; NaN counts as worst, None as nothing."""
    found = [score for score in (left, right) if score is not None]
    return max(found, key=lambda s: (s != s, s), default=None)


def median(values: Iterable[float]) -> float:
    """The middle of the finite values, NaN where there is none."""
    found = sorted(value for value in values if math.isfinite(value))
    return found[len(found) // 2] if found else math.nan


def by_count(counts: dict[str, int]) -> list[tuple[str, int]]:
    """Largest first."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
