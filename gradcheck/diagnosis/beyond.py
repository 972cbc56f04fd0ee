"""Wrong where a value lies beyond a bound or between two: the entry's own, a difference, ..."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from gradcheck.diagnosis.along import off
from gradcheck.diagnosis.evidence import Evidence
from gradcheck.diagnosis.explanation import Explanation
from gradcheck.diagnosis.words import number
from gradcheck.evaluation import ForwardRaised

# Bounds at which people cut, the plainest first: one of them between right and wrong is named.
CUTS = (0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0, 6.0, 0.1, -0.1)
# A mistake that has fallen to this share of its largest is fading out, not ending at a bound.
FADED = 1e-3
# Values made of several inputs separate right from wrong by chance where there are few entries.
ENOUGH = 3
# A bound is looked for by halving; nearer than this to it a difference would step across.
HALVINGS, NEAR = 12, 0.02

Inverse = Callable[[np.ndarray, float], np.ndarray]


@dataclass(frozen=True)
class Value:
    """A number for every entry; back: what the entries must be for it to be so much."""

    said: str
    of: np.ndarray
    back: Inverse


@dataclass(frozen=True)
class Seen:
    """The entries of one example: which were wrong, which were measured, and by how much off."""

    evidence: Evidence
    wrong: np.ndarray
    known: np.ndarray

    @property
    def off(self) -> np.ndarray:
        off = np.abs(self.evidence.true - self.evidence.claimed)
        return np.asarray(np.nan_to_num(off).max(axis=0).reshape(self.evidence.shape))


def explain(
    seen: list[Seen], how: str, fresh: Callable[[], list[Seen]] = list
) -> Explanation | None:
    """seen: all examples, the first that of the finding; how: what stands in the wrong entries.

    fresh: other numbers, where a value that is not the entry's own must tell them apart as well.
    """
    told = _separated(seen, how)
    if told is None or told[1]:
        return told and told[0]
    told = _separated([*seen, *fresh()], how)
    return told and told[0]


def _separated(seen: list[Seen], how: str) -> tuple[Explanation, bool] | None:
    """What tells wrong entries from right ones, and whether it is the entry's own value."""
    name = seen[0].evidence.name
    wrong = np.concatenate([s.wrong[s.known] for s in seen])
    off = np.concatenate([s.off[s.known] for s in seen])
    told = [{v.said: v for v in _values(s.evidence)} for s in seen]
    for said in told[0]:
        if any(said not in values for values in told):
            continue
        value = np.concatenate([v[said].of[s.known] for v, s in zip(told, seen, strict=True)])
        own = said in (f"`{name}`", f"|{name}|")
        if not own and min(np.sum(wrong), np.sum(~wrong)) < ENOUGH:
            continue
        where = _range(said, value, wrong, off, _Search(seen, told, said), own)
        if where is None:
            continue
        sign = {f"{said} < 0": "negative", f"{said} > 0": "positive"}.get(where) if own else None
        told_so = Explanation(
            f"the gradient of `{name}` {how} where {where}, and right elsewhere",
            f"wrong where {sign}" if sign else "wrong beyond a bound",
            f"wrong where {where}",
            "a branch, a clip or a mask on the values",
        )
        return told_so, own
    return None


def _values(evidence: Evidence) -> Iterator[Value]:
    x, name = evidence.array, evidence.name
    yield Value(f"`{name}`", x, np.full_like)
    yield Value(f"|{name}|", np.abs(x), lambda x, t: np.where(x < 0, -t, t))
    others = {n: np.asarray(given) for n, given in evidence.scene.arrays.items() if n != name}
    fit = {n: o for n, o in others.items() if o.dtype.kind == "f" and o.size and _fits(o, x)}
    for other, o in fit.items():
        yield Value(f"`{other}`", np.broadcast_to(o, x.shape), _nowhere)
    for other, o in fit.items():
        yield from _of_two(name, x, other, o)
    for output in evidence.outputs:
        if output.shape == x.shape and evidence.one_output and not np.iscomplexobj(output):
            yield Value("the output", output, _nowhere)


def _nowhere(x: np.ndarray, t: float) -> np.ndarray:
    """No entry of its own makes the value so much."""
    return np.full_like(x, np.nan)


