"""What each record holds. Field names are those of the JSON; docs/records.md explains them."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from typing import Any

from gradcheck.errors import GradcheckError
from gradcheck.records.case import Case
from gradcheck.records.names import CLAIM as CLAIM
from gradcheck.records.names import SCHEMA


class RecordError(GradcheckError):
    """Records cannot be written or read at all; the message is one line naming the file."""


@dataclass(slots=True)
class KnownFailure:
    """An entry of `known_failures`: `used` is how many cases it excused."""

    pattern: str
    reason: str = ""
    used: int = 0


@dataclass(slots=True)
class RunInfo:
    """What was run, where, and how to repeat it. Workers of one run share `id`."""

    id: str = ""
    schema: int = SCHEMA
    seed: int | None = None
    profile: str = ""
    commit: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    devices: list[str] = field(default_factory=list)
    command: str = ""
    started: str = ""
    platform: str = ""
    known_failures: list[KnownFailure] = field(default_factory=list)


@dataclass(slots=True)
class Power:
    """A fault planted in the gradient of one input of a subject, and the check that caught it."""

    subject: str
    fault: str = ""
    caught: bool = False
    by: str = ""
    input: str = ""


@dataclass(slots=True)
class Table:
    """Columns and rows of text or numbers."""

    columns: list[str] = field(default_factory=list)
    rows: list[list[Any]] = field(default_factory=list)


@dataclass(slots=True)
class Series:
    """One curve: y against x, or against 0, 1, 2, ... where x is empty."""

    name: str = ""
    x: list[float] = field(default_factory=list)
    y: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Entry:
    """A catalogue entry: a documented layer or scheme. formula: LaTeX (a subset), shown as MathML.

    subject: a name or a glob (`name`, where empty): the cases whose verdicts are shown beside it.
    """

    name: str
    formula: str = ""
    convention: str = ""
    source: str = ""
    subject: str = ""


@dataclass(slots=True)
class Section:
    """What a suite wants to show beyond verdicts. log: y on a logarithmic axis."""

    title: str = ""
    text: str = ""
    table: Table | None = None
    series: list[Series] = field(default_factory=list)
    catalogue: list[Entry] = field(default_factory=list)
    log: bool = False


@dataclass(slots=True)
class End:
    """The end of a run: its wall time, exit status, and cases counted by verdict."""

    seconds: float = 0.0
    exit_status: int | None = None
    totals: dict[str, int] = field(default_factory=dict)
    run: int = field(default=0, metadata={"kept": False})


Record = RunInfo | Case | Power | Section | End
KINDS: dict[str, type] = {"run": RunInfo, "case": Case, "power": Power, "section": Section}
KINDS["end"] = End
NAMES = {kind: name for name, kind in KINDS.items()}


@cache
def kept_fields(kind: type) -> tuple[tuple[str, Any], ...]:
    """The fields of a record that are in the file, each with its default."""
    return tuple(
        (f.name, f.default if f.default_factory is MISSING else f.default_factory())
        for f in fields(kind)
        if f.metadata.get("kept", True)
    )
