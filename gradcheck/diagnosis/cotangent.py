"""Not linear in the cotangent: ignored, squared, its absolute value, a term without it, clipped."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gradcheck.diagnosis import jacobian
from gradcheck.diagnosis.elsewhere import agrees_along, updated
from gradcheck.diagnosis.evidence import Evidence, Outputs, equal, explains, stacked
from gradcheck.diagnosis.explanation import Explanation
from gradcheck.diagnosis.jacobian import flat
from gradcheck.judgement.problem import Judgement

Change = Callable[[np.ndarray], np.ndarray]

# What may have been done to the cotangent before it was used.
CHANGES: tuple[tuple[str, str, str, Change], ...] = (
    ("cotangent ignored", "ignores the cotangent: it is that of a cotangent of ones", "ignored",
     np.ones_like),
    ("absolute cotangent", "uses the absolute value of the cotangent", "absolute", np.abs),
    ("squared cotangent", "uses the square of the cotangent", "squared", np.square),
    ("sign of the cotangent", "uses only the sign of the cotangent", "sign", np.sign),
    ("squared cotangent", "uses the cotangent times its absolute value", "squared, signed",
     lambda u: u * np.abs(u)),
    ("cotangent clipped", "uses only the positive part of the cotangent", "positive part",
     lambda u: np.maximum(u, 0)),
    ("cotangent clipped", "uses only the negative part of the cotangent", "negative part",
     lambda u: np.minimum(u, 0)),
)  # fmt: skip
HINT = "every term of a VJP is multiplied by the cotangent exactly once"


def explain(evidence: Evidence, judgement: Judgement) -> Explanation | None:
    if evidence.scene.is_linear(evidence.name) or evidence.is_complex:
        return None
    scene, name = evidence.scene, evidence.name
    u, claim = scene.cotangents, evidence.returned
    if not (np.all(np.isfinite(claim)) and np.all(np.isfinite(scene.at_zero(name)))):
        return None  # NaN times a zero cotangent is NaN: no term without one
    for fault, said, cause, change in CHANGES:
        changed = tuple(np.asarray(change(c)) for c in u)
        if explains(evidence.gradient(name, changed), claim, evidence.expected):
            text = f"the gradient of `{name}` {said}"
            return Explanation(text, fault, f"cotangent {cause}", HINT)
    for test in (_constant, _added, _result, _normalised, _updated):
        told = test(evidence, u)
        if told is not None:
            return told
    return None


def _updated(evidence: Evidence, u: Outputs) -> Explanation | None:
    """The right gradient at parameters that the same backward has updated already."""
    scene, name = evidence.scene, evidence.name
    for other, value in scene.arrays.items():
        for point in updated(evidence, other, value) if other != name else ():
            if not agrees_along(evidence, point.changes):
                continue
            there, error = jacobian.numerical(
                scene.forward, {**scene.arrays, **point.changes}, name
            )
            if explains(
                stacked(u) @ there,
                flat(evidence.returned),
                flat(evidence.expected),
                float(np.max(error, initial=0.0)),
            ):
                text = f"the gradient of `{name}` {point.said}"
                return Explanation(text, point.fault, f"{point.fault}: {other}", point.hint)
    return None


def _constant(evidence: Evidence, u: Outputs) -> Explanation | None:
    """The same whatever the cotangent, but not the gradient for ones."""
    doubled = _at(evidence, tuple(-3.0 * c for c in u))
    if not np.any(evidence.returned) or not equal(doubled, evidence.returned):
        return None
    return Explanation(
        f"the gradient of `{evidence.name}` ignores the cotangent: it is the same for every one",
        "cotangent ignored",
        "cotangent ignored",
        HINT,
    )


def _added(evidence: Evidence, u: Outputs) -> Explanation | None:
    """A term that stays when the cotangent is zero."""
    name, constant = evidence.name, evidence.scene.at_zero(evidence.name)
    if not np.any(constant):
        return None
    scaled = _at(evidence, tuple(-3.0 * c for c in u))
    straight = flat(scaled) - constant
    if not equal(-3.0 * (flat(evidence.returned) - constant), straight):
        return None
    x = flat(evidence.array)
    weight = float(constant @ x / (x @ x)) if np.any(x) else 0.0
    if (
        weight
        and equal(weight * x, constant)
        and equal(evidence.claimed, evidence.true, evidence.error)
    ):
        return Explanation(
            f"the gradient of `{name}` has {weight:.6g} times `{name}` added to it, "
            "which the cotangent does not multiply (weight decay)",
            "term without cotangent",
            f"{weight:.6g} times the input added",
            HINT,
        )
    return Explanation(
        f"the gradient of `{name}` has a term that is not multiplied by the cotangent",
        "term without cotangent",
        "term without cotangent",
        HINT,
    )


def _result(evidence: Evidence, u: Outputs) -> Explanation | None:
    """The right gradient, clipped or otherwise bent entry by entry."""
    right, claim, name = evidence.expected, evidence.returned, evidence.name
    if not np.all(np.isfinite(right)) or not claim.size:
        return None
    bound = float(np.max(np.abs(claim)))
    if np.any(np.abs(right) > bound * (1 + 1e-6)) and explains(
        np.clip(right, -bound, bound), claim, right
    ):
        return Explanation(
            f"the gradient of `{name}` is clipped to at most {bound:.6g} in magnitude",
            "gradient clipped",
            f"clipped at {bound:.6g}",
            "clip in the optimizer, not in the VJP",
        )
    for said, changed in (
        ("the absolute value of the right one", np.abs(right)),
        ("the square of the right one", right**2),
        ("only the sign of the right one", np.sign(right)),
        ("only the positive part of the right one", np.maximum(right, 0)),
    ):
        if explains(changed, claim, right):
            text = f"the gradient of `{name}` is {said}"
            return Explanation(text, "gradient bent", f"gradient bent: {said}", HINT)
    return None


def _normalised(evidence: Evidence, u: Outputs) -> Explanation | None:
    right, claim = flat(evidence.expected), flat(evidence.returned)
    if not np.all(np.isfinite(right)) or not np.any(right):
        return None
    c = float(right @ claim / (right @ right))
    if c == 0 or not explains(c * right, claim, right):
        return None
    return Explanation(
        f"the gradient of `{evidence.name}` is divided by a norm or a sum of its own: "
        f"{c:.6g} times the right one here, another factor at another cotangent",
        "gradient normalised",
        "gradient normalised",
        "normalise or clip by norm in the optimizer, not in the VJP",
    )


def _at(evidence: Evidence, u: Outputs) -> np.ndarray:
    return np.asarray(evidence.scene.vjp(u, evidence.scene.arrays)[evidence.name])
