"""Copies of a user's object, its arrays wherever they hang, and snapshots to go back to."""

from __future__ import annotations

import copy
import random
import types
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

_OPAQUE = (type, types.ModuleType, types.FunctionType, types.MethodType, types.BuiltinFunctionType)
_LEAVES = (str, bytes, int, float, complex, bool, type(None), np.generic, np.dtype)
_GENERATORS = (np.random.Generator, np.random.RandomState, random.Random)


def working_copy(obj: Any) -> Any:
    """A copy to work on: the user's object stays as it is. What cannot be copied is shared."""
    try:
        return copy.deepcopy(obj)
    except Exception:  # noqa: BLE001 - locks, files, generators: copy what can be copied
        made = copy.copy(obj)
        for key, value in vars(obj).items():
            try:
                setattr(made, key, copy.deepcopy(value))
            except Exception:  # noqa: BLE001
                setattr(made, key, value)
        return made


@dataclass(frozen=True)
class Place:
    """Somewhere a value hangs: an attribute, a list position or a dict entry. path is readable."""

    owner: Any
    key: Any
    path: str

    def get(self) -> Any:
        return (
            self.owner[self.key]
            if isinstance(self.owner, dict | list)
            else attributes(self.owner).get(self.key)
        )

    def set(self, value: Any) -> None:
        if isinstance(self.owner, dict | list):
            self.owner[self.key] = value
        else:
            object.__setattr__(self.owner, self.key, value)


def places(root: Any) -> Iterator[tuple[Place, Any]]:
    """Every (place, value) reachable from an object's attributes, lists and dicts, each once."""
    seen: set[int] = set()
    waiting: list[tuple[Any, str]] = [(root, "")]
    while waiting:
        owner, path = waiting.pop(0)
        if id(owner) in seen or isinstance(owner, (*_OPAQUE, *_LEAVES, np.ndarray, *_GENERATORS)):
            continue
        seen.add(id(owner))
        for key, value in _members(owner):
            here = f"{path}.{key}" if path else str(key)
            yield Place(owner, key, here), value
            waiting.append((value, here))


def loosen(work: Any) -> None:
    """Make lists of the tuples of arrays that a copy holds: parameters in them can be set then."""
    for place, value in list(places(work)):
        loose = type(value) is tuple and any(isinstance(v, np.ndarray) for v in value)
        if loose and not isinstance(place.owner, tuple):
            place.set(list(value))


def _members(owner: Any) -> list[tuple[Any, Any]]:
    if isinstance(owner, dict):
        return list(owner.items())
    if isinstance(owner, list | tuple):
        return list(enumerate(owner))
    return list(attributes(owner).items())


def attributes(owner: Any) -> dict[str, Any]:
    """Instance attributes, slots among them."""
    found = dict(getattr(owner, "__dict__", {}))
    for kind in type(owner).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__") and hasattr(owner, name):
                found.setdefault(name, getattr(owner, name))
    return found


@dataclass
class Snapshot:
    """What an object holds at one moment. `restore` brings it back, in the same containers."""

    members: list[tuple[Any, Any]] = field(default_factory=list)
    arrays: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)
    generators: list[tuple[Any, Any]] = field(default_factory=list)

    @classmethod
    def of(cls, root: Any) -> Snapshot:
        taken = cls()
        taken._keep(root)
        for _, value in places(root):
            taken._keep(value)
        return taken

    def _keep(self, value: Any) -> None:
        if isinstance(value, np.ndarray):
            self.arrays.append((value, value.copy()))
        elif isinstance(value, np.random.Generator):
            self.generators.append((value, copy.deepcopy(value.bit_generator.state)))
        elif isinstance(value, np.random.RandomState):
            self.generators.append((value, value.get_state()))
        elif isinstance(value, random.Random):
            self.generators.append((value, value.getstate()))
        elif isinstance(value, list | dict):
            self.members.append((value, value.copy()))
        elif hasattr(value, "__dict__") and not isinstance(value, _OPAQUE):
            self.members.append((value, dict(vars(value))))

    def restore(self) -> None:
        for owner, held in self.members:
            target = owner if isinstance(owner, dict | list) else vars(owner)
            target.clear()
            target.extend(held) if isinstance(target, list) else target.update(held)
        for array, numbers in self.arrays:
            if array.flags.writeable:
                np.copyto(array, numbers)
        self.restore_generators()

    def restore_generators(self) -> None:
        for generator, state in self.generators:
            if isinstance(generator, np.random.Generator):
                generator.bit_generator.state = state
            elif isinstance(generator, np.random.RandomState):
                generator.set_state(state)
            else:
                generator.setstate(state)


@contextmanager
def seeded(seed: int = 0) -> Iterator[None]:
    """The global generators of Python and NumPy at `seed` inside, as they were afterwards."""
    python, numpy = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
