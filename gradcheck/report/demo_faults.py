"""Three wrong gradients with real numbers: what a run would have recorded of each."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from gradcheck.records import (
    ArrayRecord,
    Case,
    Evidence,
    FindingRecord,
    KinkRecord,
    LevelRecord,
    WrongEntryRecord,
)

Matrix = np.ndarray


def transposed_weight() -> Iterator[Case]:
    """A dense layer whose weight gradient is cotangent.T @ x instead of x.T @ cotangent."""
    x = np.array([[1.0, 0.0, 2.0], [-1.0, 3.0, 0.5]])
    g = np.array([[1.0, -2.0, 0.5], [0.25, 1.0, 0.0]])
    right, claim = x.T @ g, g.T @ x
    example = {"x": x, "W": np.eye(3), "b": np.zeros(3), "cotangent": g}
    finding = FindingRecord(
        kind="wrong",
        input="W",
        fault="transposed",
        cause="dense: W transposed",
        message="The gradient of W is transposed: every entry [i, j] holds what belongs to [j, i].",
        hint="a weight gradient built as cotangent.T @ x where the forward is x @ W: "
        "it is x.T @ cotangent.",
        example=_records(example),
        script=_script(
            example,
            "from layers import dense_backward",
            'returned = dense_backward(cotangent, x, W, b)["W"]',
            "expected = x.T @ cotangent",
        ),
        evidence=_evidence(right, claim),
    )
    _locate(finding, right, claim)
    for check, score in (("gradient", 4.1e8), ("batch", 3.0e8), ("twin", 8.8e9)):
        yield _case("dense", check, "wrong", score, finding)


def mask_leak() -> Iterator[Case]:
    """A masked softmax whose masked positions still receive a gradient."""
    scores = np.array([[0.5, 1.0, -0.25, 2.0], [1.5, 0.0, 0.75, -1.0]])
    mask = np.array([[True, True, True, False], [True, False, True, True]])
    g = np.array([[1.0, 0.5, -1.0, 2.0], [0.5, 1.0, 0.25, -0.5]])
    right, claim = _softmax_vjp(scores, g, mask), _softmax_vjp(scores, g, np.ones_like(mask))
    example = {"scores": scores, "mask": mask, "cotangent": g}
    finding = FindingRecord(
        kind="wrong",
        input="scores",
        fault="mask leak",
        cause="masked_softmax: mask leak",
        message="Masked entries of scores receive a gradient: 2 of 2 masked entries are not zero.",
        hint="the softmax of the backward pass is taken over unmasked scores: the mask must be "
        "applied before the exponential, in the backward pass as in the forward.",
        example=_records(example),
        script=_script(
            example,
            "from layers import masked_softmax_backward",
            'returned = masked_softmax_backward(cotangent, scores, mask)["scores"]',
            "expected = np.where(mask, returned, 0.0)",
        ),
        evidence=_evidence(right, claim),
    )
    _locate(finding, right, claim)
    for check, score in (("masks", 1.7e9), ("gradient", 6.2e8)):
        yield _case("masked_softmax", check, "wrong", score, finding)


def relu_convention() -> Iterator[Case]:
    """A ReLU that was declared to have the derivative 0 at 0, and returns 1."""
    x, g = np.array([0.0]), np.array([2.0])
    example = {"x": x, "cotangent": g}
    finding = FindingRecord(
        kind="wrong_at_kink",
        input="x",
        index=[0],
        expected=0.0,
        returned=2.0,
        fault="wrong convention at the kink",
        cause="relu: convention at 0",
        message="at the kink `x[0]` = 0 the declared convention (alpha = 0) asks for 0; "
        "the gradient returned is 2 (alpha = 1)",
        hint="x >= 0 where x > 0 is meant: the two differ at exactly 0, "
        "which random inputs never hit.",
        example=_records(example),
        script=_script(
            example,
            "from layers import relu_backward",
            'returned = relu_backward(cotangent, x)["x"]',
            "expected = cotangent * (x > 0)",
        ),
        evidence=Evidence(
            kink=KinkRecord(0.0, 2.0, 2.0, 1.0, 1, [0], convention="alpha = 0"),
            levels=_levels(1.0, 2.0),
            claimed=2.0,
            wrong_entries=[WrongEntryRecord([0], 0.0, 2.0)],
        ),
    )
    yield _case("relu", "kinks", "wrong_at_kink", 2.6e7, finding)


def _softmax_vjp(scores: Matrix, g: Matrix, mask: Matrix) -> Matrix:
    e = np.where(mask, np.exp(scores), 0.0)
    p = e / e.sum(1, keepdims=True)
    return np.asarray(p * (g - (g * p).sum(1, keepdims=True)))


def _case(subject: str, check: str, verdict: str, score: float, finding: FindingRecord) -> Case:
    return Case(subject, check, verdict=verdict, score=score, findings=[finding])


def _records(example: dict[str, Matrix]) -> dict[str, ArrayRecord]:
    return {name: ArrayRecord.of(value) for name, value in example.items()}


def _locate(finding: FindingRecord, right: Matrix, claim: Matrix) -> None:
    """The entry that is furthest off, and all others."""
    order = np.argsort(-np.abs(claim - right), axis=None)
    places = [
        np.unravel_index(int(k), right.shape) for k in order if claim.flat[k] != right.flat[k]
    ]
    for place in places:
        index = [int(i) for i in place]
        entry = WrongEntryRecord(index, float(right[place]), float(claim[place]))
        finding.evidence.wrong_entries.append(entry)
    worst = finding.evidence.wrong_entries[0]
    finding.index, finding.expected, finding.returned = worst.index, worst.expected, worst.returned


def _evidence(right: Matrix, claim: Matrix) -> Evidence:
    v = np.random.default_rng(3).choice([-1.0, 1.0], right.shape) * 0.75
    true, claimed = float((right * v).sum()), float((claim * v).sum())
    return Evidence(
        levels=_levels(true, abs(true) or 1.0),
        expected=ArrayRecord.of(right),
        returned=ArrayRecord.of(claim),
        claimed=claimed,
    )


def _levels(value: float, scale: float) -> list[LevelRecord]:
    """Central differences of order 8 of a smooth function, as float64 would have them."""
    levels = []
    for power in (-4, -9, -14, -19, -24, -29, -34, -39):
        h = 2.0**power
        truncation, noise = scale * 40 * h**8, scale * 11.67 * 1.1e-16 / h
        off = math.sin(power) * (truncation + noise / 10)
        levels.append(LevelRecord(h, value + off, truncation + noise / 30, noise))
    best = min(levels, key=lambda level: level.truncation + level.noise)
    best.chosen = True
    return levels


def _script(example: dict[str, Matrix], setup: str, call: str, oracle: str) -> str:
    arrays = "\n".join(f"{name} = np.array({value.tolist()})" for name, value in example.items())
    return (
        f"import numpy as np\n{setup}\n\n{arrays}\n\n{call}\n{oracle}\n"
        "np.testing.assert_allclose(returned, expected)\n"
    )
