"""Parameters of a NumPy object: where each hangs, and where its gradient is kept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.adapters.state import Place, places

# What an author may call one thing: parameters and their gradients are matched up to these.
_ALIASES = {"weights": "w", "weight": "w", "biases": "b", "bias": "b"}
_OF = ("d", "grad", "gradient", "g", "del", "delta", "nabla")
_LOSS = ("l", "e", "j", "loss", "error", "cost")
_PREFIXES = (
    *(f"{word}{line}" for word in _OF for line in ("_", "")),
    *(f"d{loss}{line}d{bar}" for loss in _LOSS for line in ("_", "") for bar in ("_", "")),
)
_SUFFIXES = ("_grad", "_gradient", "_gradients", "_grads", "_delta", "grad", "gradient")
_COLLECTIONS = ("grads", "gradients", "grad", "gradient", "d")
_VALUE_KEYS = ("data", "value", "val", "values", "array")
_MANGLED = re.compile(r"^_[A-Za-z]\w*?(?=__)__")  # what Python makes of __W in a class
_GRADIENT_KEYS = ("grad", "gradient", "g", "d", "delta")
# Names that say of a float array that nobody descends along it.
_BUFFER = re.compile(r"running|moving|mean|var|std|mask|table|buffer|moment|veloc|cache|last|prev")


@dataclass
class Slot:
    """One parameter of an object: its name and every place that holds it."""

    name: str
    places: list[Place]
    value: Any

    @property
    def owner(self) -> Any:
        return self.places[0].owner

    @property
    def key(self) -> Any:
        return self.places[0].key

    @property
    def is_array(self) -> bool:
        return isinstance(self.value, np.ndarray)

    @property
    def is_integer(self) -> bool:
        return self.is_array and self.value.dtype.kind in "iu"

    @property
    def looks_like_buffer(self) -> bool:
        return bool(_BUFFER.search(self.name.lower())) or _is_gradient_name(str(self.key))

    def get(self) -> Any:
        return self.places[0].get()

    def set(self, value: np.ndarray) -> None:
        """Hang a copy of `value` at every place, a NumPy scalar where a number was."""
        own = np.array(value)
        for place in self.places:
            place.set(own if self.is_array else own[()])

    def stored_gradient(self) -> Any:
        """The gradient kept beside the parameter (dW, W_grad, grads["W"], ...), or None."""
        for place in self.places:
            found = _beside(place)
            if found is not None:
                return found
        return None


def find_slots(root: Any) -> dict[str, Slot]:
    """Float and integer arrays and floats of an object by name; one slot for a shared array."""
    found: dict[int, Slot] = {}
    for place, value in places(root):
        if isinstance(place.owner, tuple) or not _may_be_parameter(value):
            continue
        # Numbers are compared by place: two attributes that are both 0.5 are two parameters.
        identity = id(value) if isinstance(value, np.ndarray) else id(place)
        if identity in found:
            found[identity].places.append(place)
        else:
            found[identity] = Slot(_readable(place.path), [place], value)
    return {slot.name: slot for slot in found.values()}


def _may_be_parameter(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "fciu"
    return isinstance(value, float | np.floating) and not isinstance(value, bool)


def _readable(path: str) -> str:
    """`W.data` is called `W`."""
    head, _, last = path.rpartition(".")
    return head if head and last in _VALUE_KEYS else path


def _beside(place: Place) -> Any:
    held = _entries(place.owner)
    if place.key in _VALUE_KEYS:
        return next((held[k] for k in _GRADIENT_KEYS if held.get(k) is not None), None)
    if isinstance(place.owner, list):
        return None  # found from the object that holds the collection
    names = {str(name): value for name, value in held.items() if value is not None}
    for name, value in names.items():
        if gradient_of(name, str(place.key)) and not isinstance(value, dict | list):
            return value
    for name in _COLLECTIONS:
        collection = names.get(name)
        if isinstance(collection, dict):
            return in_mapping(collection, str(place.key))
    return None


def in_collections(root: Any, slot: Slot) -> Any:
    """The gradient of a slot in a `grads` dict or list that stands beside what holds the slot.

    Such a collection mirrors its neighbour: grads[1]["W"] belongs to layers[1]["W"]. It speaks for
    its own object alone, and the nearest one counts: every part of a network may have its own.
    """
    near: list[tuple[int, Any]] = []
    for place, value in places(root):
        if str(place.key) not in _COLLECTIONS or not isinstance(value, dict | list):
            continue
        home = place.path.split(".")[:-1]
        for own in slot.places:
            steps = own.path.split(".")
            if steps[: len(home)] == home and steps[: len(home) + 1] != place.path.split("."):
                found = mirrored(value, steps[len(home) :])
                if found is not None:
                    near.append((len(home), found))
    return max(near, key=lambda pair: pair[0])[1] if near else None


def mirrored(collection: Any, steps: list[str]) -> Any:
    """What stands in a collection where a neighbour has its `steps`; else under the last alone."""
    for path in (steps[1:], steps, steps[-1:]):
        found = collection if path else None
        for step in path:
            if isinstance(found, list | tuple):
                found = found[int(step)] if step.isdigit() and int(step) < len(found) else None
            else:
                found = in_mapping(found, step) if isinstance(found, dict) else None
        if found is not None and not isinstance(found, dict):
            return found
    return None


def in_mapping(mapping: Any, name: str) -> Any:
    """The entry of a mapping that is the gradient of `name`, under its own name or as dname."""
    for key in mapping:
        if str(key) == name:
            return mapping[key]
    for key in mapping:
        if gradient_of(str(key), name) or _canonical(str(key)) == _canonical(name):
            return mapping[key]
    return None


def gradient_of(name: str, parameter: str) -> bool:
    """Whether `name` reads as the gradient of `parameter`: dW, W_grad, grad_W, dL_dW, ..."""
    if name == parameter:
        return False
    name, parameter = _MANGLED.sub("", name), _MANGLED.sub("", parameter)
    lowered = name.lower()
    stems = [name[len(p) :] for p in _PREFIXES if lowered.startswith(p)]
    stems += [name[: -len(s)] for s in _SUFFIXES if lowered.endswith(s)]
    if parameter in stems:
        return True
    return any(_canonical(stem) == _canonical(parameter) for stem in stems if stem)


def _is_gradient_name(name: str) -> bool:
    match = re.match(r"^(?:d|grad_?|gradient_?|delta_?)[A-Zwb]", name)
    return bool(match) or name.endswith(("_grad", "_gradient", "_delta"))


def _canonical(name: str) -> str:
    lowered = name.lower().strip("_")
    return _ALIASES.get(lowered, lowered)


def _entries(owner: Any) -> dict[Any, Any]:
    if isinstance(owner, dict):
        return owner
    if isinstance(owner, list):
        return dict(enumerate(owner))
    from gradcheck.adapters.state import attributes

    return attributes(owner)
