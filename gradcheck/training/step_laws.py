"""A name for what a training step does instead of descending the gradient of its loss."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.training.path import Path
from gradcheck.training.taken import Taken, Weights

if TYPE_CHECKING:
    from gradcheck.training.verdict import Verdict

CLOSE = 1e-5  # of a ratio of updates, which carries the error of a numerical gradient
OTHERS = 6  # batches that are tried, each a gradient at all entries

Named = tuple[str | None, str]


@dataclass(frozen=True)
class Update:
    """The wrong update of one array: how it moved, and how it should have."""

    verdict: Verdict
    path: Path
    name: str
    taken: Sequence[Taken]
    moved: np.ndarray
    wanted: np.ndarray

    def is_led(self, gradients: Sequence[Weights], rates: Sequence[float] | None = None) -> bool:
        """Whether the optimizer moves just so with these gradients, or rates."""
        there = self.path.led(gradients, rates)[self.name] - self.path.starts[-1][self.name]
        return _same(self.moved, there)

    def constant(self, over: np.ndarray, what: np.ndarray) -> float | None:
        """The number k with what = k over in all entries that tell, or None."""
        some = np.abs(over) > 1e-6 * np.abs(over).max(initial=0.0)
        if some.sum() < 2:
            return None
        ratios = what[some] / over[some]
        k = float(np.median(ratios))
        return k if np.allclose(ratios, k, rtol=CLOSE, atol=0) else None


def named_fault(
    verdict: Verdict, path: Path, name: str, taken: Sequence[Taken], expected: np.ndarray
) -> Named:
    """The first law that explains the update."""
    start = path.starts[-1][name]
    update = Update(verdict, path, name, taken, path.returned[name] - start, expected - start)
    if not np.isfinite(update.moved).all():
        return None, "it is not finite"
    for law in _laws():
        found = law(update)
        if found is not None:
            return found
    return None, "by no single factor"


def _laws() -> Iterator[Callable[[Update], Named | None]]:
    yield _never
    yield _summed
    yield _stale
    yield _schedule
    yield _precision
    yield _scaled
    yield _decay
    yield _velocity
    yield _clipped
    yield _half_updated
    yield _other_batch


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(np.allclose(a, b, rtol=CLOSE, atol=CLOSE * np.abs(b).max(initial=0.0)))


def _never(u: Update) -> Named | None:
    return None if u.moved.any() else ("never updated", "it does not move at all")


def _summed(u: Update) -> Named | None:
    slopes = u.path.slopes
    names, counts = list(u.path.entries), range(1, len(slopes) + 1)
    summed = [{k: np.sum([s[k] for s in slopes[:n]], axis=0) for k in names} for n in counts]
    if len(slopes) > 1 and u.is_led(summed):
        return "gradient not zeroed", "it follows the sum of all gradients so far"
    return None


def _stale(u: Update) -> Named | None:
    slopes = u.path.slopes
    if len(slopes) > 1 and u.is_led([slopes[0], *slopes[:-1]]):
        return "stale gradient", "it follows the gradient of the step before"
    return None


def _schedule(u: Update) -> Named | None:
    """Another step's rate."""
    rates, number = list(u.verdict.rates), len(u.taken)
    if len(set(rates)) == 1:
        return None
    early = [*rates[1 : number + 1], *rates[-1:]][:number]
    for said, tried in (("next", early), ("previous", [rates[0], *rates[: number - 1]])):
        if u.is_led(u.path.slopes, tried):
            return "schedule off by one", f"it uses the rate of the {said} step"
    if u.is_led(u.path.slopes, rates[:1] * number):
        return "rate of the start kept", "it uses the rate of the first step"
    return None


def _precision(u: Update) -> Named | None:
    if np.allclose(u.moved, u.wanted, rtol=1e-5, atol=1e-6 * np.abs(u.wanted).max()):
        return "precision lost", "it is right to some six or seven digits only: float32 inside"
    return None


def _scaled(u: Update) -> Named | None:
    k = u.constant(u.wanted, u.moved)
    if k is None:
        return None
    if abs(k + 1) < CLOSE:
        return "sign flipped", "it goes the other way"
    told = f"its update is {k:.5g} times the expected one"
    for n, what in _counts(u.taken[-1].batch):
        if n > 1 and abs(k / n - 1) < CLOSE:
            return f"scaled by {n}", f"{told}, {what}: a sum where the loss takes a mean"
        if n > 1 and abs(k * n - 1) < CLOSE:
            return f"scaled by 1/{n}", f"{told}, one over {what}: a mean too many"
    return f"scaled by {k:.5g}", told


def _counts(batch: Any) -> Iterator[tuple[int, str]]:
    """Numbers that a mean over this batch might divide by."""
    parts = batch.values() if isinstance(batch, Mapping) else batch
    for part in parts:
        if isinstance(part, tuple | list | dict):
            yield from _counts(part)
        elif np.ndim(part):
            yield len(part), "the number of rows of the batch"
            yield int(np.size(part)), "the number of entries of an array of the batch"


def _decay(u: Update) -> Named | None:
    k = u.constant(u.path.starts[-1][u.name], u.moved - u.wanted)
    if k is None or abs(k) < 1e-12:
        return None
    share = -k / u.path.rates[-1]
    return "weight decay", f"the weights decay as well, by {share:.4g} times the rate"


def _velocity(u: Update) -> Named | None:
    """What is too much is a share of the previous update."""
    if len(u.taken) < 2:
        return None
    previous = u.path.starts[-1][u.name] - u.path.starts[-2][u.name]
    k = u.constant(previous, u.moved - u.wanted)
    if k is None:
        return None
    return "momentum", f"it carries on {k:.4g} times the step before, beside what is expected"


def _clipped(u: Update) -> Named | None:
    """Entries are as expected, or all of one size."""
    bound = np.abs(u.moved).max()
    at = np.abs(u.moved) >= bound * (1 - CLOSE)
    beyond = np.abs(u.wanted[at]) >= bound * (1 - CLOSE)
    if at.sum() > 1 and beyond.all() and _same(u.moved[~at], u.wanted[~at]):
        return "gradient clipped", f"no entry moves by more than {bound:.4g}"
    return None


def _half_updated(u: Update) -> Named | None:
    """The gradient at weights of which the other arrays were updated already."""
    one = u.taken[-1]
    if len(one.before) < 2:
        return None
    there = {k: one.before[k] if k == u.name else one.after[k] for k in one.before}
    if _follows(u, u.verdict.gradient(one, _only(u), there)):
        return "updated too early", "its gradient is taken after other arrays were updated"
    return None


def _other_batch(u: Update) -> Named | None:
    one = u.taken[-1]
    if not one.batch:
        return None
    for number, other in enumerate(u.verdict.others(u.taken)[:OTHERS], 1):
        if _follows(u, u.verdict.gradient(replace(one, batch=other), _only(u))):
            return "another batch", f"it follows the gradient of another batch, number {number}"
    return None


def _only(u: Update) -> dict[str, np.ndarray]:
    return {u.name: u.path.entries[u.name]}


def _follows(u: Update, measured: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> bool:
    slopes = u.path.slopes
    return u.is_led([*slopes[:-1], slopes[-1] | {u.name: measured[u.name][0]}])
