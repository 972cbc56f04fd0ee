"""Windows that lie elsewhere: another stride or another dilation than forward's."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from gradcheck.diagnosis.evidence import Evidence
from gradcheck.diagnosis.explanation import Explanation
from gradcheck.diagnosis.words import axis
from gradcheck.judgement.problem import Judgement

# Place of tap k of window i: start + stride i + dilation k.
Layout = tuple[int, int, int]


def explain(evidence: Evidence, judgement: Judgement) -> Explanation | None:
    if evidence.is_complex or not evidence.one_output or np.iscomplexobj(evidence.outputs[0]):
        return None
    if not evidence.scene.is_linear(evidence.name) or not np.all(np.isfinite(evidence.true)):
        return None
    for where, true, claimed in (*_of_input(evidence), *_of_kernel(evidence)):
        due, given = _layout(true), _layout(claimed)
        if due is None or given is None or due == given:
            continue
        told = _difference(due, given)
        if told is not None:
            return Explanation(
                f"the gradient of `{evidence.name}` lays its windows {told} along {where}",
                "wrong windows",
                f"windows {told} along {where}",
                "stride, dilation and padding, in vjp as in forward",
            )
    return None


def _difference(due: Layout, given: Layout) -> str | None:
    for k, what in ((1, "stride"), (2, "dilation")):
        if due[k] != given[k] and due[3 - k] == given[3 - k]:
            return f"with {what} {given[k]} where forward has {what} {due[k]},"
    if due[0] != given[0] and due[1:] == given[1:]:
        return f"{given[0] - due[0]:+d} entries from where forward has them,"
    return None


Places = tuple[np.ndarray, np.ndarray]


def _of_input(evidence: Evidence) -> Iterator[tuple[str, Places, Places]]:
    """Where the nonzero elements of each row of the Jacobian stand, in one slice of it."""
    out, shape = evidence.outputs[0].shape, evidence.shape
    for a, b in product(range(len(out)), range(len(shape))):
        true = _slice(evidence.true, out, shape, a, b)
        claimed = _slice(evidence.claimed, out, shape, a, b)
        if true is None or claimed is None:
            continue
        first, second = _taps(true), _taps(claimed)
        if first is None or second is None or first[1].shape[1] != second[1].shape[1]:
            continue
        taps = first[2][0]  # the same in every window, or these are no windows
        if not all(np.allclose(rows, taps, 1e-6, 1e-9) for rows in (*first[2], *second[2])):
            continue
        yield axis(evidence.axes, b), _from_the_first(first), _from_the_first(second)


def _from_the_first(taps: tuple[np.ndarray, np.ndarray, np.ndarray]) -> Places:
    """Places of windows 0, 1, ... as those of the whole windows go on."""
    rows, places, _ = taps
    step = places[1] - places[0]
    return places - rows[0] * step, places >= 0


def _slice(
    table: np.ndarray, out: tuple[int, ...], shape: tuple[int, ...], a: int, b: int
) -> np.ndarray | None:
    rows = tuple(slice(None) if k == a else 0 for k in range(len(out)))
    columns = tuple(slice(None) if k == b else 0 for k in range(len(shape)))
    found = table.reshape(*out, *shape)[rows + columns]
    return found if min(found.shape) >= 3 and np.any(found) else None


def _taps(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Rows, columns and values of the nonzero elements, of rows that padding does not cut short."""
    used = np.abs(matrix) > 1e-12 * np.max(np.abs(matrix))
    counts = used.sum(axis=1)
    whole = np.flatnonzero(counts == counts.max())
    if len(whole) < 2 or np.any(np.diff(whole) != 1) or counts.max() > matrix.shape[1] // 2 + 1:
        return None
    places = np.nonzero(used[whole])[1].reshape(len(whole), -1)
    return whole, places, np.take_along_axis(matrix[whole], places, axis=1)


def _of_kernel(evidence: Evidence) -> Iterator[tuple[str, Places, Places]]:
    """Which entry of another input each element of the Jacobian is."""
    out, shape = evidence.outputs[0].shape, evidence.shape
    for other, value in evidence.scene.arrays.items():
        if other == evidence.name or not isinstance(value, np.ndarray) or value.ndim != 1:
            continue
        if value.dtype.kind != "f" or len(np.unique(value)) < len(value) or not len(value):
            continue
        for a, b in product(range(len(out)), range(len(shape))):
            rows = tuple(slice(None) if k == a else 0 for k in range(len(out)))
            columns = tuple(slice(None) if k == b else 0 for k in range(len(shape)))
            found = [
                _which(table.reshape(*out, *shape)[rows + columns], value)
                for table in (evidence.true, evidence.claimed)
            ]
            yield f"`{other}`", found[0], found[1]


def _which(matrix: np.ndarray, value: np.ndarray) -> Places:
    near = np.abs(matrix[..., None] - value)
    return near.argmin(-1), near.min(-1) <= 1e-7 * np.max(np.abs(value))


def _layout(found: Places) -> Layout | None:
    """Start, stride and dilation of a table of places, where they are what lays it out."""
    places, known = found
    if places.ndim != 2 or min(places.shape) < 2 or not np.all(known):
        return None
    stride, dilation = int(places[1, 0] - places[0, 0]), int(places[0, 1] - places[0, 0])
    i, k = np.indices(places.shape)
    if not stride or not dilation or np.any(places != places[0, 0] + stride * i + dilation * k):
        return None
    return int(places[0, 0]), stride, dilation
