"""What a check is: one law of a VJP, run at one case at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradcheck.case import Case
    from gradcheck.findings import Finding
    from gradcheck.subject import Subject

# Stages: a later one does not run on the ruins of an earlier one.
FORWARD, CONTRACT, VALUES, LAWS = range(4)


@dataclass
class Notes:
    """What a check measured at one case, beside its findings.

    score: worst error over tolerance. detectable: by input, `whole` and `entry` relative errors
    that would have been seen. unclear: inputs whose verdict was inconclusive here. layouts: those
    that were tried.
    """

    score: float = 0.0
    detectable: dict[str, dict[str, float]] = field(default_factory=dict)
    unclear: dict[str, Finding] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    layouts: list[str] = field(default_factory=list)


class Check:
    """One law. Subclasses set the four attributes and `run`; `applies` may say why not.

    name: stable, used in ids. law: one sentence. stage: which ruins it must not run on.
    every: run at every n-th example only, for laws that need few.
    """

    name: str = ""
    law: str = ""
    stage: int = LAWS
    every: int = 1

    def applies(self, subject: Subject) -> str:
        """An empty string where the law applies, else the reason why it does not."""
        return ""

    def run(self, case: Case, notes: Notes) -> Iterator[Finding]:
        """Yield what is wrong at this case; write figures into `notes`."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<check {self.name}>"
