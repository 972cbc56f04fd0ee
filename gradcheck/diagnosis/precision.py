"""Right up to the precision of a narrower type that was used inside."""

from __future__ import annotations

import numpy as np

from gradcheck.diagnosis.evidence import Evidence, flat
from gradcheck.diagnosis.explanation import Explanation
from gradcheck.judgement.problem import Judgement

# Largest relative error that a few operations in the type make, over its unit roundoff.
OPERATIONS = 64.0
TYPES = (("float32", 2.0**-24), ("float16", 2.0**-11))


def explain(evidence: Evidence, judgement: Judgement) -> Explanation | None:
    right, claim = flat(evidence.expected), flat(evidence.returned)
    known = np.isfinite(right)
    scale = float(np.max(np.abs(right[known]), initial=0.0))
    if not scale or not np.all(np.isfinite(claim)):
        return None
    for digits in range(1, 9):
        if np.array_equal(np.round(claim, digits), claim) and np.all(
            np.abs(claim - right)[known] <= 0.51 * 10.0**-digits
        ):
            return Explanation(
                f"the gradient of `{evidence.name}` is rounded to {digits} decimals",
                "precision lost",
                f"precision lost: {digits} decimals",
                "a round() or a print-and-parse",
            )
    off = float(np.max(np.abs(claim - right)[known])) / scale
    for kind, roundoff in TYPES:
        rounded = claim.astype(kind).astype(np.float64)
        narrow = bool(np.array_equal(rounded, claim)) and bool(np.any(claim))
        if off <= OPERATIONS * roundoff and (narrow or _like_noise(evidence, roundoff)):
            return Explanation(
                f"the gradient of `{evidence.name}` is right to about {off:.1g} only: precision "
                f"is lost, as if {kind} were used inside",
                "precision lost",
                f"precision lost: {kind}",
                f"{kind}, a cast, or a buffer of that type",
            )
    return None


def _like_noise(evidence: Evidence, roundoff: float) -> bool:
    """Differences of both signs and no more than a few roundoffs, at every measured entry."""
    right, claim = flat(evidence.expected), flat(evidence.returned)
    used = np.isfinite(right) & (np.abs(right) > 1e-3 * np.nanmax(np.abs(right)))
    relative = (claim[used] - right[used]) / right[used]
    if relative.size < 4 or np.max(np.abs(relative)) > 16 * roundoff:
        return False
    spread = np.std(relative)
    return bool(spread > 0.02 * roundoff and abs(np.mean(relative)) < 1.5 * spread)
