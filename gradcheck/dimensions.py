"""Shape strings: "batch 4*units", "length - 2", "... features", and the sizes they stand for."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from gradcheck.errors import UsageError

Sizes = Mapping[str, int]

_TOKEN = re.compile(r"\s*(\.\.\.|//|[A-Za-z_]\w*|\d+|[-+*(),])")
_OPERATORS = {"+", "-", "*", "//"}
_NODES = (ast.Expression, ast.BinOp, ast.Name, ast.Constant, ast.Load)
_BINARY = (ast.Add, ast.Sub, ast.Mult, ast.FloorDiv)


@dataclass(frozen=True)
class Dimension:
    """One axis: an integer expression in named sizes, such as 3, `units` or `4*units`."""

    text: str

    @property
    def names(self) -> tuple[str, ...]:
        nodes = ast.walk(_parsed(self.text))
        return tuple(dict.fromkeys(node.id for node in nodes if isinstance(node, ast.Name)))

    def size(self, sizes: Sizes) -> int:
        """The axis length; negative where the sizes do not fit together."""
        return _evaluate(_parsed(self.text).body, sizes)


@dataclass(frozen=True)
class Shape:
    """A parsed shape string; `leading` where it starts with `...` for any leading axes."""

    text: str
    dimensions: tuple[Dimension, ...]
    leading: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for d in self.dimensions for name in d.names))

    def sizes(self, sizes: Sizes, leading: tuple[int, ...] = ()) -> tuple[int, ...]:
        own = tuple(d.size(sizes) for d in self.dimensions)
        return leading + own if self.leading else own

    def __str__(self) -> str:
        return self.text


@cache
def parse_shape(text: str) -> Shape:
    """Read a shape string: axes apart by spaces or commas, `...` first for leading axes.

    Raises UsageError, naming the string, where it does not parse.
    """
    groups = _groups(text)
    leading = bool(groups) and groups[0] == "..."
    own = groups[1:] if leading else groups
    if "..." in own:
        raise UsageError(f"shape {text!r}: '...' may only stand first")
    return Shape(text, tuple(dimension(group, text) for group in own), leading)


def shape_of(given: object) -> Shape:
    """A Shape from a string, an integer, or a sequence of names and integers."""
    if isinstance(given, Shape):
        return given
    if isinstance(given, str):
        return parse_shape(given)
    if isinstance(given, int):
        return parse_shape(str(given))
    if isinstance(given, Iterable):
        return parse_shape(", ".join(str(axis) for axis in given))
    raise UsageError(f"shape {given!r}: expected a string such as 'batch features'")


def dimension(text: str, whole: str | None = None) -> Dimension:
    """One integer expression, checked: names, integers, + - * // and brackets."""
    where = f"shape {whole!r}" if whole is not None else f"dimension {text!r}"
    try:
        tree = _parsed(text)
    except SyntaxError:
        raise UsageError(f"{where}: {text!r} is not an integer expression") from None
    for node in ast.walk(tree):
        if isinstance(node, _BINARY) or (
            isinstance(node, ast.Constant) and type(node.value) is int
        ):
            continue
        if not isinstance(node, _NODES) or isinstance(node, ast.Constant):
            raise UsageError(f"{where}: {text!r} may hold names, integers and + - * //")
    return Dimension(text)


@cache
def _parsed(text: str) -> ast.Expression:
    return ast.parse(text, mode="eval")


def _groups(text: str) -> list[str]:
    """Split at commas, and where two operands stand side by side."""
    groups: list[str] = []
    previous, position, depth = ",", 0, 0
    while match := _TOKEN.match(text, position):
        token, position = match.group(1), match.end()
        opens = token not in _OPERATORS and token not in {")", ","}
        joined = previous in _OPERATORS or previous == "(" or (depth > 0 and previous != ",")
        depth += {"(": 1, ")": -1}.get(token, 0)
        if token != ",":
            if opens and not joined:
                groups.append(token)
            elif groups:
                groups[-1] += token
            else:
                raise UsageError(f"shape {text!r}: starts with {token!r}")
        previous = token
    if text[position:].strip():
        raise UsageError(f"shape {text!r}: cannot read {text[position:].strip()!r}")
    return groups


def _evaluate(node: ast.expr, sizes: Sizes) -> int:
    if isinstance(node, ast.Constant):
        return int(node.value)  # type: ignore[arg-type]
    if isinstance(node, ast.Name):
        return sizes[node.id]
    assert isinstance(node, ast.BinOp)
    left, right = _evaluate(node.left, sizes), _evaluate(node.right, sizes)
    if isinstance(node.op, ast.Add):
        return left + right
    if isinstance(node.op, ast.Sub):
        return left - right
    if isinstance(node.op, ast.Mult):
        return left * right
    return left // right if right else -1
