"""The right derivative, taken at another point: with W flipped, with b forgotten, at -x, ..."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from gradcheck.diagnosis import fresh, jacobian
from gradcheck.diagnosis.evidence import Evidence, equal, leaves_little, stacked
from gradcheck.diagnosis.explanation import Explanation
from gradcheck.diagnosis.words import axis, listed
from gradcheck.evaluation import ForwardRaised
from gradcheck.inputs import Integers, Mask
from gradcheck.judgement.problem import Judgement
from gradcheck.values import integer_range

# Why the point -z may have been taken, beside a plain sign.
MINUS = "a lost minus, or a sigmoid taken for one minus itself"


@dataclass(frozen=True)
class Point:
    """Where the derivative may have been taken: what is said of it, and what is different there.

    everywhere: not said of a claim that is right somewhere, of which a bound says more.
    """

    fault: str
    said: str
    changes: dict[str, Any]
    hint: str = ""
    cause: str = ""
    everywhere: bool = False


def explain(evidence: Evidence, judgement: Judgement) -> Explanation | None:
    if evidence.is_complex or not evidence.scene.is_linear(evidence.name):
        return None
    for point in points(evidence):
        if point.everywhere and _right_somewhere(evidence):
            continue
        if fits(evidence, point.changes) and fresh.holds(evidence, point.said, _changes):
            more = _or_a_branch(evidence) if point.said == _at_minus(evidence.name) else ""
            return Explanation(
                f"the gradient of `{evidence.name}` {point.said}{more}",
                point.fault,
                point.cause or f"{point.fault}: {point.said}",
                point.hint,
            )
    return None


def _at_minus(name: str) -> str:
    return f"is the derivative at -{name} instead of at `{name}`"


def _or_a_branch(evidence: Evidence) -> str:
    """Where the slopes are those at half of x, the point -x is where each maximum has its other."""
    scene, name = evidence.scene, evidence.name
    there, _ = jacobian.numerical(scene.forward, {**scene.arrays, name: evidence.array / 2}, name)
    return ", or that of the branches not taken" if equal(there, evidence.true) else ""


def _right_somewhere(evidence: Evidence) -> bool:
    true = np.nan_to_num(evidence.true)
    live = np.abs(true) > 1e-6 * np.max(np.abs(true), initial=0.0)
    return bool(np.any(live & (np.abs(evidence.claimed - true) <= 1e-7 * np.abs(true))))


def fits(evidence: Evidence, changes: dict[str, Any]) -> bool:
    """Whether the claim is the true gradient where the arrays are changed so."""
    scene, name = evidence.scene, evidence.name
    arrays = {**scene.arrays, **changes}
    if not agrees_along(evidence, changes):
        return False
    try:
        there, error = jacobian.numerical(scene.forward, arrays, name)
    except ForwardRaised:
        return False
    if there.shape != evidence.claimed.shape or not np.any(there[np.isfinite(there)]):
        return False
    allowed = 1e-6 * np.nanmax(np.abs(there)) + 30 * error
    off = np.abs(there - evidence.claimed)
    if not np.all((off <= allowed) | ~np.isfinite(there)):
        return False
    gap = float(np.nanmax(np.abs(evidence.true - evidence.claimed)))
    return leaves_little(there, evidence.claimed, gap, error)


def agrees_along(evidence: Evidence, changes: dict[str, Any]) -> bool:
    """The same along two random directions: a look that costs few evaluations."""
    scene, name = evidence.scene, evidence.name
    arrays = {**scene.arrays, **changes}
    rng = np.random.default_rng(5)
    claim = stacked([evidence.returned])
    for _ in range(2):
        v = rng.uniform(0.5, 1, evidence.shape) * rng.choice([-1.0, 1.0], evidence.shape)
        if _far(evidence, arrays, v, claim):
            return False
        told = jacobian.directional(scene.forward, arrays, name, v, scene.cotangents)
        if not abs(told - claim @ v.ravel()) <= 1e-6 * np.sum(np.abs(claim * v.ravel())):
            return False
    return True


def _far(evidence: Evidence, arrays: dict[str, Any], v: np.ndarray, claim: np.ndarray) -> bool:
    """Whether two evaluations suffice to say that the derivative there is another."""
    scene, name, h = evidence.scene, evidence.name, 2.0**-13
    weights = stacked(scene.cotangents)
    try:
        up, down = (stacked(scene.forward({**arrays, name: arrays[name] + t * v})) for t in (h, -h))
    except ForwardRaised:
        return True
    quotient = weights @ (up - down) / (2 * h)
    return bool(abs(quotient - claim @ v.ravel()) > 0.01 * np.sum(np.abs(claim * v.ravel())))


def fits_at(evidence: Evidence, changes: dict[str, Any]) -> bool:
    """The same for complex inputs: Jacobians compared, without the quick look first."""
    scene = evidence.scene
    arrays = {**scene.arrays, **changes}
    try:
        there, _ = jacobian.numerical(scene.forward, arrays, evidence.name)
    except ForwardRaised:
        return False
    return there.shape == evidence.claimed.shape and evidence.matches(there)


def _changes(evidence: Evidence, said: str) -> list[dict[str, Any]]:
    """What is different at the points of which the same is said."""
    return [point.changes for point in points(evidence) if point.said == said]


def points(evidence: Evidence) -> Iterator[Point]:
    scene = evidence.scene
    for name, value in scene.arrays.items():
        if name == evidence.name:
            yield from _own(evidence)
        elif isinstance(value, np.ndarray) and value.dtype.kind == "b":
            yield from _mask(name, value, evidence)
        elif isinstance(value, np.ndarray) and value.dtype.kind == "f":
            yield from _other(evidence, name, value)
            yield from updated(evidence, name, value)
            yield from _confused(evidence, name, value)
        elif isinstance(value, np.ndarray) and value.dtype.kind in "iu":
            yield from _shuffled(name, value, ("",) * value.ndim)
            yield from _indices(evidence, name, value)
        elif isinstance(value, float | int) and not isinstance(value, bool):
            yield from _number(name, value)


def _own(evidence: Evidence) -> Iterator[Point]:
    x, name = evidence.array, evidence.name
    for output in evidence.outputs:
        if output.shape == x.shape:
            said = f"is the derivative at the output instead of at the input `{name}`"
            yield Point("derivative at the output", said, {name: output}, "f'(y) with y = f(x)")
    for said, value in (
        (f"-{name}", -x),
        (f"|{name}|", np.abs(x)),
    ):
        told = f"is the derivative at {said} instead of at `{name}`"
        yield Point("evaluated at another point", told, {name: value})
    for other, value in evidence.scene.arrays.items():
        if other == name or not isinstance(value, np.ndarray):
            continue
        if value.shape == x.shape and value.dtype.kind == "f":
            told = f"is the derivative at `{other}` instead of at `{name}`"
            yield Point("evaluated at another point", told, {name: value})
    told = f"is that at `{name}` = 0, wherever `{name}` is: as of a forward that is linear in it"
    hint = "an activation whose derivative is left out"
    yield Point("derivative of another activation", told, {name: 0 * x}, hint, everywhere=True)


def _mask(name: str, value: np.ndarray, evidence: Evidence) -> Iterator[Point]:
    item = evidence.scene.inputs.get(name)
    everything = not (isinstance(item, Mask) and item.true == "drop")
    hint = f"multiply by {name}, or fill with zeros, in vjp as in forward"
    yield Point("mask inverted", f"uses `{name}` inverted", {name: ~value}, hint)
    for keep in (everything, not everything):
        said = f"is computed as if `{name}` were all {keep}"
        if keep == everything:
            said = f"ignores `{name}`: masked entries leak into it"
        yield Point("mask leak", said, {name: np.full_like(value, keep)}, hint)


def _other(evidence: Evidence, name: str, value: np.ndarray) -> Iterator[Point]:
    if value.ndim == 2 and value.shape[0] == value.shape[1]:
        said = f"is multiplied by `{name}` where it should be by its transpose"
        cause = f"multiplied by `{name}` instead of its transpose"
        yield Point("transposed", said, {name: value.T.copy()}, cause=cause)
    item = evidence.scene.inputs.get(name)
    names = tuple(d.text for d in item.shape.dimensions) if item is not None else ()
    names = names if len(names) == value.ndim else ("",) * value.ndim
    for a, b in combinations(range(value.ndim) if value.ndim > 2 else (), 2):
        if value.shape[a] == value.shape[b] > 1:
            said = f"uses `{name}` with {axis(names, a)} and {axis(names, b)} exchanged"
            yield Point("transposed", said, {name: np.swapaxes(value, a, b).copy()}, "an axis pair")
    yield from _shuffled(name, value, names)
    if value.ndim == 2:
        said = f"uses `{name}` reshaped where it should be transposed"
        yield Point("transposed", said, {name: value.reshape(value.shape[::-1]).T.copy()})
    for said, changed in (
        (f"leaves `{name}` out, as if it were zero", 0 * value),
        (f"leaves `{name}` out, as if it were one", 0 * value + 1),
        (f"uses -{name} for `{name}` ({MINUS})", -value),
        (f"uses |{name}| for `{name}`", np.abs(value)),
        (f"uses the square of `{name}`", value**2),
        (f"uses 1/{name} for `{name}`", _inverse(value)),
        (f"uses twice `{name}`", 2 * value),
        (f"uses half of `{name}`", value / 2),
    ):
        fault = "factor left out" if "leaves" in said else "evaluated at another point"
        yield Point(fault, said, {name: changed}, f"compare how forward and vjp use {name}")


def _inverse(value: np.ndarray) -> np.ndarray:
    return np.asarray(np.divide(1.0, value, where=value != 0, out=np.zeros_like(value)))


def _shuffled(name: str, value: np.ndarray, names: tuple[str, ...]) -> Iterator[Point]:
    for count in range(value.ndim, 1, -1):
        for along in combinations(range(value.ndim), count):
            if all(value.shape[a] > 1 for a in along):
                where = listed([axis(names, a) for a in along])
                said = (
                    f"uses `{name}` flipped along {where if count < value.ndim else 'every axis'}"
                )
                turned = {name: np.flip(value, along).copy()}
                yield Point("flipped", said, turned, "a kernel not turned round")
    for a in range(value.ndim):
        where = axis(names, a)
        if value.shape[a] > 1:
            said = f"uses `{name}` flipped along {where}"
            yield Point("flipped", said, {name: np.flip(value, a).copy()}, "a [::-1]")
        if value.shape[a] > 2:
            for shift in (1, -1):
                said = f"uses `{name}` rolled by {shift} along {where}"
                yield Point("off by one", said, {name: np.roll(value, shift, a)}, "look at slices")


def _indices(evidence: Evidence, name: str, value: np.ndarray) -> Iterator[Point]:
    """An index that is one too small or too large, held inside or wrapped round."""
    item, sizes = evidence.scene.inputs.get(name), evidence.sizes
    if not isinstance(item, Integers):
        return
    low, high = integer_range(item, sizes)
    for step in (-1, 1):
        said = f"uses `{name}` {'-' if step < 0 else '+'} 1 where `{name}` is meant"
        for moved in (value + step, low + (value + step - low) % max(high - low, 1)):
            yield Point("off by one", said, {name: np.clip(moved, low, high - 1)})


def updated(evidence: Evidence, name: str, value: Any) -> Iterator[Point]:
    """A parameter that was updated before its old value was used."""
    claim = evidence.scene.claims.get(name)
    if claim is None or not isinstance(value, np.ndarray) or np.shape(claim) != value.shape:
        return
    said = f"uses `{name}` after its update instead of before"
    rates = [v for v in evidence.scene.arrays.values() if isinstance(v, float)]
    for rate in (1.0, 0.1, 0.01, 0.001, *rates):
        moved = {name: value - rate * claim}
        yield Point("used after its update", said, moved, "compute every gradient, then update")


def _confused(evidence: Evidence, name: str, value: np.ndarray) -> Iterator[Point]:
    for other, theirs in evidence.scene.arrays.items():
        if other == name or not isinstance(theirs, np.ndarray):
            continue
        if theirs.shape == value.shape and theirs.dtype.kind == "f":
            said = f"uses `{other}` where it should use `{name}`"
            yield Point("wrong factor", said, {name: theirs}, f"{other} in place of {name}")
    for output in evidence.outputs:
        if output.shape == value.shape:
            said = f"uses the output where it should use `{name}`"
            yield Point("wrong factor", said, {name: output})


def _number(name: str, value: float) -> Iterator[Point]:
    for changed in (0, 1):
        if value != changed:
            said = f"leaves `{name}` out, as if it were {changed}"
            yield Point("factor left out", said, {name: type(value)(changed)})
    if isinstance(value, float):
        for said, there in (
            (f"uses {name} - 1 for `{name}`", value - 1),
            (f"uses 1 - {name} for `{name}`", 1 - value),
            (f"uses the square of `{name}`", value**2),
            (f"uses -{name} for `{name}`", -value),
        ):
            yield Point("evaluated at another point", said, {name: there})
