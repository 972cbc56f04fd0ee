"""One factor too many or too few: the output, the input, or another input, once more or less."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck.diagnosis.evidence import Evidence
from gradcheck.diagnosis.explanation import Explanation
from gradcheck.judgement.problem import Judgement

# Fewer different factors than this would fit too much.
ENOUGH = 3


def explain(evidence: Evidence, judgement: Judgement) -> Explanation | None:
    if evidence.is_complex or not evidence.scene.is_linear(evidence.name):
        return None
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
