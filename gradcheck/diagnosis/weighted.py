"""One factor too many or too few: the output, the input, or another input, once more or less."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from gradcheck.diagnosis.evidence import Evidence
from gradcheck.diagnosis.explanation import Explanation
from gradcheck.judgement.problem import Judgement

# Fewer different factors than this would fit too much.
ENOUGH = 3
# What gates and losses multiply with.
FUNCTIONS: tuple[tuple[str, Callable[[np.ndarray], np.ndarray]], ...] = (
    ("exp", np.exp),
    ("sigmoid", lambda v: 1 / (1 + np.exp(-v))),
    ("1 - sigmoid", lambda v: 1 / (1 + np.exp(v))),
    ("tanh", np.tanh),
    ("1 - tanh^2", lambda v: 1 - np.tanh(v) ** 2),
    ("sqrt", np.sqrt),
    ("log", np.log),
    ("sin", np.sin),
    ("cos", np.cos),
)


def explain(evidence: Evidence, judgement: Judgement) -> Explanation | None:
    if evidence.is_complex or not evidence.scene.is_linear(evidence.name):
        return None
    return _by_a_value(evidence) or _by_a_function(evidence)


def _by_a_function(evidence: Evidence) -> Explanation | None:
    """A gate or an exponential of an input, which one side has and the other has not."""
    true, name = evidence.true, evidence.name
    for what, value in _values(evidence):
        for called, function in FUNCTIONS:
            with np.errstate(all="ignore"):
                gate = function(value)
                if not _various(np.round(gate, 9)):
                    continue  # saturated: a mask, and no factor
                for said, changed in (
                    (f"multiplied by {called}({what}) once too often", true * gate),
                    (f"divided by {called}({what}) once too often", true / gate),
                ):
                    if evidence.matches(changed):
                        text = f"the gradient of `{name}` is {said}"
                        return Explanation(text, "wrong factor", said, f"{called} as a factor")
    return None


def _by_a_value(evidence: Evidence) -> Explanation | None:
    true, name = evidence.true, evidence.name
    used = (true != 0.0).astype(float)
    for what, value in _values(evidence):
        with np.errstate(all="ignore"):
            for said, hint, changed in (
                (f"multiplied by {what} once too often", f"{what} as a factor", true * value),
                (f"divided by {what} once too often", f"{what} as a divisor", true / value),
                (f"multiplied by the square of {what}", f"{what} as a factor", true * value**2),
                (f"divided by the square of {what}", f"{what} as a divisor", true / value**2),
            ):
                if evidence.matches(changed):
                    text = f"the gradient of `{name}` is {said}"
                    return Explanation(text, "wrong factor", said, hint)
        if used.size > used.sum() and evidence.matches(used * value):
            text = (
                f"the gradient of `{name}` has {what} itself as its factor, where forward has not"
            )
            return Explanation(text, "wrong factor", f"{what} as the factor")
    return None


def _values(evidence: Evidence) -> Iterator[tuple[str, np.ndarray]]:
    """Numbers that may have come in, each spread over the elements of the Jacobian."""
    scene = evidence.scene
    if evidence.one_output and not np.iscomplexobj(evidence.outputs[0]):
        output = evidence.outputs[0]
        if _various(output):
            yield "the output", output.reshape(-1, 1)
    for other, value in scene.arrays.items():
        if not (isinstance(value, np.ndarray) and value.dtype.kind == "f" and _various(value)):
            continue
        shapes = [(evidence.shape, (1, -1))]
        if evidence.one_output:
            shapes.append((evidence.outputs[0].shape, (-1, 1)))
        for shape, spread in shapes:
            if value.ndim <= len(shape) and value.shape == shape[len(shape) - value.ndim :]:
                yield f"`{other}`", np.broadcast_to(value, shape).reshape(spread)


def _various(value: np.ndarray) -> bool:
    return len(np.unique(np.abs(value))) >= ENOUGH
