"""Faults of conduct: a vjp that remembers, counts, overwrites, or trusts a layout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.backends import backend as backend_named
from gradcheck.backends.base import Backend
from gradcheck.subject import Subject


def _stateful(
    make: Callable[[Subject, str, Backend], Any], unseen: bool = True
) -> Callable[[Subject, str], Subject]:
    """unseen: gradients of one call after another are right all the same; else they tell."""

    def planted(subject: Subject, name: str) -> Subject:
        vjp = make(subject, name, backend_named(subject.backend))
        return subject.but(name=f"{subject.name}, planted", vjp=vjp, recipe=None)

    planted.unseen = unseen  # type: ignore[attr-defined]
    return planted


def _remembers(subject: Subject, name: str, backend: Backend) -> Any:
    """The inputs of the first call of these shapes, used again at every later one."""
    held: dict[Any, dict[str, Any]] = {}

    def vjp(cotangent: Any, **inputs: Any) -> Any:
        arrays = {n: a for n, a in inputs.items() if backend.is_array(a)}
        key = tuple((n, backend.shape(a)) for n, a in arrays.items())
        first = held.setdefault(key, {n: backend.copy(a) for n, a in arrays.items()})
        return subject.vjp(cotangent, **{**inputs, **first})

    return vjp


def _counts(subject: Subject, name: str, backend: Backend) -> Any:
    calls = [0]

    def vjp(cotangent: Any, **inputs: Any) -> Any:
        calls[0] += 1
        told = dict(subject.vjp(cotangent, **inputs))
        told[name] = backend.combine([1.0 + 0.01 * calls[0]], [told[name]])
        return told

    return vjp


def _mutates(subject: Subject, name: str, backend: Backend) -> Any:
    def vjp(cotangent: Any, **inputs: Any) -> Any:
        told = subject.vjp(cotangent, **inputs)
        given = inputs[name]
        given *= 2.0  # in place, in NumPy and torch alike
        return {n: backend.copy(g) for n, g in told.items() if backend.is_array(g)}

    return vjp


def _reuses(subject: Subject, name: str, backend: Backend) -> Any:
    held: dict[Any, Any] = {}

    def vjp(cotangent: Any, **inputs: Any) -> Any:
        told = dict(subject.vjp(cotangent, **inputs))
        buffer: Any = held.setdefault(backend.shape(told[name]), backend.copy(told[name]))
        buffer[...] = told[name]
        told[name] = buffer
        return told

    return vjp


def _assumes(subject: Subject, name: str, backend: Backend) -> Any:
    """A cotangent that is not contiguous is read as if it were."""

    def contiguous(array: Any) -> bool:
        flags = getattr(array, "flags", None)
        return bool(flags.c_contiguous if flags is not None else array.is_contiguous())

    def vjp(cotangent: Any, **inputs: Any) -> Any:
        bare = not isinstance(cotangent, tuple | list)
        given = [
            u
            if not backend.is_array(u) or contiguous(u)
            else backend.from_numpy(np.roll(backend.to_numpy(u), 1))
            for u in ((cotangent,) if bare else cotangent)
        ]
        return subject.vjp(given[0] if bare else tuple(given), **inputs)

    return vjp


STATEFUL: dict[str, Callable[[Subject, str], Subject]] = {
    "stale cache": _stateful(_remembers, unseen=False),
    "hidden state": _stateful(_counts),
    "mutation": _stateful(_mutates),
    "buffer reuse": _stateful(_reuses),
    "contiguous assumption": _stateful(_assumes),
}
