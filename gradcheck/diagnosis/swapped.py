"""The gradient of one input handed out as that of another."""

from __future__ import annotations

from gradcheck.diagnosis.elsewhere import fits
from gradcheck.diagnosis.evidence import Evidence, equal, explains
from gradcheck.diagnosis.explanation import Explanation
from gradcheck.judgement.problem import Judgement


def explain(evidence: Evidence, judgement: Judgement) -> Explanation | None:
    scene, name = evidence.scene, evidence.name
    for other in scene.names:
        if other == name or scene.claimed(other).shape != evidence.claimed.shape:
            continue
        theirs, error = scene.numerical(other)
        if equal(theirs, evidence.true) or not explains(
            theirs, evidence.claimed, evidence.true, error
        ):
            continue
        if equal(scene.claimed(other), evidence.true, evidence.error):
            first, second = sorted((name, other), key=scene.names.index)
            return Explanation(
                f"the gradients of `{first}` and `{second}` are swapped: "
                f"`{name}` gets the gradient of `{other}`",
                "gradients swapped",
                f"gradients of `{first}` and `{second}` swapped",
                "look at the order in which vjp returns or names its gradients",
            )
        if any(fits(evidence, {mask: ~value}) for mask, value in evidence.masks().items()):
            return None  # of two that a mask chooses between: the mask is the mistake
        return Explanation(
            f"the gradient of `{name}` is the gradient of `{other}`",
            "gradients swapped",
            f"`{name}` gets the gradient of `{other}`",
            f"{other} where {name} is meant",
        )
    return None
