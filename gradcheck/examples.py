"""Examples: which sizes, styles and seeds a subject is tried at, as Hypothesis strategies.

An Example is a small description; the arrays are filled from it by NumPy. So a failure shrinks in
shape first, then masks and integers, then values, and every example replays from a few numbers.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.errors import UsageError
from gradcheck.inputs import Array, Constant, Integers, Mask
from gradcheck.subject import Subject
from gradcheck.values import INTEGER_STYLES, MASK_STYLES, STYLES, Fill, fill, integer_range

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

SMALL, LARGE = 5, 19  # most sizes are small, some reach past a vector width of 16
ALIGNED = (8, 16)  # where a fast path begins
MOST_ELEMENTS = 4096  # of any one input: beyond it a check says no more and costs a lot
SCALES = (0, 0, 0, 0, 0, 0, 3, -3, 6, -10, -30)
SEEDS = 2**16 - 1
MOST_ALONE = 2  # inputs that are zero by themselves, in a run
DRAWS = 64  # kept: those of a module's subjects, whose checks may come in any order


@dataclass(frozen=True)
class Example:
    """Sizes by name, leading axes for `...`, a Fill by input, and a seed for everything else."""

    sizes: tuple[tuple[str, int], ...]
    leading: tuple[int, ...] = ()
    fills: tuple[tuple[str, Fill], ...] = ()
    seed: int = 0

    @property
    def styles(self) -> dict[str, str]:
        return {name: how.style for name, how in self.fills}


def arrays_of(subject: Subject, example: Example) -> dict[str, Any]:
    """The NumPy arrays (float64, complex128, int64, bool) and constants of an example."""
    sizes, fills = dict(example.sizes), dict(example.fills)
    arrays: dict[str, Any] = {}
    for name, item in subject.inputs.items():
        if isinstance(item, Constant):
            value = item.value
            arrays[name] = value.copy() if isinstance(value, np.ndarray) else value
        else:
            arrays[name] = fill(item, fills.get(name, Fill()), sizes, example.leading)
    return arrays


def is_legal(subject: Subject, sizes: Mapping[str, int], leading: tuple[int, ...] = ()) -> bool:
    """Whether every shape exists at these sizes, `where` allows them and they stay small."""
    for item in subject.inputs.values():
        shape = item.shape.sizes(sizes, leading)
        # A literal size is the user's wish: only what was drawn is kept small.
        drawn = item.shape.names or item.shape.leading
        if any(n < 0 for n in shape) or (drawn and np.prod(shape) > MOST_ELEMENTS):
            return False
        if isinstance(item, Array) and _no_element(item, shape):
            return False
        if isinstance(item, Integers) and np.prod(shape):
            low, high = integer_range(item, sizes)
            if low >= high:
                return False
        if isinstance(item, Mask) and item.at_least and shape and shape[-1] < item.at_least:
            return False
    return subject.where is None or _allowed(subject, subject.where, sizes)


def _allowed(subject: Subject, where: Any, sizes: Mapping[str, int]) -> bool:
    try:
        return bool(where(**sizes))
    except Exception as error:
        said = ", ".join(f"{name}={size}" for name, size in sizes.items())
        raise UsageError(
            f"subject {subject.name!r}: where({said}) raised {type(error).__name__}: {error}"
        ) from error


def _no_element(item: Array, shape: tuple[int, ...]) -> bool:
    """Whether the input's domain has nothing of this shape: no row of no entry sums to 1."""
    return item.domain is not None and not item.domain.empty and shape[-1] == 0


