"""What a fault family says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gradcheck.diagnosis.words import apart, entry, number
from gradcheck.judgement.problem import Judgement


@dataclass(frozen=True)
class Explanation:
    """A fault's name (None: no family fits), one sentence, a grouping key, and what to look for.

    cause: the same for every finding that one mistake explains; empty: the fault's name.
    """

    message: str
    fault: str | None = None
    cause: str = ""
    hint: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What must come out again at a second example for a name to hold."""
        return self.cause or str(self.fault)


def plain(judgement: Judgement) -> str:
    """What can be said of a wrong gradient that no family explains."""
    name = judgement.name
    if judgement.verdict == "inconclusive":
        said = judgement.reason or "the function's own noise hides the derivative"
        return f"the gradient of `{name}` could not be judged: {said}"
    if judgement.verdict == "nonfinite":
        if not judgement.entries:
            return f"the gradient of `{name}` is not finite where a derivative exists"
        worst = judgement.entries[0]
        return (
            f"the gradient of `{name}` is not finite where a derivative exists: "
            f"{entry(name, worst.index)} should get {number(worst.expected)}, "
            f"not {number(worst.returned)}"
        )
    if judgement.entries:
        worst = judgement.entries[0]
        kink = " at a kink" if judgement.verdict == "wrong_at_kink" else ""
        due, given = apart(worst.expected, worst.returned)
        where = entry(name, worst.index)
        return f"the gradient of `{name}` is wrong{kink}: {where} should get {due}, not {given}"
    if judgement.verdict == "wrong_at_kink":
        return f"the gradient of `{name}` is outside the generalised gradient at a kink"
    due, given = apart(judgement.expected, judgement.returned)
    return (
        f"the gradient of `{name}` is wrong: along one direction {due} "
        f"is expected and {given} returned"
    )
