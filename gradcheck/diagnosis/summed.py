"""The cotangent summed, averaged or cut to one number before use; the gradient spread evenly."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck.diagnosis.evidence import Evidence
from gradcheck.diagnosis.explanation import Explanation
from gradcheck.diagnosis.words import axis
from gradcheck.judgement.problem import Judgement

HINT = "use each entry of the cotangent where it belongs; sum only over axes that were broadcast"


def explain(evidence: Evidence, judgement: Judgement) -> Explanation | None:
    if evidence.is_complex or not evidence.one_output:
        return None
    if not evidence.scene.is_linear(evidence.name) or np.iscomplexobj(evidence.outputs[0]):
        return None
    out, name = evidence.outputs[0].shape, evidence.name
    rows = evidence.true.reshape(*out, -1)
    whole = tuple(range(len(out)))
    for said, table in _spread(rows, whole, ("",) * len(out)):
        if evidence.matches(table.reshape(evidence.claimed.shape)):
            text = f"the gradient of `{name}` uses {said} of the cotangent for all its entries"
            if said.startswith("what"):
                text = f"the gradient of `{name}` has the mean of the cotangent subtracted first"
            return Explanation(text, "cotangent summed", f"cotangent: {said}", HINT)
    columns = evidence.true.reshape(len(evidence.true), *evidence.shape)
    own = tuple(range(1, columns.ndim))
    for said, table in _spread(columns, own, ("", *evidence.axes)):
        if evidence.matches(table.reshape(evidence.claimed.shape)):
            text = f"every entry of the gradient of `{name}` is {said} of the right one"
            if said.startswith("what"):
                over = said.removeprefix("what is left of its mean")
                text = f"the gradient of `{name}` is the right one less its own mean{over}"
            return Explanation(text, "gradient summed", f"gradient: {said}", HINT)
    return None


def _spread(
    table: np.ndarray, axes: tuple[int, ...], names: tuple[str, ...]
) -> Iterator[tuple[str, np.ndarray]]:
    """The table summed or averaged over its axes together or one by one, and spread again."""
    groups = [(axes, "")]
    groups += [((a,), f" over {axis(names, a)}") for a in axes] if len(axes) > 1 else []
    for group, where in groups:
        if int(np.prod([table.shape[a] for a in group])) < 2:
            continue
        yield f"the mean{where}", np.broadcast_to(table.mean(group, keepdims=True), table.shape)
        yield f"the sum{where}", np.broadcast_to(table.sum(group, keepdims=True), table.shape)
        yield f"what is left of its mean{where}", table - table.mean(group, keepdims=True)
