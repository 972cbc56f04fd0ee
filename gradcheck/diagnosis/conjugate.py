"""Complex gradients: the conjugate where it does not belong, or one part alone."""

from __future__ import annotations

import numpy as np

from gradcheck.diagnosis.evidence import Evidence, explains
from gradcheck.diagnosis.explanation import Explanation
from gradcheck.diagnosis.words import number
from gradcheck.judgement.problem import Judgement


def explain(evidence: Evidence, judgement: Judgement) -> Explanation | None:
    complex_outputs = any(np.iscomplexobj(o) for o in evidence.outputs)
    if not (evidence.is_complex or complex_outputs):
        return None
    name, true = evidence.name, evidence.true
    if evidence.is_complex:
        for said, matrix in _parts(true):
            if evidence.matches(matrix):
                alone = said.endswith("alone")
                return _lost(name, said) if alone else _told(name, f"is {said}", said)
        c = _factor(evidence)
        if c is not None:
            return Explanation(
                f"the gradient of `{name}` is scaled by {number(c)}",
                f"scaled by {number(c)}",
                f"scaled by {number(c)}",
                "a factor i, or a conjugate",
            )
    for said, cotangents in _bent(evidence):
        turned = np.conj(evidence.gradient(name, cotangents))
        if said == "the conjugate" and explains(turned, evidence.returned, evidence.expected):
            return _told(name, "is the transposed Jacobian times the cotangent", "not conjugated")
        if explains(evidence.gradient(name, cotangents), evidence.returned, evidence.expected):
            if said.startswith("only"):
                return _lost(name, f"{said} of the cotangent", "uses")
            return _told(name, f"uses {said} of the cotangent", f"{said} of the cotangent")
    return _other_input(evidence)


def _parts(true: np.ndarray) -> list[tuple[str, np.ndarray]]:
    re, im = np.split(true, 2, axis=1)
    return [
        ("the conjugate of the right one", np.concatenate([re, -im], axis=1)),
        ("minus the conjugate of the right one", np.concatenate([-re, im], axis=1)),
        ("the real part of the right one alone", np.concatenate([re, 0 * im], axis=1)),
        ("the imaginary part of the right one alone", np.concatenate([0 * re, im], axis=1)),
    ]


def _bent(evidence: Evidence) -> list[tuple[str, tuple[np.ndarray, ...]]]:
    u = evidence.scene.cotangents
    return [
        ("the conjugate", tuple(np.conj(c) for c in u)),
        ("only the real part", tuple(c.real.astype(c.dtype) for c in u)),
        ("only the imaginary part", tuple((1j * c.imag).astype(c.dtype) if np.iscomplexobj(c) else c
                                          for c in u)),
    ]  # fmt: skip


def _factor(evidence: Evidence) -> complex | None:
    right, claim = evidence.expected.ravel(), evidence.returned.ravel()
    if not np.all(np.isfinite(right)) or not np.any(right):
        return None
    c = complex(np.vdot(right, claim) / np.vdot(right, right))
    fits = np.allclose(c * right, claim, rtol=1e-7, atol=1e-9 * np.max(np.abs(right)))
    return c if fits and abs(c.imag) > 1e-6 * abs(c) else None


def _other_input(evidence: Evidence) -> Explanation | None:
    """The right gradient for another input conjugated: the conjugate of a factor is forgotten."""
    from gradcheck.diagnosis.elsewhere import fits_at

    for other, value in evidence.scene.arrays.items():
        if not (isinstance(value, np.ndarray) and np.iscomplexobj(value)):
            continue
        square = value.ndim == 2 and value.shape[0] == value.shape[1]
        if square and fits_at(evidence, {other: value.T.copy()}):
            return Explanation(
                f"the gradient of `{evidence.name}` is multiplied by `{other}` where it should be "
                "by its transpose",
                "transposed",
                f"multiplied by `{other}` instead of its transpose",
                f"a product with {other} that wants a .T, or has one too many",
            )
        if fits_at(evidence, {other: np.conj(value)}):
            said = f"uses `{other}` where its conjugate should be"
            return _told(evidence.name, said, f"conjugate of `{other}` missing")
    return None


def _lost(name: str, said: str, verb: str = "is") -> Explanation:
    return Explanation(
        f"the gradient of `{name}` {verb} {said}: the other part is lost",
        "part of a complex number lost",
        f"complex: {said}",
        "a .real, an astype(float), a buffer of real numbers",
    )


def _told(name: str, said: str, cause: str) -> Explanation:
    return Explanation(
        f"the gradient of `{name}` {said}: a conjugate is missing or one too many",
        "conjugate missing",
        f"conjugate: {cause}",
        "the VJP of y = A x is A conjugated and transposed: look for .conj()",
    )
