"""Elementwise factors: the derivative of another function, at the output, squared, left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from gradcheck.diagnosis import weighted
from gradcheck.diagnosis.evidence import Evidence, equal, explains
from gradcheck.diagnosis.explanation import Explanation
from gradcheck.diagnosis.functions import Function, known
from gradcheck.diagnosis.words import factor
from gradcheck.judgement.problem import Judgement

# Fewer different factors than this would fit too many functions, fewer slopes too many forms: of
# slopes that are 1 and -1, or 1 alone, the square, the reciprocal and the magnitude are the same.
ENOUGH = 4
# Steps to where a derivative is looked for again: near, and as far as the next piece; and the share
# by which it must be another there.
STEPS, VARIED = (0.1, 1.0), 1e-3


def explain(evidence: Evidence, judgement: Judgement) -> Explanation | None:
    if evidence.is_complex or not evidence.one_output:
        return None
    if not evidence.scene.is_linear(evidence.name) or np.iscomplexobj(evidence.outputs[0]):
        return None
    return _elementwise(evidence, judgement) or _factors(evidence)


def _elementwise(evidence: Evidence, judgement: Judgement) -> Explanation | None:
    """Both Jacobians are diagonal: the claimed slopes are compared with what they may be."""
    true, claimed = evidence.true, evidence.claimed
    y, x = evidence.outputs[0].ravel(), evidence.array.ravel()
    if true.shape[0] != true.shape[1] or len(x) < ENOUGH or not np.all(np.isfinite(true)):
        return None
    slope, given = np.diag(true), np.diag(claimed)
    if not (equal(np.diag(slope), true) and np.array_equal(np.diag(given), claimed)):
        return None
    name = evidence.name
    with np.errstate(all="ignore"):
        named = _the_function(x, y, slope)
        alone = bool(named) or len(evidence.scene.arrays) == 1
        if alone and np.ptp(given) == 0 and given[0] not in (0, 1) and np.ptp(slope) > 0:
            return _another(name, f"{factor(float(given[0]))} {name}", named)
        product = y / x
        # Of several inputs, one that is a factor too few says more than a rule of two terms.
        factors = len(evidence.scene.arrays) > 1 and weighted.explain(evidence, judgement)
        parts = () if factors else (("first", slope - product), ("second", product))
        for part, candidate in parts:
            if explains(candidate, given, slope) and not equal(candidate, 0 * given):
                return _product(name, part)
        if np.all(np.isfinite(y)) and explains(y, given, slope):
            said = "the function itself in place of its derivative"
            text = f"the gradient of `{name}` has {said}"
            return Explanation(text, "wrong derivative", f"wrong derivative: {said}")
        for other in known():
            if alone and other.name != named and explains(other.slope(x), given, slope):
                return _another(name, other.name, named)
        for said, candidate in _forms(name, x, y, slope):
            if np.all(np.isfinite(candidate)) and explains(candidate, given, slope):
                text = f"the gradient of `{name}` has {said}"
                return Explanation(text, "wrong derivative", f"wrong derivative: {said}")
    return None


def _forms(
    name: str, x: np.ndarray, y: np.ndarray, slope: np.ndarray
) -> Iterator[tuple[str, np.ndarray]]:
    """What people write for a derivative, from the derivative itself, the point and the output."""
    if len(np.unique(np.round(slope, 9))) >= ENOUGH:
        yield "the square of the derivative", slope**2
        yield "the reciprocal of the derivative", 1 / slope
        yield "the absolute value of the derivative", np.abs(slope)
        yield "the sign of the derivative", np.sign(slope)
    yield f"the derivative times `{name}`", slope * x
    yield f"`{name}` in place of the derivative", x
    yield "the derivative times the output", slope * y


def _the_function(x: np.ndarray, y: np.ndarray, slope: np.ndarray) -> str:
    for function in known():
        if equal(function.f(x), y) and equal(function.slope(x), slope):
            return function.name
    return ""


def _another(name: str, used: str, due: str) -> Explanation:
    where = f"that of {due} is due" if due else "that of another function is due"
    text = f"the gradient of `{name}` has the derivative of {used} where {where}"
    if used == "the identity":
        text = f"the gradient of `{name}` leaves out the derivative of {due or 'the function'}"
    return Explanation(
        text,
        "derivative of another activation",
        f"derivative of {used} where {where}",
        "compare the function in forward with the derivative in vjp",
    )


def _product(name: str, part: str) -> Explanation:
    said = "g(x) * 1" if part == "first" else "x * g'(x)"
    return Explanation(
        f"the gradient of `{name}` lacks one term of the product rule: {said} where forward is "
        "x * g(x)",
        "path missing",
        f"product rule: {said} missing",
        "a product has two terms in its derivative, one for each factor",
    )


def _factors(evidence: Evidence) -> Explanation | None:
    """The claim is the truth times a factor that a pre-activation decides."""
    true, claimed = evidence.true, evidence.claimed
    solid = np.isfinite(true) & (np.abs(true) > 1e-4 * np.nanmax(np.abs(true), initial=0.0))
    if not solid.any() or np.any(claimed[np.isfinite(true) & (true == 0.0)]):
        return None
    ratio = np.divide(claimed, true, where=solid, out=np.full(true.shape, np.nan))
    with np.errstate(all="ignore"):
        for kind, due, z in _preactivations(evidence):
            factors = z[solid]
            if len(np.unique(np.round(factors, 12))) < ENOUGH:
                continue
            told = _pair(due, z, ratio, solid)
            if told is not None and _enters(evidence, kind, due, z, solid):
                return _told(evidence.name, due.name, told)
    return None


def _enters(evidence: Evidence, kind: str, due: Function, z: np.ndarray, solid: np.ndarray) -> bool:
    """Whether forward does go through `due` at z: the truth elsewhere has the slopes of there.

    And these must be others than here: a slope in pieces shows nothing beyond its own piece.
    """
    scene, name = evidence.scene, evidence.name
    bounded = scene.inputs.get(name)
    low, high = getattr(bounded, "low", None), getattr(bounded, "high", None)
    rng, told = np.random.default_rng(11), False
    lives = solid & (due.slope(z) != 0)
    for step in STEPS:
        shift = step * rng.standard_normal(evidence.shape)
        arrays = {**scene.arrays, name: np.clip(evidence.array + shift, low, high)}
        there = evidence.at(replace(scene, arrays=arrays, outputs=scene.forward(arrays)))
        found = (m for k, f, m in _preactivations(there) if (k, f.name) == (kind, due.name))
        moved = next(found, None)
        if moved is None or not lives.any():
            return False
        grown = due.slope(moved)[lives] / due.slope(z)[lives]
        if not equal(there.true[lives], (evidence.true[lives] * grown)):
            return False
        told |= bool(np.any(np.abs(grown - 1) > VARIED))
    return told


def _pair(due: Function, z: np.ndarray, ratio: np.ndarray, solid: np.ndarray) -> str | None:
    """Which derivative, over that of `due`, makes the ratio; "output" for f'(f(z))."""
    slope = due.slope(z)[solid]
    if not np.all(np.isfinite(slope)) or not np.all(slope):
        return None
    given = ratio[solid] * slope
    for other in known():
        if other.name != due.name and explains(other.slope(z)[solid], given, slope):
            return other.name
    if explains(due.slope(due.f(z))[solid], given, slope):
        return "output"
    if explains(slope**2, given, slope):
        return "squared"
    return "value" if explains(due.f(z)[solid], given, slope) else None


