"""Nested inputs and outputs: tuples, lists, dicts and dataclasses of arrays, flattened by name."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from gradcheck.dimensions import shape_of
from gradcheck.inputs import Constant, Input, as_inputs, constant

Build = Callable[[Mapping[str, Any]], dict[str, Any]]


def declare(inputs: Mapping[str, Any], owner: str) -> tuple[dict[str, Input], Build]:
    """Flat declarations of nested inputs, and what puts arrays back into the containers.

    A dict, or a tuple or list holding an input declaration, is a container: its members become
    inputs `name.key`. Flags, numbers and None become constants.
    """
    flat: dict[str, Any] = {}
    trees = {name: _flatten_input(name, value, flat) for name, value in inputs.items()}
    declared = as_inputs(flat, owner) if flat else {}

    def build(arrays: Mapping[str, Any]) -> dict[str, Any]:
        # A parameter that is declared for its bounds is no argument: it may be missing here.
        there = {n: t for n, t in trees.items() if not isinstance(t, _Leaf) or t in arrays}
        return {name: _rebuild(tree, arrays) for name, tree in there.items()}

    return declared, build


def leaves(value: Any) -> Iterator[Any]:
    """The leaves of nested containers, left to right; dicts in their own order."""
    if isinstance(value, Mapping):
        for member in value.values():
            yield from leaves(member)
    elif isinstance(value, tuple | list):
        for member in value:
            yield from leaves(member)
    elif is_dataclass(value) and not isinstance(value, type):
        for entry in fields(value):
            yield from leaves(getattr(value, entry.name))
    else:
        yield value


def outputs(returned: Any) -> Any:
    """What a forward returned as the core takes it: bare where bare, else one flat tuple."""
    if is_container(returned):
        return tuple(leaf for leaf in leaves(returned) if not isinstance(leaf, str))
    return returned


def as_numpy(value: Any) -> Any:
    """Outputs as NumPy has them: from a number, a list of numbers, arrays of another library."""
    own = isinstance(value, np.ndarray | np.generic)
    if isinstance(value, float | list) or (not own and hasattr(value, "__array__")):
        return np.asarray(value)
    found = outputs(value)
    return tuple(map(as_numpy, found)) if isinstance(found, tuple) else found


def is_container(value: Any) -> bool:
    return isinstance(value, Mapping | tuple | list) or (
        is_dataclass(value) and not isinstance(value, type)
    )


def _flatten_input(name: str, value: Any, flat: dict[str, Any]) -> Any:
    if isinstance(value, Mapping):
        return {key: _flatten_input(f"{name}.{key}", v, flat) for key, v in value.items()}
    if isinstance(value, tuple | list) and any(map(_is_declared, value)):
        made = [_flatten_input(f"{name}.{k}", v, flat) for k, v in enumerate(value)]
        return tuple(made) if isinstance(value, tuple) else made
    flat[name] = constant(value) if isinstance(value, bool | float) or callable(value) else value
    return _Leaf(name)


def _is_declared(member: Any) -> bool:
    if isinstance(member, Sequence) and not isinstance(member, str):
        return any(map(_is_declared, member))
    # A text of several axes is a shape of its own, not an axis.
    several = isinstance(member, str) and len(shape_of(member).dimensions) > 1
    return several or isinstance(member, Input | Mapping)


class _Leaf(str):
    """The name of an input that stands at this place of a container."""


def _rebuild(tree: Any, arrays: Mapping[str, Any]) -> Any:
    if isinstance(tree, _Leaf):
        return _fresh(arrays[tree])
    if isinstance(tree, dict):
        return {key: _rebuild(member, arrays) for key, member in tree.items()}
    made = [_rebuild(member, arrays) for member in tree]
    return tuple(made) if isinstance(tree, tuple) else made


def _fresh(value: Any) -> Any:
    """Options, or a generator, of its own for every call: layers keep running figures in them."""
    if isinstance(value, dict):
        return {key: _fresh(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_fresh(member) for member in value]
    if isinstance(value, np.random.Generator | np.random.RandomState | random.Random):
        return copy.deepcopy(value)
    return value


def constants(declared: Mapping[str, Input]) -> dict[str, Any]:
    return {name: item.value for name, item in declared.items() if isinstance(item, Constant)}
