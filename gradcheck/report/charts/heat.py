"""Heat maps: expected, returned, their difference and their ratio, side by side."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from gradcheck.records import ArrayRecord
from gradcheck.report.svg import Chart, Picture, tag
from gradcheck.report.text import index_text, number, plural

ROWS, COLUMNS = 12, 16  # what is drawn of a larger array: the window around the worst entry
WIDTH = 168.0
SHADES = 11  # odd: the middle one is zero
Index = tuple[int, ...]
Grid = list[list[float]]


@dataclass(frozen=True)
class Pair:
    """Two gradients as matrices: trailing axis across, the others down."""

    expected: Grid
    returned: Grid
    shape: tuple[int, ...]

    def map(self, f: Callable[[float, float], float]) -> Grid:
        rows = zip(self.expected, self.returned, strict=True)
        return [[f(e, r) for e, r in zip(*row, strict=True)] for row in rows]

    def index(self, row: int, column: int) -> Index:
        """The array index of a matrix entry."""
        if not self.shape:
            return ()
        leading: list[int] = []
        for size in reversed(self.shape[:-1]):
            row, at = divmod(row, size)
            leading.append(at)
        return (*reversed(leading), column)


def pair_of(expected: ArrayRecord | None, returned: ArrayRecord | None) -> Pair | None:
    """Both gradients where both were recorded, with one shape and at least one entry."""
    if expected is None or returned is None or expected.shape != returned.shape:
        return None
    left, right = ([_real(v) for v in array.flat] for array in (expected, returned))
    if not left or len(left) != len(right):
        return None
    across = expected.shape[-1] if expected.shape else 1
    rows = range(0, len(left), across)
    return Pair(
        [left[k : k + across] for k in rows],
        [right[k : k + across] for k in rows],
        tuple(expected.shape),
    )


def _real(value: complex) -> float:
    return abs(value) if isinstance(value, complex) else float(value)


def heat_maps(
    expected: ArrayRecord | None, returned: ArrayRecord | None, small: bool = False
) -> Chart | None:
    """Four maps of a gradient and what was returned for it; None where they cannot be laid over.

    small: a window of 6 by 8 and a short table, where many failures share one page.
    """
    pair = pair_of(expected, returned)
    if pair is None or len(pair.expected) * len(pair.expected[0]) < 2:
        return None
    off = pair.map(lambda e, r: r - e)
    worst = max(_places(off), key=lambda at: _size(pair.expected[at[0]][at[1]], off[at[0]][at[1]]))
    window = _window(pair, worst, 6, 8) if small else _window(pair, worst)
    shared = _largest(pair.expected + pair.returned)
    ringed = _ringed(pair, off)
    pictures = [
        _picture("expected", pair.expected, window, shared, set()),
        _picture("returned", pair.returned, window, shared, ringed),
        _picture("difference", off, window, _largest(off), ringed),
        _picture("ratio", pair.map(_ratio), window, 2.0, ringed),
    ]
    description = _describe(pair, off, worst, window)
    columns = ("entry", "expected", "returned", "difference", "ratio")
    return Chart("The gradient, entry by entry", description, pictures, columns,
                 _rows(pair, off, 8 if small else 32), wide=len(window[1]) > 5)  # fmt: skip


def thumbnail(expected: ArrayRecord | None, returned: ArrayRecord | None) -> Picture | None:
    """A small map of the difference, for the first screen."""
    pair = pair_of(expected, returned)
    if pair is None or len(pair.expected) * len(pair.expected[0]) < 4:
        return None
    off = pair.map(lambda e, r: r - e)
    worst = max(_places(off), key=lambda at: _size(pair.expected[at[0]][at[1]], off[at[0]][at[1]]))
    name = "difference"
    return _picture(name, off, _window(pair, worst, 6, 8), _largest(off), set(), 72.0)


def _places(grid: Grid) -> Iterable[tuple[int, int]]:
    return ((i, j) for i, row in enumerate(grid) for j in range(len(row)))


def _size(expected: float, off: float) -> float:
    """How far off; NaN is as far as can be, unless nothing was expected there."""
    if expected != expected:
        return -1.0
    return math.inf if off != off else abs(off)


def _largest(grid: Grid) -> float:
    return max((abs(v) for row in grid for v in row if math.isfinite(v)), default=0.0) or 1.0


def _ratio(expected: float, returned: float) -> float:
    return returned / expected - 1 if expected else (0.0 if returned == expected else math.nan)


def _ringed(pair: Pair, off: Grid) -> set[tuple[int, int]]:
    """Entries that are off by more than what rounding of the recorded numbers explains."""
    slack = 1e-6 * _largest(pair.expected)
    return {(i, j) for i, j in _places(off) if _size(pair.expected[i][j], off[i][j]) > slack}


def _window(
    pair: Pair, worst: tuple[int, int], rows: int = ROWS, columns: int = COLUMNS
) -> tuple[range, range]:
    down, across = len(pair.expected), len(pair.expected[0])
    top = max(0, min(worst[0] - rows // 2, down - rows))
    left = max(0, min(worst[1] - columns // 2, across - columns))
    return range(top, min(top + rows, down)), range(left, min(left + columns, across))


def _picture(
    name: str,
    grid: Grid,
    window: tuple[range, range],
    limit: float,
    ringed: set[tuple[int, int]],
    width: float = WIDTH,
) -> Picture:
    rows, columns = window
    side = min(width / len(columns), 40.0 if width > 100 else 28.0)
    shades: dict[str, list[str]] = {}
    rings = []
    for y, i in enumerate(rows):
        for x, j in enumerate(columns):
            if (i, j) in ringed:
                rings.append(f"M{x}.1 {y}.1h.8v.8h-.8z")
        for x, length, shade in _stretches([_shade(grid[i][j], limit) for j in columns]):
            shades.setdefault(shade, []).append(f"M{x} {y}h{length}v1h-{length}z")
    cells = [tag("path", d="".join(d), class_=shade) for shade, d in sorted(shades.items())]
    if rings and len(rings) < len(rows) * len(columns):
        cells.append(tag("path", d="".join(rings), class_="ring"))
    border = tag("rect", width=len(columns), height=len(rows), class_="border")
    shapes = tag("g", *cells, border, transform=f"scale({side:.2f})")
    note = f"±{number(limit, 2)}" if name != "ratio" else "blue < 1 < orange"
    described = f"{name}, blue below zero, orange above, {note}"
    return Picture(name, described, side * len(columns), side * len(rows), shapes, note)


def _stretches(row: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """(start, length, shade) of neighbours with one shade: a third of the bytes."""
    start = 0
    for shade, cells in groupby(row):
        length = len(list(cells))
        yield start, length, shade
        start += length


def _shade(value: float, limit: float) -> str:
    if value != value:
        return "dn"
    share = max(-1.0, min(1.0, value / limit))
    step = round(share * (SHADES // 2))
    if step == 0 and value != 0 and abs(share) > 0.02:
        step = 1 if value > 0 else -1
    return f"d{step + SHADES // 2}"


def _describe(pair: Pair, off: Grid, worst: tuple[int, int], window: tuple[range, range]) -> str:
    wrong = len(_ringed(pair, off))
    total = len(off) * len(off[0])
    said = f"{wrong} of {plural(total, 'entry', 'entries')} differ; "
    i, j = worst
    said += (
        f"the largest difference is at {index_text(pair.index(i, j))}: expected "
        f"{number(pair.expected[i][j])}, returned {number(pair.returned[i][j])}."
    )
    if unknown := sum(v != v for row in pair.expected for v in row):
        said += f" Grey: {plural(unknown, 'entry', 'entries')} of which nothing was expected."
    if len(window[0]) * len(window[1]) < total:
        said += f" Drawn: {len(window[0])} rows and {len(window[1])} columns around it."
    return said


def _rows(pair: Pair, off: Grid, limit: int) -> Sequence[Sequence[object]]:
    """The entries with the largest difference."""
    places = sorted(
        _places(off), key=lambda at: -_size(pair.expected[at[0]][at[1]], off[at[0]][at[1]])
    )[:limit]
    return [
        (index_text(pair.index(i, j)), e := pair.expected[i][j], r := pair.returned[i][j],
         off[i][j], _ratio(e, r) + 1)
        for i, j in places
    ]  # fmt: skip
