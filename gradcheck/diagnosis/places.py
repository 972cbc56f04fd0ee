"""Where an array is wrong, as a rule in its indices that holds at other sizes too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gradcheck.diagnosis.words import axis

BLOCKS = (2, 3, 4, 8, 16, 32)


@dataclass(frozen=True)
class Rule:
    """key: the same rule at another shape; said: where that is; fault: the catalogue's name."""

    key: str
    said: str
    fault: str
    where: np.ndarray


def rules(shape: tuple[int, ...], names: Sequence[str]) -> Iterator[Rule]:
    """Every rule there is for this shape, simple ones first."""
    for k, size in enumerate(shape):
        if size > 1:
            yield from _of_axis(shape, k, axis(names, k))
    grid = np.indices(shape)
    for a in range(len(shape)):
        for b in range(a + 1, len(shape)):
            yield from _of_pair(grid[a], grid[b], axis(names, a), axis(names, b))
    yield from _flat(shape)


def _of_axis(shape: tuple[int, ...], k: int, name: str) -> Iterator[Rule]:
    size = shape[k]
    i = np.arange(size).reshape([-1 if j == k else 1 for j in range(len(shape))])

    def rule(key: str, said: str, fault: str, where: np.ndarray) -> Rule:
        return Rule(f"{k} {key}", said, fault, np.broadcast_to(where, shape))

    yield rule("first", f"at the first index of {name}", "wrong at first index", i == 0)
    yield rule("last", f"at the last index of {name}", "wrong at last index", i == size - 1)
    ends = (i == 0) | (i == size - 1)
    if size > 2:
        yield rule("ends", f"at both ends of {name}", "wrong at boundary index", ends)
        yield rule("inner", f"inside {name}, not at its ends", "wrong inside", ~ends)
        for k_ends in (2, 3) if size > 6 else ():
            said = f"at the first {k_ends} and the last {k_ends} indices of {name}"
            where = (i < k_ends) | (i >= size - k_ends)
            yield rule(f"ends {k_ends}", said, "wrong at boundary index", where)
        yield rule("second", f"at index 1 of {name}", "wrong at one index", i == 1)
    yield rule("rest", f"at all but the first index of {name}", "wrong after first index", i > 0)
    yield rule(
        "front", f"at all but the last index of {name}", "wrong before last index", i < size - 1
    )
    for block in BLOCKS:
        tail = size % block
        if tail and size > block:
            said = f"in the tail of {name}: its size modulo {block} entries at the end"
            yield rule(f"tail {block}", said, "wrong in the tail", i >= size - tail)
    yield rule("odd", f"at odd indices of {name}", "wrong at odd indices", i % 2 == 1)
    yield rule("even", f"at even indices of {name}", "wrong at even indices", i % 2 == 0)
    if size > 3:
        half = size // 2
        yield rule("second half", f"in the second half of {name}", "wrong in one half", i >= half)
        yield rule("first half", f"in the first half of {name}", "wrong in one half", i < half)
    for count in (2, 3, 4):
        for k_th in range(count if size % count == 0 and size > count else 0):
            block = size // count
            said = f"in part {k_th + 1} of {count} along {name}"
            where = (i >= k_th * block) & (i < (k_th + 1) * block)
            yield rule(f"part {k_th} of {count}", said, "wrong in one part", where)
    for start in range(2, min(size - 1, 17)):
        said = f"from index {start} of {name} on"
        yield rule(f"from {start}", said, "wrong from an index on", i >= start)


def _of_pair(i: np.ndarray, j: np.ndarray, a: str, b: str) -> Iterator[Rule]:
    pairs = (
        ("diagonal", f"on the diagonal of {a} and {b}", i == j),
        ("off diagonal", f"off the diagonal of {a} and {b}", i != j),
        ("above", f"above the diagonal of {a} and {b}", i < j),
        ("below", f"below the diagonal of {a} and {b}", i > j),
        ("upper", f"on and above the diagonal of {a} and {b}", i <= j),
        ("lower", f"on and below the diagonal of {a} and {b}", i >= j),
    )
    for key, said, where in pairs:
        yield Rule(
            f"{a}{b} {key}", said, _DIAGONAL.get(key, "wrong at one side of the diagonal"), where
        )


_DIAGONAL = {"diagonal": "wrong on the diagonal", "off diagonal": "wrong off the diagonal"}


def _flat(shape: tuple[int, ...]) -> Iterator[Rule]:
    count = int(np.prod(shape))
    if count < 2 or len(shape) < 2:
        return
    flat = np.arange(count).reshape(shape)
    first, last = "at the very first entry", "at the very last entry"
    yield Rule("flat first", first, "wrong at first index", flat == 0)
    yield Rule("flat last", last, "wrong at last index", flat == count - 1)
    grid = np.indices(shape)
    border = np.zeros(shape, dtype=bool)
    for k, size in enumerate(shape):
        border |= (grid[k] == 0) | (grid[k] == size - 1)
    yield Rule("border", "on the border", "wrong at boundary index", border)
    for block in BLOCKS:
        if count % block and count > block:
            said = f"in the tail: the entries beyond a multiple of {block}"
            tail = flat >= count - count % block
            yield Rule(f"flat tail {block}", said, "wrong in the tail", tail)


# Rules that an axis of three entries tells from all others.
OF_ENDS = ("first", "last", "ends", "inner", "rest", "front")


def telling(key: str, shapes: Sequence[Sequence[int]]) -> bool:
    """Whether one of these shapes is long enough to tell a rule on one axis from others."""
    number, _, rule = key.partition(" ")
    least = 3 if rule in OF_ENDS else 4
    return not number.isdigit() or any(shape[int(number)] >= least for shape in shapes)


def fitting(wrong: np.ndarray, known: np.ndarray, names: Sequence[str]) -> list[Rule]:
    """The rules that say exactly where `wrong` is, among the entries that are known."""
    if not (wrong & known).any() or not (~wrong & known).any():
        return []
    return [
        rule
        for rule in rules(wrong.shape, names)
        if np.array_equal(rule.where[known], wrong[known])
    ]


def standing(wrong: np.ndarray, known: np.ndarray, names: Sequence[str]) -> set[str]:
    """The rules, by key, that these entries do not refute, be they all wrong or all right."""
    return {
        rule.key
        for rule in rules(wrong.shape, names)
        if np.array_equal(rule.where[known], wrong[known])
    }
