"""Records -> JSON lines, written beside and renamed."""

from __future__ import annotations

import json
import math
import numbers
import os
from collections.abc import Iterable, Mapping
from dataclasses import is_dataclass
from itertools import chain
from pathlib import Path
from typing import IO, Any

from gradcheck.records.case import Case
from gradcheck.records.reading import read
from gradcheck.records.run import Run
from gradcheck.records.schema import (
    NAMES,
    End,
    Power,
    Record,
    RecordError,
    RunInfo,
    Section,
    kept_fields,
)


class Writer:
    """Writes records line by line to `path`.part, which close() renames to `path`.

    A run that dies leaves the .part file, which `read` understands, and the previous `path`.
    Several processes write one file each; `merge` or `read` puts them together.
    Raises RecordError where the folder cannot be written to or the disk is full.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.part = self.path.with_name(self.path.name + ".part")
        self._file: IO[str] | None = None
        with _ClearErrors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.part.open("w", encoding="ascii", newline="\n")

    def write(self, record: Record | Mapping[str, Any]) -> None:
        """One line, flushed: a crash loses nothing that was written before it."""
        line = encode(record)
        with _ClearErrors(self.path):
            if self._file is None:
                raise OSError("the writer is closed")
            self._file.write(line + "\n")
            self._file.flush()

    def close(self) -> None:
        """Puts the file in place of the previous one. Closing twice is harmless."""
        if self._file is None:
            return
        file, self._file = self._file, None
        with _ClearErrors(self.path):
            file.close()
            self.part.replace(self.path)

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _ClearErrors:
    """Turns an OSError into a RecordError of one line that names the file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            why = error.strerror or str(error)
            raise RecordError(f"cannot write {self.path}: {why}") from error


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Writes beside `path`, then renames: what was there stays whole until the new text is."""
    target = Path(path)
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    with _ClearErrors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            beside.write_text(text, encoding="utf-8", newline="\n")
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)


def merge(
    paths: Iterable[str | os.PathLike[str]], path: str | os.PathLike[str], *, remove: bool = False
) -> Run:
    """Reads the files of several workers, writes one file at `path`, and returns the run.

    remove: delete the workers' files once the merged one is in place.
    """
    sources = [Path(source) for source in paths]
    run = read(sources)
    with Writer(path) as writer:
        for number, info in enumerate(run.infos):
            writer.write(info)
            own = chain[Case | End](run.cases, run.ends)
            for record in (record for record in own if record.run == number):
                writer.write(record)
        for extra in chain[Power | Section](run.powers, run.sections):
            writer.write(extra)
    for source in sources if remove else ():
        if source.is_file() and source.resolve() != Path(path).resolve():
            source.unlink()
    return run


def encode(record: Record | Mapping[str, Any]) -> str:
    """One line of JSON, ASCII only. Fields that hold their default are left out."""
    if isinstance(record, Mapping):
        plain = _plain(record)
    else:
        plain = {"record": NAMES[type(record)], **_plain(record)}
        if isinstance(record, RunInfo):
            plain["schema"] = record.schema
    return json.dumps(plain, allow_nan=False, separators=(",", ":"))


def _plain(value: Any) -> Any:
    """`value` as JSON can hold it; NumPy scalars and arrays become numbers and lists."""
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, numbers.Complex):
        return str(complex(value)).strip("()")
    if is_dataclass(value):
        return _plain_fields(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, Iterable):
        return [_plain(item) for item in value]
    return str(value)


def _plain_fields(value: Any) -> dict[str, Any]:
    plain = {}
    kind: type = type(value)
    for name, default in kept_fields(kind):
        item = getattr(value, name)
        both_nan = item != item and default != default
        if type(item) is not type(default) or (item != default and not both_nan):
            plain[name] = _plain(item)
    return plain
