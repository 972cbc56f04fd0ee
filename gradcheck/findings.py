"""Finding and Report: what was found, in words, numbers and arrays."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradcheck.errors import GradientError, UsageError

if TYPE_CHECKING:
    from gradcheck.diagnosis import Explanation

# Worst first: the verdict of a report is the worst of its findings.
PAGES = (".html", ".htm", ".json", ".jsonl")  # what a report is saved as

VERDICTS = (
    "crashed",
    "timeout",
    "broken",
    "nondeterministic",
    "wrong",
    "nonfinite",
    "wrong_at_kink",
    "inconclusive",
    "correct",
)


Key = tuple[str, str, str | None]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, shrunk to the smallest example that shows it.

    kind: a verdict other than "correct". check: the law that failed. input: the input whose
    gradient it is, or None. index, expected, returned: the worst entry and its two values, where
    there is one. fault: a name from the catalogue (`gradcheck.diagnosis`), or None. message: one
    plain sentence. example: arrays by name. script: text that reproduces it alone. cause: findings
    of equal cause are one mistake. hint: what to look for in the code. evidence: plain data for
    the report (step sizes, one-sided slopes, gradients, factors).
    """

    kind: str
    check: str
    message: str
    input: str | None = None
    index: tuple[int, ...] | None = None
    expected: Any = None
    returned: Any = None
    fault: str | None = None
    example: Mapping[str, Any] = field(default_factory=dict)
    script: str = ""
    cause: str = ""
    hint: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    cotangent: Any = None
    # False where the example is too small to tell this fault from others: a larger one is kept.
    telling: bool = True
    # Explaining costs Jacobians: it is done once, for the finding that is kept.
    tell: Callable[[], Explanation] | None = field(default=None, compare=False, repr=False)

    def explained(self) -> Finding:
        """This finding with the name of its fault, as far as one is known."""
        if self.tell is None:
            return self
        told = self.tell()
        return replace(
            self,
            message=told.message,
            fault=told.fault or self.fault,
            cause=told.cause or self.cause,
            hint=told.hint or self.hint,
            evidence={**self.evidence, **told.evidence},
            tell=None,
        )

    @property
    def key(self) -> Key:
        """Findings of one key are one finding: the smallest example stands for all."""
        return (self.check, self.kind, self.input)


@dataclass(frozen=True)
class Told:
    """What one oracle, or the claim, says of one input's derivative along one direction.

    value: <cotangent, J v>; error: estimated, absolute. Figures of one input and example are of
    the same direction, whichever check noted them.
    """

    oracle: str
    input: str
    value: float
    error: float
    example: int


@dataclass
class CheckOutcome:
    """What one check did over all examples: a cell of the report's matrix."""

    check: str
    examples: int = 0
    score: float = 0.0
    detectable: dict[str, dict[str, float]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    seconds: float = 0.0
    evaluations: int = 0
    not_run: str = ""

    @property
    def verdict(self) -> str:
        if self.not_run:
            return "skipped"
        return worst(finding.kind for finding in self.findings)


@dataclass
class Report:
    """The result of `check`: never raises because a gradient is wrong, unless asked to."""

    subject: str
    outcomes: dict[str, CheckOutcome] = field(default_factory=dict)
    examples: int = 0
    discards: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    seed: int = 0
    dtype: str = "float64"
    device: str = "cpu"
    source: str = ""
    notes: list[str] = field(default_factory=list)
    coverage: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def findings(self) -> list[Finding]:
        """All findings, worst kind first."""
        found = [f for outcome in self.outcomes.values() for f in outcome.findings]
        return sorted(found, key=lambda finding: VERDICTS.index(finding.kind))

    @property
    def verdict(self) -> str:
        return worst(finding.kind for finding in self.findings)

    @property
    def passed(self) -> bool:
        return self.verdict == "correct"

    @property
    def remarks(self) -> list[str]:
        found = [r for outcome in self.outcomes.values() for r in outcome.remarks]
        return list(dict.fromkeys([*self.notes, *found]))

    @property
    def detectable(self) -> dict[str, float]:
        """By input: the smallest relative error of its gradient that would have been seen."""
        best: dict[str, float] = {}
        for outcome in self.outcomes.values():
            for name, figures in outcome.detectable.items():
                best[name] = min(best.get(name, float("inf")), figures["whole"])
        return best

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        from gradcheck.describe import describe_report

        return describe_report(self)

    def raise_if_failed(self) -> None:
        """Raise GradientError with the diagnosis unless the verdict is "correct"."""
        __tracebackhide__ = True
        if not self.passed:
            raise GradientError(self)

    def _repr_html_(self) -> str:
        from gradcheck.emit import run_of_reports

        try:
            from gradcheck.report import render_fragment
        except ImportError:
            return f"<pre>{html.escape(str(self))}</pre>"
        return render_fragment(run_of_reports([self]))

    def save(self, path: str | Path) -> Path:
        """Write the report as a page (.html) or as records (.json, .jsonl), by suffix."""
        from gradcheck.emit import save_reports

        require_suffix(path, PAGES)
        return save_reports([self], Path(path))


def require_suffix(path: str | Path, suffixes: Sequence[str]) -> None:
    """Raise UsageError for a file of another kind."""
    if Path(path).suffix.lower() not in suffixes:
        raise UsageError(f"save: path={str(path)!r}, expected a {' or '.join(suffixes)} file")


def worst(kinds: Any) -> str:
    """The worst of some verdicts; "correct" where there is none."""
    return min(kinds, key=VERDICTS.index, default="correct")
