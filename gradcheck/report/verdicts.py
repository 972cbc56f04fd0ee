"""How each verdict is called, marked and explained. The mark tells them apart without colour."""

from __future__ import annotations

from dataclasses import dataclass

from gradcheck.records import FAILED, VERDICTS


@dataclass(frozen=True)
class Look:
    """label: in running text; mark: one sign; tone: colour class; meaning: one sentence."""

    label: str
    mark: str
    tone: str
    meaning: str


LOOKS = {
    "correct": Look("correct", "✓", "good", "Agrees with the numerical derivative."),
    "wrong": Look("wrong", "✕", "bad", "Finite, and different where a derivative exists."),
    "wrong_at_kink": Look(
        "wrong at a kink",
        "∧",
        "bad",
        "Outside the generalised gradient, or not the declared convention.",
    ),
    "broken": Look("broken", "⊘", "bad", "Breaks the contract of a VJP."),
    "nonfinite": Look("not finite", "∞", "bad", "NaN or infinite where a derivative exists."),
    "nondeterministic": Look("not deterministic", "≠", "bad", "Differs from one call to the next."),
    "crashed": Look("crashed", "†", "bad", "The process died."),
    "timeout": Look("timed out", "◷", "odd", "Did not finish in its time."),
    "inconclusive": Look("inconclusive", "?", "odd", "The function's own noise hides the answer."),
    "known_failure": Look("known failure", "○", "odd", "Fails, and a reason was given."),
    "skipped": Look("not applicable", "–", "mute", "The check does not apply here."),
}
UNKNOWN = Look("unknown verdict", "?", "odd", "A verdict this version does not know.")
RANK = {verdict: rank for rank, verdict in enumerate((*FAILED, "known_failure", "correct"))}


def look(verdict: str) -> Look:
    return LOOKS.get(verdict, UNKNOWN)


def rank(verdict: str) -> int:
    """Worst first; what is unknown ranks as bad as inconclusive, skipped last."""
    return len(RANK) if verdict == "skipped" else RANK.get(verdict, RANK["inconclusive"])


assert set(LOOKS) == set(VERDICTS)