def _of_two(name: str, x: np.ndarray, other: str, o: np.ndarray) -> Iterator[Value]:
    def at_distance(x: np.ndarray, t: float) -> np.ndarray:
        return np.asarray(o + np.where(x < o, -t, t))

    def above(x: np.ndarray, t: float) -> np.ndarray:
        return np.broadcast_to(o + t, x.shape)

    def quotient(x: np.ndarray, t: float) -> np.ndarray:
        return np.broadcast_to(t / o, x.shape)

    yield Value(f"|{name} - {other}|", np.abs(x - o), at_distance)
    yield Value(f"`{name}` - `{other}`", x - o, above)
    if np.all(o != 0):
        yield Value(f"`{name}` times `{other}`", x * o, quotient)


def _fits(o: np.ndarray, x: np.ndarray) -> bool:
    """Whether o broadcasts to the shape of x."""
    pairs = zip(o.shape[::-1], x.shape[::-1], strict=False)
    return o.ndim <= x.ndim and all(m in (1, n) for m, n in pairs)


@dataclass(frozen=True)
class _Search:
    """Where the bound is, between a value at which an entry is right and a wrong one."""

    seen: list[Seen]
    told: list[dict[str, Value]]
    said: str

    def __call__(self, right: float, wrong: float) -> tuple[float, float]:
        """The two values, drawn together as far as single entries tell."""
        found = self._entry(wrong)
        if found is None:
            return right, wrong
        for _ in range(HALVINGS):
            middle = (right + wrong) / 2
            if abs(right - wrong) <= NEAR * max(abs(middle), 1.0):
                break
            told = self._off(*found, middle)
            if told is None:
                break
            right, wrong = (right, middle) if told else (middle, wrong)
        return right, wrong

    def _entry(self, wrong: float) -> tuple[Evidence, Value, tuple[int, ...]] | None:
        """An entry that has the value at which it is wrong."""
        for s, values in zip(self.seen, self.told, strict=True):
            at = np.argwhere(s.wrong & s.known & (values[self.said].of == wrong))
            if len(at):
                return s.evidence, values[self.said], tuple(at[0])
        return None

    def _off(self, evidence: Evidence, value: Value, at: tuple[int, ...], t: float) -> bool | None:
        scene, name = evidence.scene, evidence.name
        x = evidence.array.copy()
        x[at] = np.broadcast_to(value.back(evidence.array, t), x.shape)[at]
        if not np.isfinite(x[at]):
            return None
        only = np.zeros(x.shape)
        only[at] = 1.0
        try:
            arrays = {**scene.arrays, name: x}
            return off(replace(scene, arrays=arrays, outputs=scene.forward(arrays)), name, only)
        except ForwardRaised:
            return None


def _range(
    said: str, value: np.ndarray, wrong: np.ndarray, off: np.ndarray, search: _Search, own: bool
) -> str | None:
    """The values between which all is wrong and outside of which all is right."""
    bad, good = value[wrong], value[~wrong]
    if len(bad) < 2 or len(good) < 2:
        return None
    low, high = bad.min(), bad.max()
    below, above = good[good < low], good[good > high]
    if len(below) + len(above) < len(good):
        return None
    ends = off[wrong][[int(np.argmin(bad)), int(np.argmax(bad))]] < FADED * np.max(off)
    start = len(below) > 0 and not (ends[0] and len(above))
    stop = len(above) > 0 and not (ends[1] and len(below))
    if not (start or stop) or (start and stop and (len(bad) < 3 or not own)):
        return None
    lower = _cut(*search(below.max(), low)) if start else ""
    upper = _cut(*search(above.min(), high)) if stop else ""
    if start and stop:
        return f"{said} is between {lower} and {upper}"
    bound, sign = (lower, ">") if start else (upper, "<")
    if bound.startswith("a bound"):
        return f"{said} is {'above' if start else 'below'} {bound}"
    return f"{said} {sign} {bound}"


def _cut(right: float, wrong: float) -> str:
    """A bound inside a gap, by its usual name."""
    low, high = min(right, wrong), max(right, wrong)
    named = [cut for cut in CUTS if low <= cut <= high]
    if len(named) == 1:
        return f"{named[0]:g}"
    wide = high - low > max(abs(low), abs(high)) / 4
    if wide or high - low > 4 * NEAR * max(abs(low), abs(high), 1.0):
        return f"a bound between {number(low)} and {number(high)}"
    tenths = [k / 10 for k in range(int(np.ceil(10 * low)), int(np.floor(10 * high)) + 1)]
    return f"{tenths[0]:g}" if len(tenths) == 1 else f"about {(low + high) / 2:.2g}"