def _told(name: str, due: str, used: str) -> Explanation:
    if used == "output":
        text = (
            f"the gradient of `{name}` has the derivative of {due} taken at its output instead of "
            "at its input"
        )
        hint = "f'(y) with y = f(z) where f'(z) is meant"
        cause = f"derivative of {due} at the output"
        return Explanation(text, "derivative at the output", cause, hint)
    if used in ("squared", "value"):
        what = "squared" if used == "squared" else "replaced by the function itself"
        text = f"the gradient of `{name}` has the derivative of {due} {what}"
        return Explanation(text, "wrong derivative", f"derivative of {due} {what}")
    return _another(name, used, due)


def _preactivations(evidence: Evidence) -> Iterator[tuple[str, Function, np.ndarray]]:
    """Guesses of what an activation was applied to, spread over the elements of a Jacobian."""
    shape, y = evidence.true.shape, evidence.outputs[0]
    columns = np.broadcast_to(evidence.array.ravel(), shape)
    functions = [f for f in known() if f.name != "the identity"]
    for function in functions:
        if function.inverse is not None:
            yield "output", function, np.broadcast_to(function.inverse(y.ravel())[:, None], shape)
    relu = next(f for f in functions if f.name == "relu")
    if np.all(y >= 0) and np.any(y == 0):
        yield "output", relu, np.broadcast_to(y.ravel()[:, None], shape)
    for function in functions:
        yield "input", function, columns
    for number, z in enumerate(_affine(evidence)):
        for function in functions:
            yield f"affine {number}", function, z


def _affine(evidence: Evidence) -> Iterator[np.ndarray]:
    """Products x W, with and without a vector, whose rows are the output's first axis."""
    shape, out = evidence.shape, evidence.outputs[0].shape
    arrays = {n: a for n, a in evidence.scene.arrays.items() if isinstance(a, np.ndarray)}
    real = {n: a for n, a in arrays.items() if a.dtype.kind == "f"}
    if not out or not shape:
        return
    rows = np.indices(out)[0].ravel()
    last = np.indices(shape)[-1].ravel()
    for x in (a for a in real.values() if a.ndim == 2):
        for w in (a for a in real.values() if a.ndim == 2 and a.shape[0] == x.shape[1]):
            product = x @ w
            if product.shape != (out[0], shape[-1]):
                continue
            for b in [0.0, *(a for a in real.values() if a.shape == product.shape[1:])]:
                yield (product + b)[np.ix_(rows, last)]
