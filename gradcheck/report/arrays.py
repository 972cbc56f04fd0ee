"""Arrays as text in aligned columns: what the smallest example looks like."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product

from gradcheck.records import ArrayRecord
from gradcheck.report.text import count, number, plural

ROWS, COLUMNS, BLOCKS = 12, 12, 4  # of one array; the script holds the rest


@dataclass(frozen=True)
class ArrayText:
    """name, kind ("float64 [2, 3]"), the numbers in columns, and what was left out."""

    name: str
    kind: str
    body: str
    note: str


def array_text(name: str, array: ArrayRecord) -> ArrayText:
    """The array as lines of text; a large one is cut and says so."""
    kind = f"{array.dtype} {array.shape}" if array.shape else f"{array.dtype} scalar"
    if array.values is None:
        return ArrayText(name, kind, "", f"in {array.artifact}" if array.artifact else "not kept")
    flat = array.flat
    if not flat:
        return ArrayText(name, kind, "(empty)", "")
    cells = [[number(v, 5) for v in row] for row in _rows(flat, array.shape)]
    return ArrayText(name, kind, "\n".join(_lines(cells, array.shape)), _left_out(array.shape))


def _rows(flat: Sequence[complex], shape: Sequence[int]) -> Iterator[Sequence[complex]]:
    across = shape[-1] if shape else 1
    for start in range(0, len(flat), across):
        yield flat[start : start + min(across, COLUMNS)]


def _lines(cells: list[list[str]], shape: Sequence[int]) -> Iterator[str]:
    down = shape[-2] if len(shape) > 1 else 1
    width = max(len(cell) for row in cells for cell in row)
    leading = list(islice(product(*map(range, shape[:-2])), BLOCKS)) if len(shape) > 2 else [()]
    for block, index in enumerate(leading):
        if index:
            yield f"[{', '.join(map(str, index))}]"
        for row in cells[block * down : block * down + min(down, ROWS)]:
            more = "  …" if shape and shape[-1] > COLUMNS else ""
            yield "  ".join(cell.rjust(width) for cell in row) + more
        if down > ROWS:
            yield "…"


def _left_out(shape: Sequence[int]) -> str:
    total = math.prod(shape)
    blocks = math.prod(shape[:-2]) if len(shape) > 2 else 1
    rows = shape[-2] if len(shape) > 1 else 1
    across = shape[-1] if shape else 1
    kept = min(blocks, BLOCKS) * min(rows, ROWS) * min(across, COLUMNS)
    return f"{count(kept)} of {plural(total, 'element')}" if kept < total else ""
