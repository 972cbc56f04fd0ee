"""JSON lines -> records. What does not fit the schema is named with its line and skipped."""

from __future__ import annotations

import json
import math
import os
import sys
import types
import typing
from collections.abc import Callable, Iterable, Iterator
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

from gradcheck.records.case import ArrayRecord, Nested, Number
from gradcheck.records.run import Run, Unreadable
from gradcheck.records.schema import KINDS, Record, RecordError, kept_fields


def read(paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> Run:
    """The run told by one file or several, merged. A folder stands for its results*.jsonl files.

    Raises RecordError where a file is missing or no file is found; never for what a line holds.
    """
    if isinstance(paths, (str, os.PathLike)):
        paths = [paths]
    run = Run()
    for path in _files(paths):
        run.new_file()
        try:
            with path.open("rb") as file:
                _read_lines(run, str(path), file)
        except OSError as error:
            raise RecordError(f"cannot read {path}: {error.strerror or error}") from error
    return run


def _files(paths: Iterable[str | os.PathLike[str]]) -> Iterator[Path]:
    for path in map(Path, paths):
        if not path.is_dir():
            yield path
            continue
        found = sorted(path.glob("results*.jsonl"))
        whole = {file.name for file in found}
        found += [p for p in sorted(path.glob("results*.jsonl.part")) if p.stem not in whole]
        if not found:
            raise RecordError(f"no results.jsonl in {path}: was anything run with a report there?")
        yield from found


def _read_lines(run: Run, path: str, lines: Iterable[bytes]) -> None:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            run.add(decode(line))
        except (ValueError, RecursionError) as error:
            run.unreadable.append(Unreadable(path, number, _reason(error, line)))


def _reason(error: Exception, line: bytes) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return "not UTF-8"
    if isinstance(error, json.JSONDecodeError):
        return "truncated" if not line.endswith(b"\n") else "not JSON"
    return str(error)


def decode(line: str | bytes) -> Record:
    """The record of one line. Unknown fields are ignored; ValueError says what is wrong."""
    text = line.decode("utf-8-sig") if isinstance(line, bytes) else line
    plain = json.loads(text)
    if not isinstance(plain, dict):
        raise ValueError("not a record: no JSON object")
    kind = KINDS.get(name) if isinstance(name := plain.get("record"), str) else None
    if kind is None:
        raise ValueError(f"not a record of gradcheck: record={name!r:.80}")
    record: Record = _decoder(kind)(plain)
    return record


class _Mismatch(ValueError):
    """A field holds something else than its type says."""


@cache
def _decoder(kind: Any) -> Callable[[Any], Any]:
    """Turns plain JSON into `kind`, which a field of a record is annotated with."""
    if is_dataclass(kind):
        return _object_decoder(typing.cast(type, kind))
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is list:
        return _list_decoder(_decoder(arguments[0]))
    if origin is dict:
        return _dict_decoder(_decoder(arguments[1]))
    if origin in (typing.Union, types.UnionType):
        return _union_decoder(arguments)
    return {str: _text, int: _integer, float: _real, bool: _flag}.get(kind, lambda value: value)


def _union_decoder(arguments: tuple[Any, ...]) -> Callable[[Any], Any]:
    """`T | None`, or a number of whatever kind."""
    rest = [argument for argument in arguments if argument is not type(None)]
    inner = _decoder(rest[0]) if len(rest) == 1 else _number
    if len(rest) == len(arguments):
        return inner
    return lambda value: None if value is None else inner(value)


def _object_decoder(kind: type) -> Callable[[Any], Any]:
    hints = typing.get_type_hints(kind)
    known = {name: _decoder(hints[name]) for name, _ in kept_fields(kind)}
    needed = [f.name for f in fields(kind) if f.default is f.default_factory is MISSING]

    def decode_object(plain: Any) -> Any:
        if not isinstance(plain, dict):
            raise _Mismatch(f"{kind.__name__} must be an object, not {plain!r:.60}")
        for name in needed:
            if name not in plain:
                raise _Mismatch(f"{kind.__name__} without {name!r}")
        found = {}
        for name, value in plain.items():
            if name in known:
                try:
                    found[name] = known[name](value)
                except _Mismatch as error:
                    raise _Mismatch(f"{name}: {error}") from None
        made = kind(**found)
        if kind is ArrayRecord:
            _check_array(made)
        return made

    return decode_object


def _check_array(array: ArrayRecord) -> None:
    if array.values is None:
        return
    array.values = _numbers(array.values)
    if len(array.flat) != math.prod(array.shape):
        raise _Mismatch(f"values: {len(array.flat)} numbers for shape {array.shape}")


def _numbers(value: Any) -> Nested:
    return [_numbers(item) for item in value] if isinstance(value, list) else _number(value)


def _list_decoder(inner: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def decode_list(value: Any) -> Any:
        if not isinstance(value, list):
            raise _Mismatch(f"must be a list, not {value!r:.60}")
        return [inner(item) for item in value]

    return decode_list


def _dict_decoder(inner: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def decode_dict(value: Any) -> Any:
        if not isinstance(value, dict):
            raise _Mismatch(f"must be an object, not {value!r:.60}")
        return {sys.intern(name): inner(item) for name, item in value.items()}

    return decode_dict


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _Mismatch(f"must be text, not {value!r:.60}")
    return sys.intern(value) if len(value) < 100 else value


def _integer(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _Mismatch(f"must be an integer, not {value!r:.60}")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Mismatch(f"must be true or false, not {value!r:.60}")
    return value


def _real(value: Any) -> float:
    number = _number(value)
    if isinstance(number, complex):
        raise _Mismatch(f"must be real, not {value!r:.60}")
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _number(value: Any) -> Number:
    if isinstance(value, (float, int)):
        return value
    if isinstance(value, str) and len(value) < 100:
        for kind in (float, complex):
            try:
                return kind(value)
            except ValueError:
                continue
    raise _Mismatch(f"must be a number, not {value!r:.60}")


def _flatten(values: Nested) -> Iterator[Number]:
    if isinstance(values, list):
        for item in values:
            yield from _flatten(item)
    else:
        yield values
