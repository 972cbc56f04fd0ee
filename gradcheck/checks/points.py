"""Other points of a case, for laws that compare two of them: other numbers, generic, larger."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from gradcheck.adapters.probing import sizes_from
from gradcheck.case import Case
from gradcheck.examples import Example, arrays_of, canonical, reseeded
from gradcheck.inputs import Array, Constant
from gradcheck.values import Fill


def other(case: Case) -> Case | None:
    """Other numbers of the same shapes. None where the shapes do not tell the sizes."""
    example = _described(case)
    return None if example is None else _at(case, reseeded(example, 7919))


def generic(case: Case) -> Case | None:
    """Real inputs of the same shapes at numbers without ties; all else, cotangents too, as it is.

    None where the shapes do not tell the sizes.
    """
    example = _described(case)
    if example is None:
        return None
    fills = tuple((name, Fill("generic", 0, how.seed + 6151)) for name, how in example.fills)
    there = _at(case, replace(example, fills=fills))
    real = (name for name, item in case.subject.inputs.items() if isinstance(item, Array))
    numbers = {**case.numbers, **{name: there.numbers[name] for name in real}}
    return replace(there, numbers=numbers, given_cotangent=case.numpy_cotangents())


def larger(case: Case) -> Case | None:
    """The largest of the examples that a run begins with; None where it is no larger than this."""

    def size(example: Example) -> int:
        sizes = dict(example.sizes)
        shapes = [item.shape.sizes(sizes, example.leading) for item in case.subject.inputs.values()]
        return sum(map(math.prod, shapes))

    example = _described(case)
    if example is None:
        return None
    largest = max(canonical(case.subject, example.seed), key=size, default=example)
    return _at(case, largest) if size(largest) > size(example) else None


def _at(case: Case, example: Example) -> Case:
    numbers = arrays_of(case.subject, example)
    return replace(case, example=example, numbers=numbers, given_cotangent=None)


def _described(case: Case) -> Example | None:
    """The example of a case; where its arrays were given, one of the same shapes."""
    if case.example.fills:
        return case.example
    inputs = case.subject.inputs
    sizes = sizes_from({name: item.shape for name, item in inputs.items()}, case.numbers)
    fills = tuple(
        (name, Fill("generic" if isinstance(item, Array) else "random", 0, case.example.seed + k))
        for k, (name, item) in enumerate(inputs.items())
        if not isinstance(item, Constant)
    )
    if not set(sizes) >= set(case.subject.dimension_names):
        return None
    found = Example(tuple(sizes.items()), _leading(case), fills, case.example.seed)
    made = arrays_of(case.subject, found)
    same = all(np.shape(made[name]) == np.shape(case.numbers[name]) for name, _ in fills)
    return found if same else None


def _leading(case: Case) -> tuple[int, ...]:
    """The axes that `...` stands for in given arrays: those of the input that has the most."""
    axes = [
        np.shape(case.numbers[name])[: np.ndim(case.numbers[name]) - len(item.shape.dimensions)]
        for name, item in case.subject.inputs.items()
        if item.shape.leading
    ]
    return max(axes, key=len, default=())


__all__ = ["generic", "larger", "other"]
