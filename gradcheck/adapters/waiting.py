"""What the first forward makes of a NumPy object, and lists of calls that wait for a backward."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.adapters import probing
from gradcheck.adapters.state import Place, places, seeded, working_copy

if TYPE_CHECKING:
    from gradcheck.adapters.layer import Layer

# Methods by which an object forgets the calls it has kept.
_FLUSHES = (
    "flush_gradients", "flush", "zero_grad", "zero_grads", "zero_gradients", "clear", "clear_cache",
    "reset", "reset_cache", "clear_gradients",
)  # fmt: skip


def made_late(layer: Layer, values: Mapping[str, Any], others: Mapping[str, Any]) -> set[str]:
    """Paths of float arrays that the first forward makes and a second, at `others`, leaves alone.

    A layer that takes its sizes from its first input makes its parameters so.
    """
    before, once, twice = _states(layer, values, others)
    return {
        path
        for path, value in once.items()
        if isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.ndim
        if not isinstance(before.get(path), np.ndarray) and _same(value, twice.get(path))
    }


def finished(layer: Layer, values: Mapping[str, Any]) -> Any:
    """A copy of the object as its first forward leaves it, without that call in its lists."""
    made = working_copy(layer.work)
    before = {place.path: len(value) for place, value in places(made) if isinstance(value, list)}
    _forward(layer, made, values)
    for place, value in list(places(made)):
        if isinstance(value, list):
            del value[before.get(place.path, 0) :]
    return made


def queues(
    layer: Layer, values: Mapping[str, Any], others: Mapping[str, Any]
) -> list[tuple[Place, list[Any]]]:
    """Lists of the layer's object to which each forward adds, with what they hold now.

    Those that backward or a method such as flush_gradients empties again: between them it is right
    that calls wait. A list that only grows holds what is stale.
    """
    before, once, twice = _states(layer, values, others)
    grown = {p for p in once if _length(before, p) < _length(once, p) < _length(twice, p)}
    if not grown:
        return []
    emptied = {p for p in grown if _emptied(layer, values, p, _length(before, p))}
    return [(pl, list(v)) for pl, v in places(layer.work) if pl.path in emptied]


def _emptied(layer: Layer, values: Mapping[str, Any], path: str, length: int) -> bool:
    def after_backward(work: Any, raw: Any) -> None:
        outputs = layer.outputs(raw)
        if isinstance(outputs, tuple):
            layer.backward_on(work, tuple(map(np.ones_like, outputs)), values, raw)
        else:
            layer.backward_on(work, np.ones_like(outputs), values, raw)

    def flushed(name: str, work: Any, _: Any) -> None:
        getattr(work, name)()

    own = [name for name in _FLUSHES if callable(getattr(layer.work, name, None))]
    ways: list[Callable[..., Any]] = [after_backward, *(partial(flushed, n) for n in own)]
    for empty in ways:
        work = working_copy(layer.work)
        raw = _forward(layer, work, values)
        if probing.succeeds(empty, work, raw):
            held = {place.path: value for place, value in places(work)}
            if _length(held, path) == length:
                return True
    return False


def _states(
    layer: Layer, values: Mapping[str, Any], others: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """What the object holds before a forward, after it, and after another one."""
    work = working_copy(layer.work)
    states = [_held(work)]
    for point in (values, others):
        _forward(layer, work, point)
        states.append(_held(work))
    return states[0], states[1], states[2]


def _held(work: Any) -> dict[str, Any]:
    held = {place.path: value for place, value in places(work)}
    return {p: np.array(v) if isinstance(v, np.ndarray) else _shallow(v) for p, v in held.items()}


def _shallow(value: Any) -> Any:
    return list(value) if isinstance(value, list) else value


def _forward(layer: Layer, work: Any, values: Mapping[str, Any]) -> Any:
    with np.errstate(all="ignore"), seeded():
        return layer.forward_on(work, values)


def _length(held: Mapping[str, Any], path: str) -> int:
    value = held.get(path)
    return len(value) if isinstance(value, list) else 0


def _same(first: np.ndarray, second: Any) -> bool:
    return isinstance(second, np.ndarray) and np.array_equal(first, second, equal_nan=True)
