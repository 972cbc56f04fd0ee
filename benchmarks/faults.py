"""Wrong gradients made from right ones.

A fault turns a correct gradient into a wrong one of the same shape, or None where it cannot be
planted (nothing to transpose, no second row). It is planted at one place, chosen once from the
gradient at the point, so that a faulty VJP stays linear in its cotangent, as real ones do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Index = tuple[int, ...]
Plant = Callable[[np.ndarray, Index], np.ndarray | None]


@dataclass(frozen=True)
class Fault:
    """name: as printed; plant(gradient, place) -> the wrong gradient, or None; size: relative."""

    name: str
    plant: Plant
    size: float = 1.0


def place(g: np.ndarray, rng: np.random.Generator) -> Index | None:
    """The index of an entry of about median magnitude among those that are not zero."""
    magnitude = np.abs(g).ravel()
    alive = np.flatnonzero(magnitude)
    if alive.size == 0 or not np.isfinite(magnitude).all():
        return None
    order = alive[np.argsort(magnitude[alive])]
    middle = order[len(order) // 3 : 2 * len(order) // 3 + 1]
    return tuple(int(i) for i in np.unravel_index(rng.choice(middle), g.shape))


def scaled(size: float) -> Fault:
    """The whole gradient times 1 + size."""
    return Fault(f"scale {size:.0e}", lambda g, at: g * (1 + size), size)


def one_entry(size: float) -> Fault:
    """One entry times 1 + size."""
    return Fault(f"one entry {size:.0e}", lambda g, at: times(g, at, 1 + size), size)


def times(g: np.ndarray, at: Index | int, factor: float) -> np.ndarray:
    """`g` with the entry (or row) at `at` multiplied."""
    wrong = g.copy()
    wrong[at] *= factor
    return wrong


def zeroed_row(g, at):
    """One row of a matrix, or one entry of a vector, is forgotten."""
    return times(g, at[0], 0.0) if g.ndim else None


def rolled(g, at):
    """Off by one along the last axis."""
    return np.roll(g, 1, axis=-1) if g.ndim and g.shape[-1] > 1 else None


def flipped(g, at):
    """Reversed along the first axis."""
    return g[::-1].copy() if g.ndim and len(g) > 1 else None


def transposed(g, at):
    """A square matrix the wrong way round."""
    return g.T.copy() if g.ndim == 2 and g.shape[0] == g.shape[1] else None


def lost_precision(g, at):
    """Passed through float16: relative error 5e-4 in every entry."""
    top = np.max(np.abs(g), initial=0.0)
    if not top or np.iscomplexobj(g):
        return None
    return (g / top).astype(np.float16).astype(g.dtype) * top


def wrong_at_edge(g, at):
    """The last entry along the last axis takes its neighbour's value."""
    if not g.ndim or g.shape[-1] < 2:
        return None
    wrong = g.copy()
    wrong[..., -1] = g[..., -2]
    return wrong


def tail(g, at):
    """The last n mod 4 entries are never written."""
    rest = g.size % 4
    if not rest or g.size < 4:
        return None
    wrong = g.copy()
    wrong.reshape(-1)[-rest:] = 0
    return wrong


def missing_path(g, at):
    """A contribution common to a row is left out: the row's mean."""
    return g - np.mean(g, axis=-1, keepdims=True) if g.ndim and g.shape[-1] > 1 else None


def averaged(g, at):
    """Mean where it should be sum: divided by the leading size."""
    return g / len(g) if g.ndim and len(g) > 1 else None


def conjugated(g, at):
    """The other convention for complex gradients."""
    return np.conj(g) if np.iscomplexobj(g) else None


SCALES = tuple(scaled(10.0**-k) for k in range(2, 10))
ENTRIES = tuple(one_entry(size) for size in (1.0, 1e-2, 1e-3, 1e-4, 1e-6))
OTHERS = (
    Fault("entry of wrong sign", lambda g, at: times(g, at, -1.0)),
    Fault("all signs flipped", lambda g, at: -g),
    Fault("zeroed row", zeroed_row),
    Fault("rolled by one", rolled),
    Fault("flipped", flipped),
    Fault("transposed", transposed),
    Fault("float16 inside", lost_precision, 5e-4),
    Fault("wrong at the edge", wrong_at_edge),
    Fault("tail n mod 4 missing", tail),
    Fault("row mean missing", missing_path),
    Fault("mean for sum", averaged),
    Fault("conjugated", conjugated),
    Fault("repeated index overwritten", lambda g, at: times(g, at, 0.5)),
    Fault("all zero (detached)", lambda g, at: np.zeros_like(g)),
)
FAULTS = SCALES + ENTRIES + OTHERS


def planted(vjp, name: str, fault: Fault, at: Index):
    """`vjp` with `fault` in the gradient of one input."""

    def wrong(cotangent, **inputs):
        gradient = dict(vjp(cotangent, **inputs))
        g = np.asarray(gradient[name])
        changed = fault.plant(g, at)
        gradient[name] = g if changed is None else changed
        return gradient

    return wrong


def visible(fault: Fault, g: np.ndarray, at: Index) -> bool:
    """Whether the fault can be planted in `g` and is there to be seen.

    A roll of equal numbers or a transposed symmetric matrix is no fault. What counts is the change
    against the largest entry: a millionth of the fault's own size, and never less than rounding.
    """
    changed = fault.plant(g, at)
    if changed is None:
        return False
    difference = np.max(np.abs(changed - g), initial=0.0)
    return bool(difference > max(1e-12, 1e-6 * fault.size) * np.max(np.abs(g), initial=0.0))
