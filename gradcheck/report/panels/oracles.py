"""How far the independent derivatives agree, with one another and with the claim."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations

from gradcheck.records import CLAIM, Case, OracleRecord
from gradcheck.report.charts import ranges
from gradcheck.report.panels.base import Context, Panel
from gradcheck.report.summary import Summary, median

WORST = 12  # disagreements listed
SUBJECTS = 40  # subjects listed, those that agree least first
DISAGREE = 1.0  # difference over the sum of both errors


@dataclass(frozen=True)
class Pair:
    """Two figures of one derivative. relative: their difference over the larger of them; over:
    the same difference over the sum of both errors."""

    case: Case
    left: OracleRecord
    right: OracleRecord
    relative: float
    over: float

    @property
    def claims(self) -> bool:
        return CLAIM in (self.left.name, self.right.name)


@dataclass
class Agreement:
    """Two oracles over all derivatives both gave."""

    left: str
    right: str
    differences: list[float] = field(default_factory=list)
    apart: int = 0

    def add(self, pair: Pair) -> None:
        self.differences.append(pair.relative)
        self.apart += pair.over > DISAGREE

    @property
    def middle(self) -> float:
        return median(self.differences)

    @property
    def largest(self) -> float:
        return max(self.differences, default=math.nan)


@dataclass
class SubjectAgreement:
    """One subject: by oracle, the largest relative difference from the claim, and whether that is
    more than both errors allow."""

    name: str
    inputs: dict[str, None] = field(default_factory=dict)
    from_claim: dict[str, tuple[float, bool]] = field(default_factory=dict)

    def add(self, pair: Pair) -> None:
        oracle = pair.right.name if pair.left.name == CLAIM else pair.left.name
        self.inputs[pair.left.input] = None
        known = self.from_claim.get(oracle, (-1.0, False))
        apart = pair.over > DISAGREE
        self.from_claim[oracle] = max(known, (pair.relative, apart), key=lambda k: (k[1], k[0]))

    @property
    def apart(self) -> bool:
        return any(apart for _, apart in self.from_claim.values())

    @property
    def largest(self) -> float:
        return max(relative for relative, _ in self.from_claim.values())


def build(summary: Summary) -> Context:
    """By pair of oracles, by subject against the claim, and where two oracles disagree."""
    pairs: dict[tuple[str, str], Agreement] = {}
    subjects: dict[str, SubjectAgreement] = {}
    worst: list[Pair] = []
    names: dict[str, int] = {}
    for pair in _pairs(summary.run.cases, names):
        key = (pair.left.name, pair.right.name)
        pairs.setdefault(key, Agreement(*key)).add(pair)
        if pair.claims:
            view = subjects.setdefault(pair.case.subject, SubjectAgreement(pair.case.subject))
            view.add(pair)
        elif pair.over > DISAGREE:
            worst.append(pair)
    worst.sort(key=lambda pair: -pair.over)
    ordered = sorted(subjects.values(), key=lambda view: (not view.apart, -view.largest))
    oracles = sorted(name for name in names if name != CLAIM)
    figures = {f"{p.left} · {p.right}": p.differences for p in pairs.values()}
    return {
        "pairs": list(pairs.values()),
        "names": names,
        "oracles": oracles,
        "derivatives": max(names.values(), default=0),
        "worst": worst[:WORST],
        "disagreements": len(worst),
        "subjects": ordered[:SUBJECTS],
        "more": ordered[SUBJECTS:],
        "apart": sum(view.apart for view in ordered),
        "chart": ranges(
            "Relative difference of two oracles", figures, "relative difference",
            what="pair", better="closer",
        ),
    }  # fmt: skip


def _pairs(cases: Iterable[Case], names: dict[str, int]) -> Iterator[Pair]:
    """Every two figures of the same derivative, whichever checks noted them; counts the names."""
    found: dict[tuple[object, ...], dict[str, tuple[Case, OracleRecord]]] = {}
    for case in cases:
        for told in case.oracles:
            if math.isfinite(told.value):
                key = (case.run, case.subject, case.dtype, case.device, told.input, told.example)
                found.setdefault(key, {}).setdefault(told.name, (case, told))
    for derivative in found.values():
        for name in derivative:
            names[name] = names.get(name, 0) + 1
        ordered = sorted(derivative.values(), key=lambda told: _place(told[1].name))
        for (case, left), (_, right) in combinations(ordered, 2):
            yield _pair(case, left, right)


def _place(name: str) -> tuple[bool, str]:
    """The claim first: a pair has one name, whichever check ran before the other."""
    return (name != CLAIM, name)


def _pair(case: Case, left: OracleRecord, right: OracleRecord) -> Pair:
    difference = abs(left.value - right.value)
    size = max(abs(left.value), abs(right.value))
    allowed = left.error + right.error
    if size <= allowed:  # both are zero as far as one can tell
        return Pair(case, left, right, 0.0, 0.0)
    over = difference / allowed if allowed > 0 else (math.inf if difference > 0 else 0.0)
    return Pair(case, left, right, difference / size, over)


PANEL = Panel("oracles", "Do the oracles agree", build)
