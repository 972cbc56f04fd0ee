"""Wrong where an entry itself, or its magnitude, lies beyond a bound or between two."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradcheck.diagnosis.evidence import Evidence
from gradcheck.diagnosis.explanation import Explanation
from gradcheck.diagnosis.words import number

# Bounds at which people cut: one of them inside the gap between right and wrong is named.
CUTS = (0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0, 6.0, 0.1, -0.1)
# A mistake that has fallen to this share of its largest is fading out, not ending at a bound.
FADED = 1e-3


@dataclass(frozen=True)
class Seen:
    """The entries of one example: which were wrong, which were measured, and by how much off."""

    evidence: Evidence
    wrong: np.ndarray
    known: np.ndarray

    @property
    def off(self) -> np.ndarray:
        off = np.abs(self.evidence.true - self.evidence.claimed)
        return np.asarray(np.nan_to_num(off).max(axis=0).reshape(self.evidence.shape))


def explain(seen: list[Seen], how: str) -> Explanation | None:
    """seen: all examples, the first that of the finding; how: what stands in the wrong entries."""
    name = seen[0].evidence.name
    wrong = np.concatenate([s.wrong[s.known] for s in seen])
    off = np.concatenate([s.off[s.known] for s in seen])
    values = np.concatenate([s.evidence.array[s.known] for s in seen])
    for said, value in ((f"`{name}`", values), (f"|{name}|", np.abs(values))):
        where = _range(said, value, wrong, off)
        if where is None:
            continue
        sign = {f"{said} < 0": "negative", f"{said} > 0": "positive"}.get(where)
        return Explanation(
            f"the gradient of `{name}` {how} where {where}, and right elsewhere",
            f"wrong where {sign}" if sign else "wrong beyond a bound",
            f"wrong where {where}",
            "a branch, a clip or a mask on the values",
        )
    return None


def _range(said: str, value: np.ndarray, wrong: np.ndarray, off: np.ndarray) -> str | None:
    """The values between which all is wrong and outside of which all is right."""
    bad, good = value[wrong], value[~wrong]
    if len(bad) < 2 or len(good) < 2:
        return None
    low, high = bad.min(), bad.max()
    below, above = good[good < low], good[good > high]
    if len(below) + len(above) < len(good):
        return None
    ends = off[wrong][[int(np.argmin(bad)), int(np.argmax(bad))]] < FADED * np.max(off)
    start = len(below) > 0 and not (ends[0] and len(above))
    stop = len(above) > 0 and not (ends[1] and len(below))
    lower = _cut(below.max(), low) if start else ""
    upper = _cut(high, above.min()) if stop else ""
    if start and stop:
        return f"{said} is between {lower} and {upper}" if len(bad) > 2 else None
    if not (start or stop):
        return None
    bound, sign = (lower, ">") if start else (upper, "<")
    if bound.startswith("a bound"):
        return f"{said} is {'above' if start else 'below'} {bound}"
    return f"{said} {sign} {bound}"


def _cut(low: float, high: float) -> str:
    """A bound inside a gap, by its usual name."""
    named = [cut for cut in CUTS if low <= cut <= high]
    if len(named) == 1:
        return f"{named[0]:g}"
    return f"a bound between {number(low)} and {number(high)}"
