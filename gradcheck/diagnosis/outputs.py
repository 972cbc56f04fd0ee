"""Right for most outputs: what comes from some of them is wrong, and from which."""

from __future__ import annotations

import numpy as np

from gradcheck.diagnosis import fresh
from gradcheck.diagnosis.evidence import Evidence
from gradcheck.diagnosis.explanation import Explanation
from gradcheck.diagnosis.places import Rule, fitting, standing, telling
from gradcheck.diagnosis.words import factor

# So many wrong outputs follow a rule for a reason.
FEW = 3


def of_some(evidence: Evidence) -> Explanation | None:
    """A rule in the output's indices that holds at every example."""
    if evidence.is_complex or not evidence.one_output or np.iscomplexobj(evidence.outputs[0]):
        return None
    if not evidence.outputs[0].ndim or not evidence.scene.is_linear(evidence.name):
        return None
    names = output_axes(evidence)
    found = _rules(evidence, names)
    for other in evidence.more():
        there = {rule.key for rule in _rules(other, ("",) * len(names))}
        found = [rule for rule in found if rule.key in there]
    shapes = [e.outputs[0].shape for e in (evidence, *evidence.more())]
    found = [rule for rule in found if telling(rule.key, shapes)]
    # Few wrong outputs lie anywhere by chance, and elsewhere at other numbers.
    few = min(int(np.sum(_rows(e)[0])) for e in (evidence, *evidence.more())) < FEW
    for other in fresh.redrawn(evidence) if found and few else ():
        wrong, used = _rows(other)
        shape = other.outputs[0].shape
        stand = standing(wrong.reshape(shape), used.reshape(shape), names)
        found = [rule for rule in found if rule.key in stand]
    if not found:
        return None
    rule, how = found[0], _what(evidence)
    return Explanation(
        f"the gradient of `{evidence.name}` is wrong in what comes from outputs {rule.said}: that "
        f"{how}",
        rule.fault,
        f"outputs wrong: {rule.key}",
        "how vjp treats those outputs: a border, a last block, a padded window",
        {"rule": rule.key},
    )


def output_axes(evidence: Evidence) -> tuple[str, ...]:
    """Names of the output's axes, where one dimension alone has that size at every example."""
    seen = (evidence, *evidence.more())
    names = []
    for a in range(evidence.outputs[0].ndim):
        fits = [
            {d for d, n in e.sizes.items() if n == e.outputs[0].shape[a]}
            for e in seen
            if e.outputs[0].ndim > a
        ]
        common = set.intersection(*fits)
        name = common.pop() if len(common) == 1 else ""
        sizes = {e.outputs[0].shape[a] for e in seen if e.outputs[0].ndim > a}
        # An axis of fixed size may meet by chance the size of one that the input alone has, and
        # any axis that of another at two examples, if it stands elsewhere.
        few = len(sizes) == 1 or (len(seen) < 3 and a not in _positions(evidence, name))
        names.append("" if name in evidence.axes and len(seen) > 1 and few else name)
    return tuple(names)


def _positions(evidence: Evidence, name: str) -> list[int]:
    """Where an axis of this name stands in the input, counted from the front and from the end."""
    last = evidence.outputs[0].ndim - len(evidence.axes)
    found = [k for k, own in enumerate(evidence.axes) if own == name]
    return found + [k + last for k in found]


def _rules(evidence: Evidence, names: tuple[str, ...]) -> list[Rule]:
    wrong, used = _rows(evidence)
    shape = evidence.outputs[0].shape
    return fitting(wrong.reshape(shape), used.reshape(shape), names)


def _rows(evidence: Evidence) -> tuple[np.ndarray, np.ndarray]:
    """Outputs whose contribution is wrong, and those that have one or are given one."""
    true, claimed = evidence.true, evidence.claimed
    known = np.isfinite(true)
    scale = float(np.max(np.abs(true[known]), initial=0.0))
    off = known & (np.abs(true - claimed) > 1e-7 * scale + 30 * evidence.error)
    used = known & ((np.abs(true) > 1e-9 * scale) | (np.abs(claimed) > 1e-9 * scale))
    return off.any(axis=1), used.any(axis=1) & known.all(axis=1)


def _what(evidence: Evidence) -> str:
    told = set()
    for e in (evidence, *evidence.more()):
        wrong, used = _rows(e)
        true, claimed = e.true[wrong & used], e.claimed[wrong & used]
        c = float(np.sum(true * claimed) / max(np.sum(true * true), 1e-300))
        fits = np.allclose(claimed, c * true, rtol=1e-6, atol=1e-7 * np.max(np.abs(true)))
        told.add(f"is scaled by {factor(c)}" if fits and c else "is missing" if fits else "")
    said = told.pop() if len(told) == 1 else ""
    return said or "is not what forward does there"
