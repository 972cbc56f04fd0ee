"""The Jacobian of a small forward, entry by entry, each with its error; and that of a claim."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gradcheck.judgement.problem import Domain
from gradcheck.oracles import stencils

Arrays = Mapping[str, Any]
Forward = Callable[[Arrays], tuple[np.ndarray, ...]]
Pullback = Callable[[tuple[np.ndarray, ...], Arrays], Mapping[str, np.ndarray]]

# Order 8: truncation falls from level to level by 2^40, so that two levels betray a kink.
EXPONENTS = (-9, -14, -19)
# An entry whose error stays above this share of the largest is a kink or noise: not measured.
WORST = 1e-5


def flat(array: np.ndarray) -> np.ndarray:
    """All entries as a real vector; of a complex array the real parts, then the imaginary."""
    array = np.asarray(array)
    if np.iscomplexobj(array):
        return np.concatenate([array.real.ravel(), array.imag.ravel()])
    return array.astype(np.float64).ravel()


def unflat(vector: np.ndarray, like: np.ndarray) -> np.ndarray:
    """The inverse of `flat`, in the shape and kind of `like`."""
    if np.iscomplexobj(like):
        re, im = np.split(np.asarray(vector), 2)
        return (re + 1j * im).reshape(like.shape)
    return np.asarray(vector).reshape(like.shape)


def stacked(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Several outputs or cotangents as one real vector."""
    return np.concatenate([np.zeros(0), *(flat(a) for a in arrays)])


def unstacked(vector: np.ndarray, like: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
    ends = np.cumsum([flat(a).size for a in like])
    parts = np.split(vector, ends[:-1])
    return tuple(unflat(part, a) for part, a in zip(parts, like, strict=True))


def numerical(
    forward: Forward, arrays: Arrays, name: str, domain: Domain | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Derivatives of all outputs by one input, a matrix (outputs, entries), and their errors.

    NaN where no two step sizes agree: a kink, or noise.
    """
    x = np.asarray(arrays[name])
    at, base = flat(x), stacked(forward(arrays))
    slopes, errors = np.zeros((base.size, at.size)), np.zeros((base.size, at.size))
    whole = np.sqrt(np.mean(at**2)) if at.size and at.any() else 1.0
    for i in range(at.size):
        unit = 2.0 ** round(np.log2(max(abs(at[i]), float(whole))))

        def moved(t: float, i: int = i, unit: float = unit) -> np.ndarray:
            point = at.copy()
            point[i] += t * unit
            return np.asarray(stacked(forward({**arrays, name: unflat(point, x)})) - base)

        slopes[:, i], errors[:, i] = _column(moved, base, at[i], unit, domain)
    slopes[errors > WORST * max(float(np.nanmax(np.abs(slopes), initial=0.0)), 1e-300)] = np.nan
    return slopes, errors


def _column(
    moved: Callable[[float], np.ndarray],
    base: np.ndarray,
    at: float,
    unit: float,
    domain: Domain | None,
) -> tuple[np.ndarray, np.ndarray]:
    """One column at the step that errs least, entry by entry; every two levels must agree."""
    found, bends = [], []
    for exponent in EXPONENTS:
        step = 2.0**exponent
        side = _side(at, 8 * step * unit, domain)
        stencil = stencils.forward() if side else stencils.central()
        signed = step * (side or 1)
        values = np.stack([moved(node * signed) for node in stencil.nodes])
        high = stencil.high @ values / (signed * unit)
        low = stencil.low @ values / (signed * unit)
        rounding = (
            2.0**-51 * np.max(np.abs(base), initial=0.0) * stencil.amplification / (step * unit)
        )
        found.append((high, np.abs(high - low) + rounding))
        bends.append((_bend(values, stencil.nodes) / (step * unit), rounding))
        if len(found) == 2 and np.all(_agree(*found)):
            break
    best = np.argmin([error for _, error in found], axis=0)
    pick = (best, np.arange(base.size))
    slope = np.array([value for value, _ in found])[pick]
    error = np.array([error for _, error in found])[pick]
    last = np.all([_agree(found[-1], f) for f in found[-2:]], axis=0)
    measured = last & np.isfinite(slope) & ~_kinked(bends, np.abs(slope))
    return slope, np.where(measured, error, np.inf)


def _bend(values: np.ndarray, nodes: Sequence[float]) -> np.ndarray:
    """The sum of the two nearest differences, to both sides: zero for a straight line."""
    places = list(nodes)
    if 1 not in places or -1 not in places:
        return np.zeros(values.shape[1])
    return np.asarray(values[places.index(1)] + values[places.index(-1)])


def _kinked(bends: list[tuple[np.ndarray, float]], slope: np.ndarray) -> np.ndarray:
    """Slopes that jump between the sides: a jump stays where a curve's bend falls with the step."""
    (far, _), (near, rounding) = bends[-2:]
    least = 1e-6 * slope + 30 * rounding
    return np.asarray((np.abs(near) > 0.25 * np.abs(far)) & (np.abs(near) > least))


def _agree(a: tuple[np.ndarray, np.ndarray], b: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    allowed = 3 * (a[1] + b[1]) + 1e-9 * np.maximum(np.abs(a[0]), np.abs(b[0]))
    return np.asarray(np.abs(a[0] - b[0]) <= allowed)


def _side(at: float, reach: float, domain: Domain | None) -> int:
    """0 for a central stencil; 1 or -1 where the domain ends within reach."""
    if domain is None:
        return 0
    if domain.low is not None and at - reach <= domain.low:
        return 1
    return -1 if domain.high is not None and at + reach >= domain.high else 0


def claimed(
    vjp: Pullback, cotangents: Sequence[np.ndarray], arrays: Arrays, names: Sequence[str]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """What vjp claims the Jacobians to be, row by row, and what it gives for a zero cotangent."""
    like = [np.asarray(c) for c in cotangents]
    zero = np.zeros(stacked(like).size)
    nothing = vjp(unstacked(zero, like), arrays)
    constant = {name: flat(nothing[name]) for name in names}
    rows: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for k in range(zero.size):
        unit = zero.copy()
        unit[k] = 1.0
        told = vjp(unstacked(unit, like), arrays)
        for name in names:
            rows[name].append(flat(told[name]) - constant[name])
    shaped = {n: np.array(r).reshape(zero.size, constant[n].size) for n, r in rows.items()}
    return shaped, constant


def directional(
    forward: Forward, arrays: Arrays, name: str, v: np.ndarray, u: Sequence[np.ndarray]
) -> float:
    """<u, J v> for one input; NaN where two step sizes disagree or forward raises."""
    weights, told = stacked(u), []
    try:
        base = stacked(forward(arrays))
        for exponent in EXPONENTS:
            step = 2.0**exponent
            values = [
                weights @ (stacked(forward({**arrays, name: arrays[name] + t * step * v})) - base)
                for t in stencils.central().nodes
            ]
            told.append(float(stencils.central().high @ np.array(values)) / step)
    except Exception:  # noqa: BLE001 - the point is a guess: a forward may refuse it in any way
        return float("nan")
    for near, far in (told[:2], told[1:]):
        if abs(near - far) <= 1e-7 * max(abs(near), abs(far)) + 1e-12:
            return near
    return float("nan")
