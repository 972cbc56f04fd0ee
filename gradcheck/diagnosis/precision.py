"""Right up to the precision of a narrower type that was used inside."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.diagnosis import jacobian
from gradcheck.diagnosis.evidence import Evidence, Outputs, flat, stacked
from gradcheck.diagnosis.explanation import Explanation
from gradcheck.judgement.problem import Judgement

# Largest relative error that a few operations in the type make, over its unit roundoff.
OPERATIONS = 64.0
# A truth that bends by this share of what the claim does is itself what bends.
OWN = 0.1
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
            return _told(evidence.name, off, kind)
    return None


def of_entries(judgement: Judgement, returned: np.ndarray) -> Explanation | None:
    """The same of one example by the entries that were measured: numbers of the narrower type."""
    scale = float(np.max(np.abs(returned), initial=0.0))
    if not judgement.entries or not 0 < scale < np.inf or np.iscomplexobj(returned):
        return None
    off = max(abs(e.expected - e.returned) for e in judgement.entries) / scale
    for kind, roundoff in TYPES:
        with np.errstate(over="ignore"):  # what float16 cannot hold is no number of it
            narrow = np.array_equal(returned.astype(kind).astype(returned.dtype), returned)
        if narrow and off <= OPERATIONS * roundoff:
            return _told(judgement.name, off, kind)
    return None


def _told(name: str, off: float, kind: str) -> Explanation:
    return Explanation(
        f"the gradient of `{name}` is right to about {off:.1g} only: precision is lost, as if "
        f"{kind} were used inside",
        "precision lost",
        f"precision lost: {kind}",
        f"{kind}, a cast, or a buffer of that type",
    )


def _like_noise(evidence: Evidence, roundoff: float) -> bool:
    """Differences of a few roundoffs in most entries, from a claim that is rough, not smooth."""
    right, claim = flat(evidence.expected), flat(evidence.returned)
    used = np.isfinite(right) & (np.abs(right) > 1e-3 * np.nanmax(np.abs(right)))
    relative = (claim[used] - right[used]) / right[used]
    if relative.size < 4 or np.mean(np.abs(relative) > 0.01 * roundoff) < 0.6:
        return False
    return _rough(evidence, roundoff)


def _rough(evidence: Evidence, roundoff: float) -> bool:
    """Whether the claim jumps where its inputs and cotangent move by about a roundoff.

    A formula of double precision is smooth there: its second difference is of second order. Where
    the truth itself bends as much over such a step, a wave say, that the claim does tells nothing.
    """
    scene = evidence.scene
    rng = np.random.default_rng(31)
    parts = 4.0 if roundoff < 1e-6 else 1.0  # squared still far below a roundoff

    def shifts(a: Any) -> Any:
        return parts * roundoff * a * rng.uniform(0.3, 1, np.shape(a))

    real = {n: a for n, a in scene.arrays.items() if getattr(a, "dtype", np.dtype(int)).kind == "f"}
    by = {n: shifts(a) for n, a in real.items()}
    by_u = [shifts(u) for u in scene.cotangents]

    def point(t: float) -> tuple[Outputs, dict[str, Any]]:
        arrays = {**scene.arrays, **{n: a + t * by[n] for n, a in real.items()}}
        return tuple(u + t * d for u, d in zip(scene.cotangents, by_u, strict=True)), arrays

    def at(t: float) -> np.ndarray:
        return flat(scene.vjp(*point(t))[evidence.name])

    def true(t: float) -> np.ndarray:
        us, arrays = point(t)
        table = jacobian.numerical(scene.forward, arrays, evidence.name)[0]
        return np.asarray(stacked(us) @ table)

    bent = np.abs(at(1.0) - 2 * at(0.0) + at(-1.0))
    jumps = bent > 0.02 * roundoff * float(np.max(np.abs(at(0.0))))
    if np.mean(jumps) <= 0.25:
        return False
    due = np.abs(true(1.0) - 2 * true(0.0) + true(-1.0))
    return not np.mean(due[jumps] > OWN * bent[jumps]) > 0.5