def strategy(subject: Subject) -> SearchStrategy[Example]:
    """Examples of a subject: sizes, then masks and integers, then styles, then one seed.

    Drawn as a few choices of strategies built once: drawing is most of what Hypothesis costs.
    """
    from hypothesis import strategies as st

    names = subject.dimension_names
    filled = sorted(
        ((n, item) for n, item in subject.inputs.items() if not isinstance(item, Constant)),
        key=_values_last,
    )
    parts = st.tuples(
        st.tuples(*(_size(subject, name) for name in names)),
        st.lists(st.integers(0, 3), max_size=2).map(tuple)
        if _has_leading(subject)
        else st.just(()),
        st.sampled_from([None, None, *STYLES]),
        st.tuples(*(_style(item) for _, item in filled)),
        st.integers(0, SEEDS),
    )

    def build(drawn: Any) -> Example:
        sizes, leading, together, styles, seed = drawn
        fills = tuple(
            (name, Fill(_joined(item, style, together), scale, (seed + 7 * k) % SEEDS))
            for k, ((name, item), (style, scale)) in enumerate(zip(filled, styles, strict=True))
        )
        return Example(tuple(zip(names, sizes, strict=True)), leading, fills, seed)

    return parts.map(build).filter(lambda e: is_legal(subject, dict(e.sizes), e.leading))


def drawn(subject: Subject, count: int, seed: int) -> list[Example]:
    """`count` examples that Hypothesis draws for this seed: the same for every check.

    An empty list where no sizes are legal.
    """
    from hypothesis import Phase, given
    from hypothesis import seed as seeded
    from hypothesis.errors import Unsatisfiable

    from gradcheck.profiles import hypothesis_settings, the_same_draws

    key = (id(subject), count, seed)
    if key not in _DRAWN:
        found: list[Example] = []

        def keep(example: Example) -> None:
            found.append(example)

        draw = hypothesis_settings(count, Phase.generate)(given(strategy(subject))(keep))
        with contextlib.suppress(Unsatisfiable), the_same_draws():
            seeded(seed)(draw)()
        while len(_DRAWN) > DRAWS:
            _DRAWN.pop(next(iter(_DRAWN)))
        _DRAWN[key] = (subject, list(dict.fromkeys(found)))
    return _DRAWN[key][1]


# The last draws. The subject is held so that its id stays its own.
_DRAWN: dict[tuple[int, int, int], tuple[Subject, list[Example]]] = {}


def canonical(subject: Subject, seed: int) -> Iterator[Example]:
    """A few examples every run begins with: rectangular, square, ones, zeros, and each style."""
    rng = np.random.default_rng([seed, 0xCA])
    seeds = iter(lambda: int(rng.integers(0, SEEDS)), None)
    rectangular = _sizes(subject, lambda k: (3, 2, 4, 5, 6)[k % 5])
    square = _sizes(subject, lambda k: 3)
    last = len(subject.dimension_names) - 1
    recipes = [
        (rectangular, "generic"),
        (square, "plain"),
        (rectangular, "whole"),
        (rectangular, "zeros"),
        (rectangular, "ties"),
        (rectangular, "bounds"),
        (_sizes(subject, lambda k: 1), "generic"),
        (_sizes(subject, lambda k: 2 if k else 0), "generic"),
        (_sizes(subject, lambda k: 17 if k == 0 else 2), "mixed"),
        # Past the blocks of 32 and 128 that kernels work in, on the first axis and on the last.
        (_sizes(subject, lambda k: 131 if k == 0 else 1), "generic"),
        (_sizes(subject, lambda k: 67 if k == last else 1), "generic"),
        # The same aligned, past blocks of 1024, and in the corner of a tile.
        (_sizes(subject, lambda k: 256 if k == 0 else 1), "generic"),
        (_sizes(subject, lambda k: 1056 if k == last else 1), "generic"),
        (_sizes(subject, lambda k: (37, 33)[k] if k < 2 else 1), "generic"),
        (_sizes(subject, lambda k: 7 if k % 2 else 5), "some zeros"),
    ]
    if any(map(_two_ends, subject.inputs.values())):
        recipes.append((_sizes(subject, lambda k: (5, 4, 6)[k % 3]), "across"))
    related: list[Example] = []
    for sizes, style in recipes:
        leading = (2,) if _has_leading(subject) else ()
        if is_legal(subject, sizes, leading):
            fills = tuple(
                (name, Fill(_style_for(item, style), 0, next(seeds)))
                for name, item in subject.inputs.items()
                if not isinstance(item, Constant)
            )
            example = Example(tuple(sizes.items()), leading, fills, next(seeds))
            yield example
            if style == "generic" and sizes == rectangular:
                related = list(_related(subject, example, seed))
    yield from related


