"""What a check is: one law of a VJP, run at one case at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradcheck.case import Case
    from gradcheck.findings import Finding, Told
    from gradcheck.subject import Subject

# Stages: a later one does not run on the ruins of an earlier one.
FORWARD, CONTRACT, VALUES, LAWS = range(4)


@dataclass
class Notes:
    """What a check measured at one case, beside its findings.

    score: worst error over tolerance. detectable: by input, `whole` and `entry` relative errors
    that would have been seen. unclear: inputs whose verdict was inconclusive here. layouts: those
    that were tried. told: what oracles say of derivatives. distance: how far the nearest kink
    is, where that was looked for. narrow: whether the outputs fit into float32, where that says
    how they were computed; hidden: by input, the relative errors that such rounding hides.
    number: at how many examples this check has run before. known, known_at_kinks: inputs that this
    check found wrong, or wrong at a kink, at a smaller example, which stands for all.
    """

    number: int = 0
    score: float = 0.0
    detectable: dict[str, dict[str, float]] = field(default_factory=dict)
    unclear: dict[str, Finding] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    layouts: list[str] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    distance: str = ""
    narrow: bool | None = None
    hidden: dict[str, float] = field(default_factory=dict)
    known: frozenset[str] = frozenset()
    known_at_kinks: frozenset[str] = frozenset()


class Check:
    """One law. Subclasses set some attributes and `run`; `applies` may say why not.

    name: stable, used in ids. law: one sentence. stage: which ruins it must not run on.
    every: run at every n-th example only, for laws that need few. at_corners: whether examples at
    the subject's own constants are worth looking for. supposes: checks whose findings leave it
    without a meaning: it does not run after one, and its remarks are dropped. dtypes: those it
    runs in, () for all.
    """

    name: str = ""
    law: str = ""
    stage: int = LAWS
    every: int = 1
    at_corners: bool = False
    supposes: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ()

    def applies(self, subject: Subject) -> str:
        """An empty string where the law applies, else the reason why it does not."""
        return ""

    def why_not(self, subject: Subject, dtype: str) -> str:
        """Why the law does not apply to a subject in this dtype; empty where it does."""
        if self.dtypes and dtype not in self.dtypes:
            return f"not in {dtype}: it is a law of {', '.join(self.dtypes)}"
        return self.applies(subject)

    def run(self, case: Case, notes: Notes) -> Iterator[Finding]:
        """Yield what is wrong at this case; write figures into `notes`."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<check {self.name}>"
