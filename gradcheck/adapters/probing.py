"""Finding shapes by trial: what a forward takes, where nobody has said."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from gradcheck.adapters.nested import leaves
from gradcheck.dimensions import Shape
from gradcheck.inputs import Array, Constant, Input, Integers, Mask
from gradcheck.values import Fill, fill, integer_range

# Two sizes for every free axis: unlikely in anyone's layer, so that a fit is no accident.
FREE = (7, 11)
MOST_TRIALS = 200

Accepts = Callable[[tuple[int, ...]], bool]


def succeeds(function: Callable[..., Any], *args: Any, **kwargs: Any) -> bool:
    """Whether a call returns; whatever it raises only means no."""
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            function(*args, **kwargs)
    except Exception:  # noqa: BLE001 - the question is only whether it can be called so
        return False
    return True


def gives_array(function: Callable[..., Any], *args: Any, **kwargs: Any) -> bool:
    """Whether a call returns something with numbers in it, none of them an object."""
    made: list[Any] = []
    if not succeeds(lambda: made.append(function(*args, **kwargs))):
        return False
    leaf = next(iter(leaves(made[0])), None)
    return leaf is not None and getattr(np.asarray(leaf), "dtype", np.dtype("O")).kind in "fciub"


def fits(declared: Mapping[str, Input], sizes: Mapping[str, int]) -> bool:
    """Whether every declared shape exists at these sizes, and every integer has a value."""
    for item in declared.values():
        if any(n < 0 for n in item.shape.sizes(sizes, ())):
            return False
        if isinstance(item, Integers):
            low, high = integer_range(item, sizes)
            if low >= high:
                return False
    return True


def find_shape(accepts: Accepts, sizes: Iterable[int]) -> str | None:
    """A shape string such as "batch 4" that `accepts`, or None.

    sizes: axis lengths seen in the parameters. A free axis must be accepted at two sizes.
    """
    for candidate in candidates(sorted(set(sizes), reverse=True)):
        if all(accepts(concrete(candidate, free)) for free in FREE):
            return " ".join(map(str, candidate))
    return None


def candidates(sizes: Sequence[int]) -> Iterator[tuple[Any, ...]]:
    """Shapes worth a trial: rows, vectors, columns, sequences, images, then anything free."""
    for n in sizes:
        yield from (("batch", n), (n,), (n, "batch"))
    for n in sizes:
        yield from (("batch", "time", n), ("batch", n, "length"), ("batch", n, "height", "width"))
        yield ("batch", n, "depth", "height", "width")
    for n, m in itertools.permutations(sizes, 2):
        yield from ((n, m), ("batch", n, m))
    yield from (("batch", "features"), ("features",), ("batch", "channels", "height", "width"))
    yield from (("batch", "channels", "length"), ())


def concrete(candidate: Sequence[Any], free: int) -> tuple[int, ...]:
    """A candidate's sizes, each name of its own size from `free` on."""
    names = [axis for axis in candidate if isinstance(axis, str)]
    return tuple(free + names.index(a) if isinstance(a, str) else a for a in candidate)


def pinned(
    accepts: Callable[[Mapping[str, int]], bool], names: Sequence[str], sizes: Iterable[int]
) -> dict[str, tuple[int, int]]:
    """Bounds for dimension names that fit at one size only, found by trial; {} where all fit.

    accepts(sizes by name) says whether the forward runs there.
    """
    free = {name: FREE[0] + k for k, name in enumerate(names)}
    if not names or accepts(free):
        return {}
    known = sorted(set(sizes))
    for count in range(1, len(names) + 1):
        for chosen in itertools.combinations(names, count):
            trials = itertools.product(known, repeat=count)
            for values in itertools.islice(trials, MOST_TRIALS):
                trial = dict(zip(chosen, values, strict=True))
                if accepts({**free, **trial}):
                    return {name: (size, size) for name, size in trial.items()}
    return {}


def numbers(
    declared: Mapping[str, Input], sizes: Mapping[str, int], seed: int = 0
) -> dict[str, Any]:
    """Generic numbers for every declared input at these sizes."""
    made: dict[str, Any] = {}
    for k, (name, item) in enumerate(declared.items()):
        if isinstance(item, Constant):
            made[name] = item.value
            continue
        style = "generic" if isinstance(item, Array) else "random"
        style = "all" if isinstance(item, Mask) else style
        made[name] = fill(item, Fill(style, 0, seed + k), sizes, (2,) if item.shape.leading else ())
    return made


def names_of(declared: Mapping[str, Input]) -> list[str]:
    return list(dict.fromkeys(name for item in declared.values() for name in item.names))


def first_sizes(
    names: Sequence[str], bounds: Mapping[str, tuple[int, int]], start: int = 3
) -> dict[str, int]:
    """A different small size for every name, inside its bounds."""
    sizes = {}
    for k, name in enumerate(names):
        low, high = bounds.get(name, (0, start + k))
        sizes[name] = min(max(start + k, low), high)
    return sizes


def sizes_from(shapes: Mapping[str, Shape], arrays: Mapping[str, Any]) -> dict[str, int]:
    """Sizes by name, read off arrays whose axes are plain names."""
    sizes: dict[str, int] = {}
    for name, shape in shapes.items():
        actual = np.shape(arrays[name])
        own = actual[len(actual) - len(shape.dimensions) :]
        for axis, size in zip(shape.dimensions, own, strict=False):
            if axis.text.isidentifier():
                sizes.setdefault(axis.text, int(size))
    return sizes