def _related(subject: Subject, example: Example, seed: int) -> Iterator[Example]:
    """Inputs that go together in what random ones never do: one zero alone, and all equal."""
    moving = subject.differentiable
    if len(moving) < 2:
        return
    for k in range(min(MOST_ALONE, len(moving))):
        alone = moving[(seed + k) % len(moving)]
        fills = ((n, replace(f, style="zeros") if n == alone else f) for n, f in example.fills)
        yield replace(example, fills=tuple(fills))
    shapes = [subject.inputs[name].shape for name in moving]
    if len(set(map(str, shapes))) < len(shapes):
        same = dict(example.fills)[moving[0]].seed
        fills = ((n, replace(f, seed=same) if n in moving else f) for n, f in example.fills)
        yield replace(example, fills=tuple(fills))


def _two_ends(item: Any) -> bool:
    return isinstance(item, Array) and item.low is not None and item.high is not None


def reseeded(example: Example, offset: int) -> Example:
    """The same sizes and styles with other numbers."""
    fills = tuple((n, replace(f, seed=(f.seed + offset) % SEEDS)) for n, f in example.fills)
    return replace(example, fills=fills, seed=example.seed + offset)


def _sizes(subject: Subject, wanted: Any) -> dict[str, int]:
    sizes = {}
    for k, name in enumerate(subject.dimension_names):
        low, high = (subject.dims or {}).get(name, (0, MOST_ELEMENTS))
        sizes[name] = min(max(wanted(k), low), high)
    return sizes


def _size(subject: Subject, name: str) -> SearchStrategy[int]:
    from hypothesis import strategies as st

    low, high = (subject.dims or {}).get(name, (0, LARGE))
    # A failure shrinks towards size 1; an empty array explains little, so 0 comes last.
    small = [n for n in (*range(1, SMALL + 1), 0) if low <= n <= high]
    if not small:
        return st.integers(low, high)
    few = st.sampled_from(small)
    if high <= SMALL:
        return few
    aligned = [n for n in ALIGNED if low <= n <= high] or small
    some = st.integers(max(low, 1), high) | st.sampled_from(aligned)
    return st.one_of(few, few, few, some)


def _has_leading(subject: Subject) -> bool:
    return any(item.shape.leading for item in subject.inputs.values())


def _values_last(entry: tuple[str, Any]) -> int:
    return 1 if isinstance(entry[1], Array) else 0


def _style(item: Any) -> SearchStrategy[tuple[str, int]]:
    """(style, scale) of one input."""
    from hypothesis import strategies as st

    if isinstance(item, Mask):
        return st.sampled_from([(style, 0) for style in MASK_STYLES])
    if isinstance(item, Integers):
        return st.sampled_from([(style, 0) for style in INTEGER_STYLES])
    bounded = item.low is not None or item.high is not None
    scales = item.domain.scales if item.domain is not None else not bounded
    usual = ["plain", "generic", "generic", *STYLES]
    return st.sampled_from([(s, k) for k in (SCALES if scales else (0,)) for s in usual])


def _joined(item: Any, style: str, together: str | None) -> str:
    """One style for all real inputs where `together` names one: all zero, all tied, ..."""
    return together if together is not None and isinstance(item, Array) else style


def _style_for(item: Any, style: str) -> str:
    if isinstance(item, Mask):
        return {"zeros": "none", "whole": "one", "generic": "all"}.get(style, "random")
    if isinstance(item, Integers):
        return {"ties": "same", "bounds": "high", "whole": "spread"}.get(style, "random")
    return style
