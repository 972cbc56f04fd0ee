"""One forward and one backward of a NumPy object, watched: what it reads, writes and learns."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.adapters import in_place, nested
from gradcheck.adapters.returned import in_order
from gradcheck.adapters.slots import Slot, find_slots, in_collections, mirrored
from gradcheck.adapters.state import Snapshot, seeded, working_copy

if TYPE_CHECKING:
    from gradcheck.adapters.layer import Layer


@dataclass
class Observed:
    """What was seen at one point; sets of slot names.

    read: forward depends on it; cached: forward writes it; updated: backward changes what forward
    reads; kept: its gradient is stored or returned. backward: whether backward returned at all.
    """

    read: set[str] = field(default_factory=set)
    cached: set[str] = field(default_factory=set)
    updated: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)
    backward: bool = False
    rate: float = 1.0
    traits: set[str] = field(default_factory=set)


def learned(slot: Slot, seen: Observed | None) -> bool:
    """Whether a slot is a parameter: forward reads it, backward learns it or should have."""
    could = slot.is_array and not slot.is_integer and not slot.looks_like_buffer
    if seen is None:
        return could
    if slot.name not in seen.read or slot.name in seen.cached:
        return False
    if slot.name in seen.updated | seen.kept:
        return True
    # Where others learn, a float array that does not was forgotten; where none does, it is fixed.
    return could and (bool(seen.updated | seen.kept) or not seen.backward)


def observe(layer: Layer, values: Mapping[str, Any]) -> Observed:
    """Run copies of the object at these inputs and see. Forward must run there."""
    seen = Observed()
    with np.errstate(all="ignore"):
        outputs = _watch_forward(layer, values, seen)
        _watch_backward(layer, values, outputs, seen)
        if seen.updated and layer.options.get("learning_rate") is None:
            seen.rate = _rate(layer, values, outputs, seen)
    return seen


def _watch_forward(layer: Layer, values: Mapping[str, Any], seen: Observed) -> list[Any]:
    trial = _Trial(layer)
    first, slots = trial.forward(values), trial.slots
    seen.cached = {name for name, slot in slots.items() if trial.changed(name)}
    if _differs(first, trial.forward(values, fresh=False)) and _draws(layer, values, first):
        seen.traits.add("stochastic")
    for name in slots:
        moved = _Trial(layer)
        moved.shift(name)
        if _differs(first, moved.forward(values)):
            seen.read.add(name)
    return first


def _draws(layer: Layer, values: Mapping[str, Any], first: list[Any]) -> bool:
    """Whether two forwards differ only by what they draw: from a fresh start they agree."""
    return not _differs(first, _Trial(layer).forward(values))


def _watch_backward(
    layer: Layer, values: Mapping[str, Any], outputs: list[Any], seen: Observed
) -> None:
    trial = _Trial(layer)
    try:
        returned = trial.backward(values, outputs)
    except Exception:  # noqa: BLE001 - it will raise again in vjp, where it is a finding
        return
    seen.backward = True
    spare = _spare(layer, values, returned)
    returned = _named_part(returned)
    for name, slot in trial.slots.items():
        if name not in seen.read or name in seen.cached:
            continue
        if trial.changed(name):
            seen.updated.add(name)
        kept = slot.stored_gradient() is not None or in_collections(trial.work, slot) is not None
        named = mirrored(returned, name.split(".")) if isinstance(returned, Mapping) else None
        if kept or named is not None:
            seen.kept.add(name)
        elif spare > 0:
            seen.kept.add(name)
            spare -= 1


def _rate(layer: Layer, values: Mapping[str, Any], outputs: list[Any], seen: Observed) -> float:
    """The learning rate held by the object, if its update really scales with it, else 1."""
    base = _Trial(layer)
    base.backward(values, outputs)
    for k, (_, name, rate) in enumerate(in_place.held_rates(layer.work, layer.slots)):
        doubled = _Trial(layer)
        owner = in_place.held_rates(doubled.work, doubled.slots)[k][0]
        setattr(owner, name, 2 * rate)
        doubled.backward(values, outputs)
        once = np.concatenate([np.ravel(base.step(n)) for n in sorted(seen.updated)])
        twice = np.concatenate([np.ravel(doubled.step(n)) for n in sorted(seen.updated)])
        if np.allclose(twice, 2 * once, rtol=1e-3):
            return rate
    return 1.0


class _Trial:
    """A spare copy of the layer's object, integer parameters made floating point."""

    def __init__(self, layer: Layer) -> None:
        self.layer = layer
        self.work = working_copy(layer.work)
        self.slots = find_slots(self.work)
        for slot in self.slots.values():
            if slot.is_integer and slot.value.ndim:
                slot.set(slot.value.astype(float))
        self.before = {name: np.array(slot.get()) for name, slot in self.slots.items()}
        self.start = Snapshot.of(self.work)

    def forward(self, values: Mapping[str, Any], fresh: bool = True) -> list[Any]:
        with seeded() if fresh else nullcontext():
            raw = self._raw(values)
        return [np.array(leaf) for leaf in nested.leaves(self.layer.outputs(raw))]

    def _raw(self, values: Mapping[str, Any]) -> Any:
        try:
            return self.layer.forward_on(self.work, values)
        except IndexError:  # an integer array that is an index after all
            self.start.restore()
            return [np.zeros(0)]

    def backward(self, values: Mapping[str, Any], outputs: list[Any]) -> Any:
        rng = np.random.default_rng(11)
        cotangents = tuple(rng.standard_normal(np.shape(o)) for o in outputs)
        packed = cotangents if len(cotangents) > 1 else cotangents[0]
        with seeded():
            raw = self._raw(values)
            return self.layer.backward_on(self.work, packed, values, raw)

    def shift(self, name: str) -> None:
        """Move one slot by generic numbers."""
        slot = self.slots[name]
        noise = np.random.default_rng(17).standard_normal(np.shape(slot.get()))
        slot.set(np.asarray(slot.get()) + noise)

    def changed(self, name: str) -> bool:
        return not np.array_equal(self._now(name), self.before[name], equal_nan=True)

    def step(self, name: str) -> np.ndarray:
        return np.asarray(np.subtract(self._now(name), self.before[name]))

    def _now(self, name: str) -> Any:
        return self.slots[name].get()


def _differs(first: list[Any], second: list[Any]) -> bool:
    return len(first) != len(second) or any(
        a.shape != b.shape or not np.array_equal(a, b, equal_nan=True)
        for a, b in zip(first, second, strict=True)
    )


def _spare(layer: Layer, values: Mapping[str, Any], returned: Any) -> int:
    """How many gradients were returned beyond those of the forward's arguments."""
    slots = [f"*{k}" for k in range(len(in_order(returned)))]
    found = layer.assigned(returned, values, slots)
    return sum(found.get(name) is not None for name in slots)


def _named_part(returned: Any) -> Any:
    if isinstance(returned, tuple | list) and returned and isinstance(returned[-1], Mapping):
        return returned[-1]
    return returned
