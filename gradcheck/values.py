"""Filling arrays from a seed, in the styles that gradients go wrong at: one function a style."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from gradcheck.dimensions import Dimension, Sizes
from gradcheck.errors import UsageError
from gradcheck.inputs import Array, Bound, Input, Integers, Mask

Rng = np.random.Generator
Numbers = np.ndarray

# A standard normal is mapped into an open interval through the logistic curve, kept this far
# (relative to the width) from ends that do not belong to the domain.
OPEN_MARGIN = 2.0**-10
# Ends of this ratio are filled in even ratios: evenly, a share of 1 / FAR would lie near the low.
FAR = 64.0


@dataclass(frozen=True)
class Fill:
    """How one input is filled: style, a power of two for its scale, and a seed.

    among: where given, the entries are these in turn, shuffled, None for what the style says.
    """

    style: str = "plain"
    scale: int = 0
    seed: int = 0
    among: tuple[float | None, ...] = ()


def plain(rng: Rng, shape: tuple[int, ...]) -> Numbers:
    """Multiples of 1/8 with no zero among them: easy to read, and exact in every precision."""
    eighths = rng.integers(1, 17, shape) / 8.0
    return np.asarray(eighths * rng.choice([-1.0, 1.0], shape))


def generic(rng: Rng, shape: tuple[int, ...]) -> Numbers:
    return np.asarray(rng.standard_normal(shape))


def whole(rng: Rng, shape: tuple[int, ...]) -> Numbers:
    """Small integers: zeros, ties and clip bounds such as 1, 3 and 6 happen."""
    return np.asarray(rng.integers(-6, 7, shape).astype(np.float64))


def zeros(rng: Rng, shape: tuple[int, ...]) -> Numbers:
    return np.zeros(shape)


def some_zeros(rng: Rng, shape: tuple[int, ...]) -> Numbers:
    """Two fifths zeros; in every other row one alone: the product's gradient is then its own."""
    kept = rng.random(shape) > 0.4
    if len(shape) > 1 and shape[-1] > 1:
        rows = kept.reshape(-1, shape[-1])
        single = rows[::2]
        single[:] = True
        single[np.arange(len(single)), rng.integers(0, shape[-1], len(single))] = False
    return np.asarray(generic(rng, shape) * kept)


def zero_row(rng: Rng, shape: tuple[int, ...]) -> Numbers:
    numbers = generic(rng, shape)
    if numbers.ndim and shape[0]:
        numbers[rng.integers(shape[0])] = 0.0
    return numbers


def ties(rng: Rng, shape: tuple[int, ...]) -> Numbers:
    """Only two or three different values: maxima, sorts and norms meet equal entries."""
    return np.asarray(rng.choice(generic(rng, (3,)), shape))


def mixed(rng: Rng, shape: tuple[int, ...]) -> Numbers:
    """Magnitudes from 2^-12 to 2^6 side by side in one array."""
    return np.asarray(generic(rng, shape) * 2.0 ** rng.integers(-12, 7, shape))


def across(rng: Rng, shape: tuple[int, ...]) -> Numbers:
    """Replaced by numbers spread over the whole domain where it has two ends."""
    return generic(rng, shape)


def bounds(rng: Rng, shape: tuple[int, ...]) -> Numbers:
    """Replaced by the domain's own ends where it has them; integers otherwise."""
    return whole(rng, shape)


# Simplest first: a failing example shrinks towards the first style that still fails.
STYLES: dict[str, Callable[[Rng, tuple[int, ...]], Numbers]] = {
    "plain": plain,
    "generic": generic,
    "whole": whole,
    "zeros": zeros,
    "some zeros": some_zeros,
    "zero row": zero_row,
    "ties": ties,
    "mixed": mixed,
    "across": across,
    "bounds": bounds,
}
MASK_STYLES = ("random", "all", "none", "one", "prefix")
INTEGER_STYLES = ("random", "same", "low", "high", "spread")
KINK_STYLES = frozenset({"whole", "zeros", "some zeros", "zero row", "ties", "bounds"})


def fill(item: Input, how: Fill, sizes: Sizes, leading: tuple[int, ...]) -> Numbers:
    """The numbers of one input, float64 (complex128), int64 or bool."""
    shape = item.shape.sizes(sizes, leading)
    rng = np.random.default_rng([how.seed, 0x6C])
    if isinstance(item, Mask):
        return _mask(item, how, rng, shape)
    if isinstance(item, Integers):
        return _integers(item, how, rng, shape, sizes)
    assert isinstance(item, Array)
    numbers = _array(item, how, rng, shape)
    if how.among:
        count = int(np.prod(shape))
        choice = rng.permutation(np.arange(count) % len(how.among)).reshape(shape)
        for k, value in enumerate(how.among):
            numbers = numbers if value is None else np.where(choice == k, value, numbers)
    # No -0.0: 1 / sqrt(-0.0) is no fault of anyone's.
    return np.asarray(numbers + 0.0)


