"""The right numbers in the wrong places: transposed, rolled, flipped, permuted, shifted."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from gradcheck.diagnosis.evidence import Evidence, equal
from gradcheck.diagnosis.explanation import Explanation
from gradcheck.diagnosis.words import axis, listed
from gradcheck.judgement.problem import Judgement

Move = tuple[str, str, np.ndarray]


def explain(evidence: Evidence, judgement: Judgement) -> Explanation | None:
    if evidence.is_complex or not evidence.scene.is_linear(evidence.name):
        return None
    true, claimed = evidence.true, evidence.claimed
    name = evidence.name
    table = true.reshape(len(true), *evidence.shape)
    for fault, said, moved in moves(table, 1, evidence.axes):
        if evidence.matches(moved.reshape(claimed.shape)):
            return _told(name, fault, f"the gradient of `{name}` is {said}", said)
    if not evidence.one_output or np.iscomplexobj(evidence.outputs[0]):
        return _permuted(evidence)
    shape = evidence.outputs[0].shape
    table = true.reshape(*shape, -1)
    for fault, said, moved in moves(table, 0, ("",) * len(shape), len(shape)):
        if evidence.matches(moved.reshape(claimed.shape)):
            text = f"the gradient of `{name}` takes the cotangent {said}"
            return _told(name, fault, text, f"cotangent {said}")
    if true.shape[0] == true.shape[1] and evidence.matches(true.T):
        if np.all((np.abs(true) > 1e-9).sum(axis=0) == 1) and evidence.outputs[0].size > 2:
            text = f"the gradient of `{name}` is permuted the wrong way round"
            return _told(name, "permuted", text, "inverse permutation")
        text = f"the gradient of `{name}` is the Jacobian times the cotangent, not its transpose"
        return _told(name, "transposed", text, "Jacobian not transposed")
    return _permuted(evidence) or _not_put_back(evidence)


def _not_put_back(evidence: Evidence) -> Explanation | None:
    """The cotangent as it came, of a forward that only changes the order of entries."""
    true, claimed, name = evidence.true, evidence.claimed, evidence.name
    if true.shape[0] != true.shape[1] or not np.array_equal(claimed, np.eye(len(claimed))):
        return None
    order = np.round(np.nan_to_num(true))
    moved = np.all(np.sum(order == 1, axis=0) == 1) and np.all(np.sum(order == 1, axis=1) == 1)
    if not moved or np.count_nonzero(order) != len(order) or not equal(order, true):
        return None
    if np.array_equal(order, claimed):
        return None
    text = f"the gradient of `{name}` is the cotangent in the order of the output, not put back"
    return _told(name, "permuted", text, "not put back")


def _told(name: str, fault: str, text: str, cause: str) -> Explanation:
    return Explanation(text, fault, f"{fault}: {cause}", _HINTS.get(fault, ""))


def moves(
    table: np.ndarray, first: int, names: tuple[str, ...], last: int | None = None
) -> Iterator[Move]:
    """Fault, words and result of every move of the axes from `first` up to `last`."""
    axes = range(first, table.ndim if last is None else last)
    named = {a: axis(names, a - first) for a in axes}
    for a, b in combinations(axes, 2):
        pair = f"{named[a]} and {named[b]}"
        swapped = np.swapaxes(table, a, b)
        if table.shape[a] == table.shape[b]:
            yield "transposed", f"transposed: {pair} are exchanged", swapped
        else:
            said = f"transposed: {pair} are exchanged, then reshaped"
            yield "transposed", said, swapped.reshape(table.shape)
    for a in axes:
        size = table.shape[a]
        for shift in range(1, min(size - 1, 3) + 1) if size > 2 else ():
            for signed in (shift, -shift):
                yield from _shifted(table, a, signed, named[a])
        if size > 1:
            yield "flipped", f"flipped along {named[a]}", np.flip(table, a)
    long = [a for a in axes if table.shape[a] > 1]
    for count in range(len(long), 1, -1):
        for along in combinations(long, count):
            where = listed([named[a] for a in along])
            said = f"flipped along {where if count < len(long) else 'every axis'}"
            yield "flipped", said, np.flip(table, along)


def _shifted(table: np.ndarray, a: int, signed: int, name: str) -> Iterator[Move]:
    """Zeros moved in, the end repeated, or wrapped round."""
    size, shift = table.shape[a], abs(signed)
    rolled = np.roll(table, signed, a)
    hole = [slice(None)] * table.ndim
    hole[a] = slice(0, shift) if signed > 0 else slice(-shift, None)
    empty = rolled.copy()
    empty[tuple(hole)] = 0.0
    fault = "off by one" if shift == 1 else "off by some"
    text = "off by one" if shift == 1 else f"off by {shift}"
    yield fault, f"{text} along {name}: shifted by {signed}, zeros moved in", empty
    yield "rolled", f"rolled by {signed} along {name}", rolled
    if size - shift >= 3:  # what moves in comes from beyond the array, as of padding
        beyond = rolled.copy()
        beyond[tuple(hole)] = np.nan
        yield fault, f"{text} along {name}: shifted by {signed}", beyond
    if shift == 1:
        clamped = np.take(table, np.clip(np.arange(size) - signed, 0, size - 1), a)
        yield fault, f"off by one along {name}: index i holds the value of i {-signed:+d}", clamped


def _permuted(evidence: Evidence) -> Explanation | None:
    """Whole slices along one axis stand in another order."""
    table = evidence.true.reshape(len(evidence.true), *evidence.shape)
    claimed = evidence.claimed.reshape(table.shape)
    name = evidence.name
    for a in range(1, table.ndim):
        found = _order(table, claimed, a)
        if found is None:
            continue
        if not evidence.matches(np.take(table, found, a).reshape(evidence.claimed.shape)):
            continue
        where = axis(evidence.axes, a - 1)
        blocks = _blocks(found, evidence.axes[a - 1])
        if blocks is not None:
            said = f"{blocks} along {where} swapped"
            return _told(name, "permuted", f"the gradient of `{name}` has {said}", said)
        text = f"the gradient of `{name}` stands in another order along {where}"
        return _told(name, "permuted", text, f"along {where}")
    return None


def _order(table: np.ndarray, claimed: np.ndarray, a: int) -> list[int] | None:
    """The slice of the truth that each slice of the claim is, where that is another order."""
    size = table.shape[a]
    if size < 3:
        return None
    wanted = [_slice(table, a, i) for i in range(size)]
    given = [_slice(claimed, a, i) for i in range(size)]
    order = [[i for i in range(size) if np.allclose(g, wanted[i], 1e-7)] for g in given]
    if any(len(o) != 1 for o in order):
        return None
    found = [o[0] for o in order]
    return found if sorted(found) == list(range(size)) and found != list(range(size)) else None


def _blocks(order: list[int], declared: str) -> str | None:
    """Two of the equal parts that an axis such as `4*units` is made of, exchanged."""
    count = declared.split("*")[0].strip()
    if not count.isdigit() or len(order) % int(count):
        return None
    parts = np.array(order).reshape(int(count), -1)
    size = parts.shape[1]
    if np.any(np.diff(parts, axis=1) != 1) or np.any(parts[:, 0] % size):
        return None
    moved = np.flatnonzero(parts[:, 0] // size != np.arange(int(count)))
    if len(moved) != 2:
        return None
    return f"parts {moved[0] + 1} and {moved[1] + 1} of {count}"


def _slice(table: np.ndarray, a: int, i: int) -> np.ndarray:
    return np.asarray(np.take(table, i, a))


_HINTS = {
    "transposed": "a .T, a swapped pair of axes, or a product in the wrong order",
    "rolled": "an index that is shifted, or np.roll the wrong way round",
    "off by one": "a slice that starts or ends one entry too early or too late",
    "flipped": "a [::-1] that is missing or one too many, such as a kernel not flipped",
    "off by some": "a slice that starts or ends at the wrong entry",
    "permuted": "a permutation where its inverse is needed (argsort against its inverse)",
}
