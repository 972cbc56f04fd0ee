"""Faults of the values: a right gradient bent, in whatever library the subject speaks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.backends import backend as backend_named
from gradcheck.subject import Subject

Bend = Callable[[np.ndarray, "Call"], "np.ndarray | None"]


@dataclass(frozen=True)
class Call:
    """One call of vjp, in NumPy arrays. right(cotangents): the right gradients at others."""

    name: str
    cotangents: tuple[np.ndarray, ...]
    inputs: Mapping[str, Any]
    right: Callable[[tuple[np.ndarray, ...]], Mapping[str, np.ndarray]]

    @property
    def x(self) -> np.ndarray:
        return np.asarray(self.inputs[self.name])


def bent(subject: Subject, name: str, bend: Bend) -> Subject:
    """The subject with one gradient bent, in whatever library it speaks."""
    backend = backend_named(subject.backend)

    def vjp(cotangent: Any, **inputs: Any) -> dict[str, Any]:
        bare = not isinstance(cotangent, tuple | list)
        given = (cotangent,) if bare else tuple(cotangent)

        def number(value: Any) -> Any:
            return backend.to_numpy(value) if backend.is_array(value) else value

        def right(changed: tuple[np.ndarray, ...]) -> dict[str, np.ndarray]:
            native = tuple(
                backend.from_numpy(np.asarray(u)) if backend.is_array(old) else old
                for u, old in zip(changed, given, strict=True)
            )
            told = subject.vjp(native[0] if bare else native, **inputs)
            return {n: number(told[n]) for n in subject.differentiable}

        returned = dict(subject.vjp(cotangent, **inputs))
        numbers = {n: number(value) for n, value in inputs.items()}
        call = Call(name, tuple(number(u) for u in given), numbers, right)
        bent = bend(number(returned[name]).copy(), call)
        if bent is None:
            del returned[name]
        else:
            returned[name] = backend.from_numpy(np.ascontiguousarray(bent).reshape(np.shape(bent)))
        return returned

    return subject.but(name=f"{subject.name}, planted", vjp=vjp, recipe=None)


def _zeroed(where: Callable[[tuple[int, ...]], Any]) -> Bend:
    def bend(g: np.ndarray, call: Call) -> np.ndarray:
        if g.ndim and g.shape[0] > 1:
            g[where(g.shape)] = 0.0
        return g

    return bend


def _transposed(g: np.ndarray, call: Call) -> np.ndarray:
    return np.swapaxes(g, 0, -1).reshape(g.shape) if g.ndim > 1 else g


def _entry(g: np.ndarray, call: Call) -> np.ndarray:
    if g.size > 1:
        g.reshape(-1)[g.size // 2] *= 2.0
    return g


def _mean_for_sum(g: np.ndarray, call: Call) -> np.ndarray:
    return g / max(np.size(call.cotangents[0]) // max(g.size, 1), 1)


def _changed(change: Callable[[np.ndarray], np.ndarray]) -> Bend:
    def bend(g: np.ndarray, call: Call) -> np.ndarray:
        bent = tuple(u if u is None else np.asarray(change(u)) for u in call.cotangents)
        return np.asarray(call.right(bent)[call.name])

    return bend


def _at_zero(value: Callable[[np.ndarray], Any]) -> Bend:
    def bend(g: np.ndarray, call: Call) -> np.ndarray:
        return np.where(call.x == 0, value(g), g).astype(g.dtype)

    return bend


def _tail(g: np.ndarray, call: Call) -> np.ndarray:
    if g.ndim and g.shape[-1] % 4 and g.shape[-1] > 4:
        g[..., g.shape[-1] - g.shape[-1] % 4 :] = 0.0
    return g


def _where_size(rule: Callable[[int], bool]) -> Bend:
    return lambda g, call: 1.5 * g if g.ndim and rule(g.shape[0]) else g


def _float32(g: np.ndarray, call: Call) -> np.ndarray:
    narrow = np.complex64 if np.iscomplexobj(g) else np.float32
    return g.astype(narrow).astype(g.dtype)


BENDS: dict[str, Bend] = {
    "scaled by 2": lambda g, call: 2.0 * g,
    "scaled by 1.0001": lambda g, call: 1.0001 * g,
    "sign flipped": lambda g, call: -g,
    "always zero": lambda g, call: 0.0 * g,
    "transposed": _transposed,
    "rolled": lambda g, call: np.roll(g, 1, -1) if g.ndim else g,
    "flipped": lambda g, call: np.flip(g) if g.ndim else g,
    "mean instead of sum": _mean_for_sum,
    "first index zeroed": _zeroed(lambda shape: 0),
    "last index zeroed": _zeroed(lambda shape: -1),
    "one entry doubled": _entry,
    "tail zeroed": _tail,
    "wrong for odd sizes": _where_size(lambda n: n % 2 == 1 and n > 1),
    "wrong for size one": _where_size(lambda n: n == 1),
    "cotangent ignored": _changed(np.ones_like),
    "absolute cotangent": _changed(np.abs),
    "squared cotangent": _changed(np.square),
    "term without cotangent": lambda g, call: g + 0.01 * call.x,
    "path missing (cotangent averaged)": _changed(lambda u: u - np.mean(u) if u.size else u),
    "gradient clipped": lambda g, call: np.clip(g, -0.5, 0.5) if not np.iscomplexobj(g) else g / 2,
    "precision lost": _float32,
    "kink without cotangent": _at_zero(lambda g: 0.5),
    "kink doubled": _at_zero(lambda g: 3.0 * g + 1.0),
    "NaN at zero": _at_zero(lambda g: np.nan),
    "input without gradient": lambda g, call: None,
    "wrong shape": lambda g, call: g[None],
}