def inside(item: Array, numbers: Iterable[float]) -> list[float]:
    """Those of the numbers that belong to the domain."""
    low = -math.inf if item.low is None else item.low
    high = math.inf if item.high is None else item.high
    return [x for x in numbers if (low < x < high if item.open else low <= x <= high)]


def integer_range(item: Integers, sizes: Sizes) -> tuple[int, int]:
    """The [low, high) of an integer input at these sizes."""
    return _bound(item.low, sizes), _bound(item.high, sizes)


def _array(item: Array, how: Fill, rng: Rng, shape: tuple[int, ...]) -> Numbers:
    if item.values is not None:
        return _own_values(item, rng, shape)
    numbers = STYLES[how.style](rng, shape) * 2.0**how.scale
    if item.complex:
        return np.asarray(numbers + 1j * STYLES[how.style](rng, shape) * 2.0**how.scale)
    if item.domain is not None and item.domain.onto is not None:
        return item.domain.onto(numbers)
    return _into_domain(item, how, numbers, rng)


def _own_values(item: Array, rng: Rng, shape: tuple[int, ...]) -> Numbers:
    assert item.values is not None
    numbers = np.asarray(item.values(rng, shape))
    if numbers.shape != shape:
        raise UsageError(f"array(values=...) gave shape {numbers.shape} where {shape} was asked")
    return numbers.astype(np.complex128 if np.iscomplexobj(numbers) else np.float64)


def _into_domain(item: Array, how: Fill, numbers: Numbers, rng: Rng) -> Numbers:
    low, high = item.low, item.high
    if low is None and high is None:
        return np.asarray(numbers)
    if how.style == "bounds" and not item.open:
        ends = [end for end in (low, high) if end is not None]
        at_end = rng.random(numbers.shape) < 0.5
        inner = _squeeze(numbers, low, high, False)
        return np.where(at_end, rng.choice(ends, numbers.shape), inner)
    if how.style == "across" and low is not None and high is not None:
        return _spread(numbers, low, high, rng, item.open)
    return _squeeze(numbers, low, high, item.open)


def _spread(numbers: Numbers, low: float, high: float, rng: Rng, open: bool) -> Numbers:
    """Anywhere between the ends; in even ratios where they are positive and far apart."""
    shares = rng.random(numbers.shape)
    if open:
        shares = OPEN_MARGIN + (1 - 2 * OPEN_MARGIN) * shares
    if low > 0 and high > FAR * low:
        return np.asarray(np.clip(low * (high / low) ** shares, low, high))
    return np.asarray(np.clip(low + (high - low) * shares, low, high))


def _squeeze(numbers: Numbers, low: float | None, high: float | None, open: bool) -> Numbers:
    """Keep what lies inside; reflect or fold the rest back in, off the ends where open."""
    if low is not None and high is not None:
        width = high - low
        margin = OPEN_MARGIN * width if open else 0.0
        inside = (numbers > low if open else numbers >= low) & (
            numbers < high if open else numbers <= high
        )
        folded = low + margin + (width - 2 * margin) / (1 + np.exp(-np.clip(numbers, -30, 30)))
        return np.where(inside, numbers, folded)
    end = low if low is not None else high
    assert end is not None
    sign = 1.0 if low is not None else -1.0
    distance = np.abs(numbers - end)
    if open:
        distance = np.where(distance > 0, distance, 0.5)
    return np.asarray(end + sign * distance)


def _mask(item: Mask, how: Fill, rng: Rng, shape: tuple[int, ...]) -> Numbers:
    keep = np.zeros(shape, dtype=bool)
    length = shape[-1] if shape else 0
    if how.style == "all":
        keep[...] = True
    elif how.style == "random":
        keep = rng.random(shape) < 0.6
    elif how.style == "prefix" and shape:
        keep = np.arange(length) < rng.integers(0, length + 1, (*shape[:-1], 1))
    elif how.style == "one" and keep.size:
        keep[(..., rng.integers(length)) if shape else ()] = True
    if how.style != "all" and item.at_least and shape:
        order = np.argsort(np.argsort(rng.random(shape) - keep, axis=-1), axis=-1)
        keep = keep | (order < item.at_least)
    return np.asarray(keep, dtype=bool)


def _integers(item: Integers, how: Fill, rng: Rng, shape: tuple[int, ...], sizes: Sizes) -> Numbers:
    low, high = integer_range(item, sizes)
    count = int(np.prod(shape))
    if count == 0:
        return np.zeros(shape, dtype=np.int64)
    if how.style == "same":
        return np.full(shape, rng.integers(low, high), dtype=np.int64)
    if how.style in ("low", "high"):
        return np.full(shape, low if how.style == "low" else high - 1, dtype=np.int64)
    if how.style == "spread":
        return low + rng.permutation(np.arange(count) % (high - low)).reshape(shape)
    return np.asarray(rng.integers(low, high, shape, dtype=np.int64))


def _bound(bound: Bound, sizes: Sizes) -> int:
    return bound.size(sizes) if isinstance(bound, Dimension) else bound
