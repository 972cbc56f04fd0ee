"""Numbers, places and factors in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def number(value: Any) -> str:
    """Six digits; a fraction such as 1/3 or 2/3 where it is one."""
    value = complex(value)
    if abs(value.imag) > 1e-12 * abs(value):
        return f"{value.real:.6g}{value.imag:+.6g}j"
    return f"{value.real + 0.0:.6g}"


def apart(first: Any, second: Any) -> tuple[str, str]:
    """Two numbers with as many digits as tell them apart, six at the least."""
    a, b = complex(first), complex(second)
    if a.imag or b.imag or number(a) != number(b):
        return number(first), number(second)
    for digits in range(7, 18):
        told = f"{a.real:.{digits}g}", f"{b.real:.{digits}g}"
        if told[0] != told[1]:
            return told
    return number(first), number(second)


def _named_constants() -> tuple[tuple[str, float], ...]:
    roots = (("ln 2", np.log(2)), ("ln 10", np.log(10)), ("pi", np.pi), ("sqrt(2)", 2**0.5),
             ("sqrt(pi)", np.pi**0.5), ("sqrt(2 pi)", (2 * np.pi) ** 0.5), ("2 pi", 2 * np.pi),
             ("pi/180", np.pi / 180), ("sqrt(pi)/2", np.pi**0.5 / 2), ("sqrt(3)", 3**0.5),
             ("sqrt(2/pi)", (2 / np.pi) ** 0.5), ("pi/2", np.pi / 2), ("e", np.e))  # fmt: skip
    over = {"pi/180": "180/pi", "sqrt(pi)/2": "2/sqrt(pi)", "sqrt(2/pi)": "sqrt(pi/2)",
            "pi/2": "2/pi", "2 pi": "1/(2 pi)"}  # fmt: skip
    inverse = tuple((over.get(said, f"1/{said}"), 1 / value) for said, value in roots)
    return (*roots, *inverse)


# What a factor of a log, a Gaussian, an angle or a Fourier transform is made of.
CONSTANTS = _named_constants()


def factor(value: float) -> str:
    """A factor by the name people give it: 2, -1, 1/2, 3/4, else six digits."""
    value = value + 0.0 if abs(value) > 1e-12 else 0.0
    if 1e-9 < abs(abs(value) - 1) < 1e-5:
        return f"{value:.{2 - int(np.floor(np.log10(abs(abs(value) - 1))))}g}"
    for denominator in (1, 2, 3, 4, 5, 6, 8, 16):
        top = value * denominator
        if abs(top - round(top)) <= 1e-6 * abs(top) and 0 < abs(round(top)) <= 1000:
            return f"{round(top)}" if denominator == 1 else f"{round(top)}/{denominator}"
    for said, constant in CONSTANTS:
        if abs(abs(value) - constant) <= 1e-7 * constant:
            return said if value > 0 else f"-{said}"
    return f"{value:.6g}"


def entry(name: str, index: Sequence[int]) -> str:
    """`x[0, 1]`, or `x` for a scalar."""
    return f"`{name}[{', '.join(map(str, index))}]`" if len(index) else f"`{name}`"


def listed(items: Sequence[str], joint: str = "and") -> str:
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {joint} {items[-1]}"


def axis(names: Sequence[str], k: int) -> str:
    """An axis by its name, or by its number."""
    return f"`{names[k]}`" if names[k] else f"axis {k}"


# One clause a finding: what is longer goes on past the end of a line or two.
LONGEST = 200


def clause(text: str, most: int = LONGEST) -> str:
    """A sentence up to its last whole clause within so many characters."""
    if len(text) <= most:
        return text
    ends = [text.rfind(mark, 40, most) for mark in (": ", "; ", ", ")]
    return text[: max(ends)] if max(ends) > 0 else f"{text[: most - 3]}..."


def quoted(text: str, most: int = 120) -> str:
    """What an exception says, to stand inside a sentence: no full stop, not too long."""
    text = " ".join(text.split()).rstrip(".")
    text = text.replace(". ", "; ")
    return text if len(text) <= most else f"{text[: most - 3].rstrip()}..."


# What people call the axis along which a recurrence runs.
TIME = ("time", "t", "steps", "step", "length", "seq", "sequence", "timesteps", "seq_len")

# Factors that need no other reason.
PLAIN = ("2", "1/2", "-1", "3", "4", "-2", "-1/2")


def known_factor(values: Sequence[float], sizes: Sequence[Mapping[str, float]]) -> str | None:
    """The formula in the sizes that gives every one of `values`, or None.

    sizes: named numbers at each example: sizes of dimensions, scalar inputs. A plain number wins
    where all values agree; of the formulas the first that fits is the simplest.
    """
    names = [n for n in sizes[0] if all(n in s for s in sizes)]
    if np.ptp(values) <= 1e-6 * abs(values[0]):
        plain = factor(float(np.mean(values)))
        scalars = [n for n in names if n.startswith("`")]
        return plain if plain in PLAIN else _single(values, sizes, scalars) or plain
    dims = [n for n in names if not n.startswith("the ")]
    counts = [n for n in names if n.startswith("the ")]
    told = _single(values, sizes, dims) or _product(values, sizes, dims)
    return told or _single(values, sizes, counts)


def _single(
    values: Sequence[float], sizes: Sequence[Mapping[str, float]], names: Sequence[str]
) -> str | None:
    for text, formula in _FORMULAS:
        for name in names:
            told = [formula(float(s[name])) for s in sizes]
            if np.allclose(told, values, rtol=1e-6, atol=0):
                return text.format(name)
    return None


def _product(
    values: Sequence[float], sizes: Sequence[Mapping[str, float]], names: Sequence[str]
) -> str | None:
    """A product or a quotient of two sizes, where three examples can tell."""
    if len(values) < 2:
        return None
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            pairs = [(float(s[a]), float(s[b])) for s in sizes]
            for text, told in (
                (f"{a}*{b}", [p * q for p, q in pairs]),
                (f"1/({a}*{b})", [1 / (p * q) if p * q else np.nan for p, q in pairs]),
                (f"{a}/{b}", [p / q if q else np.nan for p, q in pairs]),
                (f"{b}/{a}", [q / p if p else np.nan for p, q in pairs]),
                (f"2/({a}*{b})", [2 / (p * q) if p * q else np.nan for p, q in pairs]),
                (f"sqrt({a}*{b})", [abs(p * q) ** 0.5 for p, q in pairs]),
            ):
                for sign in (1.0, -1.0):
                    if np.allclose(np.multiply(sign, told), values, rtol=1e-6, atol=0):
                        return text if sign > 0 else f"-{text}"
    return None


def _over(power: float, top: float = 1.0) -> Any:
    def formula(n: float) -> float:
        if n == 0 and power < 0:
            return float("nan")
        return float(top * abs(n) ** power * (np.sign(n) if power % 2 == 1 else 1.0))

    return formula


_FORMULAS: tuple[tuple[str, Any], ...] = (
    ("{}", _over(1)),
    ("1/{}", _over(-1)),
    ("sqrt({})", _over(0.5)),
    ("1/sqrt({})", _over(-0.5)),
    ("2/{}", _over(-1, 2.0)),
    ("{}/2", _over(1, 0.5)),
    ("2*{}", _over(1, 2.0)),
    ("1/(2*{})", _over(-1, 0.5)),
    ("{}^2", _over(2)),
    ("1/{}^2", _over(-2)),
    ("-{}", _over(1, -1.0)),
    ("-1/{}", _over(-1, -1.0)),
    ("{0}/({0} - 1)", lambda n: n / (n - 1) if n != 1 else float("nan")),
    ("({0} - 1)/{0}", lambda n: (n - 1) / n if n else float("nan")),
    ("1 - {}", lambda n: 1 - n),
    ("1/(1 - {})", lambda n: 1 / (1 - n) if n != 1 else float("nan")),
    ("1 + {}", lambda n: 1 + n),
    ("{0}/(1 - {0})", lambda n: n / (1 - n) if n != 1 else float("nan")),
    ("(1 - {0})/{0}", lambda n: (1 - n) / n if n else float("nan")),
)
