"""Text and numbers as they are shown: nothing from a record reaches the page otherwise."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

from markupsafe import Markup, escape

LONG = 2000  # characters of one piece of text; a longer one is cut, and says so

# Characters that are invisible, that reorder the text around them, or that no encoding can carry.
_TRICKY = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
# A browser breaks a line after any hyphen, the one of 1.5e-16 too.
_HYPHENATED = re.compile(r"(?<![\w.-])-?\d[\d.]*e[-+]\d+|(?<![\w.-])-\d[\d.]*\d|(?<![\w.-])-\d")
_WORDS = {0: "no", 1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven"}
_WORDS |= {8: "eight", 9: "nine", 10: "ten", 11: "eleven", 12: "twelve"}


def clean(text: str, limit: int = LONG) -> str:
    """`text` with tricky characters made visible, cut at `limit` characters."""
    if len(text) > limit:
        text = f"{text[:limit]}… ({count(len(text))} characters, cut here)"
    if text.isascii() and text.isprintable():
        return text
    return _TRICKY.sub(_visible, text)


def _visible(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x20:
        return chr(0x2400 + code)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def shown(value: Any) -> Any:
    """What the templates print: cleaned text, a number in few digits, "" for None."""
    if isinstance(value, Markup):
        return value
    if value is None:
        return ""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float, complex)):
        return number(value)
    return clean(str(value))


def number(value: Any, digits: int = 6) -> str:
    """A number in at most `digits` significant digits: 0.25, 3.1e-09, nan, 1+2j."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int):
        return str(value) if abs(value) < 10**9 else f"{_as_float(value):.{digits}g}"
    if value == 0:
        return "0"
    if isinstance(value, complex):
        sign = "-" if math.copysign(1.0, value.imag) < 0 else "+"
        return f"{number(value.real, digits)}{sign}{number(abs(value.imag), digits)}j"
    text = f"{value:.{digits}g}"
    if "e+" in text and abs(value) < 1e5:
        return f"{float(text):.0f}"
    return _exponent(text)


def _as_float(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _exponent(text: str) -> str:
    """1e-09 -> 1e-9, 1e+08 -> 1e8."""
    mantissa, mark, power = text.partition("e")
    return f"{mantissa}e{int(power)}" if mark else text


def apart(left: Any, right: Any) -> tuple[str, str]:
    """Two numbers in as many digits as it takes to tell them apart, at least five."""
    for digits in (5, 8, 11, 14, 17):
        pair = number(left, digits), number(right, digits)
        if pair[0] != pair[1]:
            return pair
    return number(left, 5), number(right, 5)


def count(value: int) -> str:
    """12345 -> 12,345."""
    return f"{value:,}"


def word(value: int) -> str:
    """Small counts as words, for headlines."""
    return _WORDS.get(value, count(value))


def plural(value: int, one: str, many: str = "") -> str:
    """1 case, 2 cases."""
    return f"{count(value)} {one if value == 1 else many or one + 's'}"


def duration(seconds: float) -> str:
    """0.042 -> 42 ms, 75 -> 1 min 15 s."""
    if not math.isfinite(seconds):
        return number(seconds)
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms"
    if seconds < 100:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def index_text(index: Sequence[int] | None) -> str:
    """(0, 1) -> [0, 1]; "" where there is none; "the scalar" for ()."""
    if index is None:
        return ""
    return "[" + ", ".join(map(str, index)) + "]" if len(index) else "the scalar"


def slug(*parts: str) -> str:
    """An id that is safe in a link; different parts may meet in one slug, so number it."""
    return re.sub(r"[^A-Za-z0-9_.]+", "-", "-".join(parts))[:80].strip("-.") or "x"


def href(path: str) -> str:
    """A link to a file beside the page, or "" where `path` is not one (a scheme, .., absolute)."""
    parts = path.replace("\\", "/").split("/")
    if not path or len(path) > 300 or ".." in parts or not parts[0] or _TRICKY.search(path):
        return ""
    return "./" + "/".join(quote(part, safe="") for part in parts)


def listing(words: Iterable[str], limit: int = 6) -> str:
    """a, b and c; a, b, … and 4 more."""
    items = [clean(item, 120) for item in words]
    rest = len(items) - limit
    if rest > 0:
        return f"{', '.join(items[:limit])} and {count(rest)} more"
    return " and ".join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else "".join(items)


def short(value: Any, limit: int = 120) -> str:
    """A name that keeps to its place: cut at `limit` characters, without saying how long it is."""
    words = str(value)
    return clean(words if len(words) <= limit else words[: limit - 1] + "…")


def alike(words: str) -> str:
    """What is left of a message without its numbers and the names between backticks."""
    return re.sub(r"`[^`]*`|\d+", "#", words[:LONG])


def middle(words: str, limit: int) -> str:
    """A label cut in its middle: names of one family differ at their ends."""
    if len(words) <= limit:
        return clean(words)
    head = (limit - 1) // 2
    return clean(f"{words[:head]}…{words[head + 1 - limit :]}")


def cell(value: Any) -> str:
    """What a cell of somebody else's table shows: text, a number, or anything as text."""
    return short(shown(value), 400)


def breakable(value: str, limit: int = 120) -> Markup:
    """An id that may be broken after ::, and nowhere else if it can be helped."""
    return escape(short(value, limit)).replace("::", Markup("::<wbr>"))


def prose(sentence: str, limit: int = LONG) -> Markup:
    """A sentence that begins with a capital; what stands between backticks is code."""
    return code(sentence[:1].upper() + sentence[1:], limit)


def _whole_numbers(words: str) -> Markup:
    return Markup(_HYPHENATED.sub(r'<span class="keep">\g<0></span>', str(escape(words))))


def code(words: str, limit: int = LONG) -> Markup:
    """Text in which what stands between backticks is code, and numbers stay in one piece."""
    parts = short(words, limit).split("`")
    if len(parts) % 2 == 0:  # an odd backtick is a backtick
        parts = [*parts[:-2], f"{parts[-2]}`{parts[-1]}"]
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number_ % 2 else _whole_numbers(part)
        for number_, part in enumerate(parts)
    )
