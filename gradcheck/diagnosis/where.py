"""Right in most entries: where it is wrong, and how."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck.diagnosis import beyond, carried, fresh, outputs
from gradcheck.diagnosis.evidence import Evidence, TooSmall
from gradcheck.diagnosis.explanation import Explanation
from gradcheck.diagnosis.places import Rule, fitting, rules, standing, telling
from gradcheck.diagnosis.words import TIME, factor
from gradcheck.judgement.problem import Judgement

# Among fewer entries all may be wrong by chance.
LEAST = 12


def explain(evidence: Evidence, judgement: Judgement) -> Explanation | None:
    wrong, known = wrong_entries(evidence)
    if not (wrong & known).any():
        return None
    told = _inverted(evidence)
    if told is not None:
        return told
    if not (~wrong & known).any():
        told = outputs.of_some(evidence)
        if told is None and evidence.array.size < LEAST:
            raise TooSmall
        return told
    told = _leak(evidence, wrong) or _by_index(evidence) or place(evidence)
    told = told or _value(evidence, wrong, known)
    return told or outputs.of_some(evidence)


def _leak(evidence: Evidence, wrong: np.ndarray) -> Explanation | None:
    """Exactly entries that a mask drops have a gradient, where they should have none."""
    for other, kept in _kept(evidence):
        if np.any(wrong & kept) or not np.any(wrong) or np.any(_live(evidence) & ~kept):
            continue
        return Explanation(
            f"the gradient of `{evidence.name}` is not zero at entries that `{other}` masks: "
            "masked entries leak into it",
            "mask leak",
            f"mask leak: `{other}`",
            f"multiply by {other}, or fill with zeros, in vjp as in forward",
        )
    return None


def _inverted(evidence: Evidence) -> Explanation | None:
    """Exactly the entries that a mask drops have a gradient, and those that it keeps have none."""
    given = np.any(evidence.claimed != 0.0, axis=0)
    if evidence.is_complex:
        given = given.reshape(2, -1).any(axis=0)
    given, due = given.reshape(evidence.shape), _live(evidence)
    for other, kept in _kept(evidence):
        if np.any(given & kept) or np.any(due & ~kept) or not np.any(given):
            continue
        return Explanation(
            f"the gradient of `{evidence.name}` is zero where `{other}` keeps an entry, and not "
            "zero where it drops one: the mask is inverted",
            "mask inverted",
            f"mask inverted: `{other}`",
            f"~{other}, or a mask that means the opposite",
        )
    return None


def _by_index(evidence: Evidence) -> Explanation | None:
    """Exactly the entries that belong to one value of an integer input: padding, a label."""
    seen = (evidence, *evidence.more(), *evidence.right())
    for other, value in evidence.integers().items():
        if not value.ndim or value.shape != evidence.shape[: value.ndim]:
            continue
        for k in np.unique(value):
            if not all(_alone(e, other, int(k)) for e in seen):
                continue
            return Explanation(
                f"the gradient of `{evidence.name}` {_everywhere(evidence)} where `{other}` is "
                f"{k}, and right elsewhere",
                f"wrong where an index is {k}",
                f"wrong where `{other}` is {k}",
                "an index that is ignored, in vjp as in forward: padding, a label left out",
            )
    return None


def _alone(evidence: Evidence, other: str, k: int) -> bool:
    """Whether wrong are the entries at which an integer input is k, and no others.

    Of a slice that belongs to one index half will do: what is small there is right by chance.
    """
    wrong, known = wrong_entries(evidence)
    at = np.asarray(evidence.scene.arrays[other]) == k
    slices = (known & ~wrong).reshape(*at.shape, -1)
    if np.any(~at & np.any((known & wrong).reshape(slices.shape), axis=-1)):
        return False
    return bool(np.all(2 * slices[at].sum(axis=-1) <= slices.shape[-1]))


def _kept(evidence: Evidence) -> Iterator[tuple[str, np.ndarray]]:
    """Which entries each mask keeps that lies along the first axes of the input, or the last."""
    shape = evidence.shape
    for other, mask in evidence.masks().items():
        item = evidence.scene.inputs.get(other)
        kept = mask if getattr(item, "true", "keep") == "keep" else ~mask
        if not mask.ndim or mask.ndim > len(shape):
            continue
        if mask.shape == shape[: mask.ndim]:
            spread = kept.reshape(*mask.shape, *(1,) * (len(shape) - mask.ndim))
            yield other, np.broadcast_to(spread, shape)
        elif mask.shape == shape[len(shape) - mask.ndim :]:
            yield other, np.broadcast_to(kept, shape)


def wrong_entries(evidence: Evidence) -> tuple[np.ndarray, np.ndarray]:
    """Entries of the input whose column of the Jacobian is off, and those that were measured."""
    true, claimed = evidence.true, evidence.claimed
    known = np.isfinite(true)
    scale = float(np.max(np.abs(true[known]), initial=0.0))
    allowed = 1e-7 * scale + 30 * np.where(known, evidence.error, 0.0)
    off = (known & (np.abs(true - claimed) > allowed)).any(axis=0)
    measured = known.all(axis=0)
    if evidence.is_complex:
        off, measured = off.reshape(2, -1).any(axis=0), measured.reshape(2, -1).all(axis=0)
    return off.reshape(evidence.shape), measured.reshape(evidence.shape)


def _telling(evidence: Evidence) -> tuple[np.ndarray, np.ndarray]:
    """The same without entries that are zero in truth and claim: they are right in any place."""
    wrong, known = wrong_entries(evidence)
    given = np.any(evidence.claimed != 0.0, axis=0)
    if evidence.is_complex:
        given = given.reshape(2, -1).any(axis=0)
    return wrong, known & (wrong | _live(evidence) | given.reshape(evidence.shape))


def _live(evidence: Evidence) -> np.ndarray:
    """Entries whose true gradient is not zero, nor rounding, for every cotangent."""
    known = np.isfinite(evidence.true)
    live = (known & (np.abs(evidence.true) > np.where(known, evidence.error, 0.0))).any(axis=0)
    if evidence.is_complex:
        live = live.reshape(2, -1).any(axis=0)
    return np.asarray(live.reshape(evidence.shape))


def what(evidence: Evidence, wrong: np.ndarray) -> str:
    """What stands in the wrong entries: zero, minus, a multiple, NaN."""
    columns = np.flatnonzero(wrong.ravel())
    if evidence.is_complex:
        columns = np.concatenate([columns, columns + wrong.size])
    true, claimed = evidence.true[:, columns], evidence.claimed[:, columns]
    if not np.all(np.isfinite(claimed)):
        return "is not finite"
    if not np.any(claimed):
        return "is zero"
    if not np.any(true):
        return "should be zero and is not"
    c = float(np.sum(true * claimed) / np.sum(true * true))
    if c and np.allclose(claimed, c * true, rtol=1e-6, atol=1e-7 * np.max(np.abs(true))):
        return "has the wrong sign" if abs(c + 1) < 1e-6 else f"is scaled by {factor(c)}"
    return "is wrong"


def _everywhere(evidence: Evidence) -> str:
    """What stands in the wrong entries, if it is the same at every example."""
    told = {what(e, wrong_entries(e)[0]) for e in (evidence, *evidence.more())}
    return told.pop() if len(told) == 1 else "is wrong"


def place(evidence: Evidence) -> Explanation | None:
    """A rule in the indices that holds at every example, also at those where all is right."""
    wrong, known = _telling(evidence)
    if not (wrong & known).any() or not (~wrong & known).any():
        return None
    found = {rule.key: rule for rule in fitting(wrong, known, evidence.axes)}
    shapes = [e.shape for e in (evidence, *evidence.more(), *evidence.right())]
    found = {key: rule for key, rule in found.items() if telling(key, shapes)}
    for other in evidence.more():
        there = {rule.key for rule in fitting(*_telling(other), other.axes)}
        found = {key: rule for key, rule in found.items() if key in there}
    for other in evidence.right():
        live = _live(other)
        clash = {r.key for r in rules(other.shape, other.axes) if np.any(r.where & live)}
        found = {key: rule for key, rule in found.items() if key not in clash}
    if not np.all(known):  # other numbers use other entries: is the rule theirs as well?
        for other in fresh.redrawn(evidence) if found else ():
            stand = standing(*_telling(other), other.axes)
            found = {key: rule for key, rule in found.items() if key in stand}
    if not found:
        return _single(evidence, wrong)
    rule = next(iter(found.values()))
    how = _everywhere(evidence)
    number, _, rest = rule.key.partition(" ")
    steps = int(number) if rest == "front" and evidence.axes[int(number)] in TIME else None
    if how == "is wrong" and steps is not None and carried.from_later_steps(evidence, steps):
        return _sent_back(evidence, rule, steps)
    if how == "is zero" and _back_in_time(evidence, rule.key):
        return Explanation(
            f"the gradient of `{evidence.name}` is truncated through time: it is zero {rule.said}, "
            "and right elsewhere",
            "truncated through time",
            f"truncated through time: zero {rule.said}",
            "carry the gradient of the state from each step to the one before",
        )
    return Explanation(
        f"the gradient of `{evidence.name}` {how} {rule.said}, and right elsewhere",
        rule.fault,
        f"wrong {rule.said}",
        _HINTS.get(rule.fault, "a slice or a loop bound"),
        {"rule": rule.key},
    )


def _sent_back(evidence: Evidence, rule: Rule, axis: int) -> Explanation:
    """What later steps send back is not zero, and wrong."""
    said = carried.missing(evidence, axis)
    hint = "the gradient of the state, carried from each step to the one before"
    if said is not None:
        return Explanation(
            f"the gradient of `{evidence.name}` is truncated through time: of what later steps "
            f"send back, {said}",
            "truncated through time",
            f"truncated through time: {said}",
            hint,
        )
    return Explanation(
        f"the gradient of `{evidence.name}` is wrong {rule.said}: what later steps send back "
        "is wrong",
        rule.fault,
        f"wrong {rule.said}",
        hint,
        {"rule": rule.key},
    )


def _back_in_time(evidence: Evidence, key: str) -> bool:
    """All but the last step, of an axis that is called time and that the output has not."""
    number, _, rule = key.partition(" ")
    if rule != "front" or not number.isdigit() or evidence.axes[int(number)] not in TIME:
        return False
    return evidence.one_output and evidence.outputs[0].ndim < len(evidence.shape)


def _single(evidence: Evidence, wrong: np.ndarray) -> Explanation | None:
    """One entry alone, the same at every example."""
    index = np.argwhere(wrong)
    if len(index) != 1:
        return None
    for other in evidence.more():
        if not np.array_equal(np.argwhere(wrong_entries(other)[0]), index):
            return None
    for other in evidence.right():
        inside = all(i < n for i, n in zip(index[0], other.shape, strict=True))
        if inside and _live(other)[tuple(index[0])]:
            return None
    at = ", ".join(map(str, index[0]))
    how = what(evidence, wrong)
    return Explanation(
        f"the gradient of `{evidence.name}` {how} in one entry, `{evidence.name}[{at}]`",
        "one wrong entry",
        f"{how} at [{at}]",
        "an index that is written out",
    )


def _value(evidence: Evidence, wrong: np.ndarray, known: np.ndarray) -> Explanation | None:
    """Wrong where the entry itself, or its magnitude, lies beyond a bound or between two."""
    if evidence.is_complex or known.sum() < 6:
        return None
    seen = [beyond.Seen(evidence, wrong, known)]
    for other in (*evidence.more(), *evidence.right()):
        seen.append(beyond.Seen(other, *wrong_entries(other)))
    return beyond.explain(seen, _everywhere(evidence), lambda: list(_fresh(seen)))


def _fresh(seen: list[beyond.Seen]) -> Iterator[beyond.Seen]:
    """The same sizes with other numbers."""
    for s in seen:
        scene = s.evidence.scene.again({}) if s.evidence.scene.again is not None else None
        if scene is not None:
            there = s.evidence.at(scene)
            yield beyond.Seen(there, *wrong_entries(there))


_HINTS = {
    "wrong in the tail": "a block loop (n // k) that leaves the remainder out",
    "wrong at first index": "a range or a slice that starts at 1",
    "wrong at last index": "a range or a slice that stops one too early",
    "wrong at boundary index": "look at padding, and at the first and last step of a loop",
}
