"""The record of one case: what was verified, how it went, and what each finding shows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from gradcheck.records.names import EXCUSED, MAX_VALUES, PASSED

Number = float | complex | int | bool
Nested = Any  # nested lists of Number


@dataclass(slots=True)
class ArrayRecord:
    """An array: nested lists up to 1,000 elements, else the path of an artifact."""

    shape: list[int] = field(default_factory=list)
    dtype: str = ""
    values: Nested = None
    artifact: str = ""

    @classmethod
    def of(cls, array: Any, artifact: str = "") -> ArrayRecord:
        """The record of a NumPy array or scalar; `artifact` is where a large one is kept."""
        small = array.size <= MAX_VALUES
        values = array.tolist() if small else None
        return cls(list(array.shape), str(array.dtype), values, "" if small else artifact)

    @property
    def flat(self) -> list[Number]:
        """The numbers in row-major order, [] where they are in an artifact."""
        return [] if self.values is None else list(_flatten(self.values))


@dataclass(slots=True)
class LevelRecord:
    """One step size of the numerical derivative; truncation and noise are absolute errors of it."""

    step: float
    estimate: float = math.nan
    truncation: float = math.nan
    noise: float = math.nan
    chosen: bool = False


@dataclass(slots=True)
class KinkRecord:
    """One-sided derivatives and the claim; alpha: where it lies from left (0) to right (1).

    convention: what was declared ("subgradient", "twin", a number as text).
    """

    left: float = math.nan
    right: float = math.nan
    claimed: float = math.nan
    alpha: float = math.nan
    count: int = 0
    index: list[int] | None = None
    point_defect: bool = False
    convention: str = ""


@dataclass(slots=True)
class WrongEntryRecord:
    """One entry of a gradient that is off."""

    index: list[int]
    expected: Number = math.nan
    returned: Number = math.nan


@dataclass(slots=True)
class Evidence:
    """What a failure's plots are drawn from; every part may be missing.

    expected, returned: the gradient arrays; claimed: the directional derivative the VJP implies,
    as `levels` estimate it; tolerance: what their difference was held against; factor: returned /
    expected where one number fits.
    """

    levels: list[LevelRecord] = field(default_factory=list)
    expected: ArrayRecord | None = None
    returned: ArrayRecord | None = None
    kink: KinkRecord | None = None
    claimed: float | None = None
    factor: Number | None = None
    tolerance: float | None = None
    wrong_entries: list[WrongEntryRecord] = field(default_factory=list)


@dataclass(slots=True)
class FindingRecord:
    """One thing that is wrong. cause: findings with the same text are shown as one group."""

    kind: str = ""
    check: str = ""
    input: str = ""
    index: list[int] | None = None
    expected: Number | None = None
    returned: Number | None = None
    fault: str = ""
    message: str = ""
    cause: str = ""
    hint: str = ""
    example: dict[str, ArrayRecord] = field(default_factory=dict)
    script: str = ""
    artifacts: list[str] = field(default_factory=list)
    evidence: Evidence = field(default_factory=Evidence)


@dataclass(slots=True)
class Detectable:
    """Smallest relative error that would have been seen: of the gradient, of one median entry."""

    whole: float = math.nan
    entry: float = math.nan


@dataclass(slots=True)
class Discard:
    """A reason for which examples were not judged, and how many."""

    message: str
    count: int = 1


@dataclass(slots=True)
class OracleRecord:
    """One oracle's directional derivative of one input, with its estimated error.

    example: figures of one subject, input and example are of the same derivative.
    """

    name: str
    input: str = ""
    value: float = math.nan
    error: float = math.nan
    example: int = 0


@dataclass(slots=True)
class Coverage:
    """What the examples held, as counts of examples.

    dims: {dimension: {size: count}}; distance: kink distance, {"at the kink" or a power of ten
    such as "1e-3": count}; kinks: examples with a point at a kink; status and origin: what
    Hypothesis says of its test cases (`observed`).
    """

    dims: dict[str, dict[str, int]] = field(default_factory=dict)
    styles: dict[str, int] = field(default_factory=dict)
    layouts: dict[str, int] = field(default_factory=dict)
    masks: dict[str, int] = field(default_factory=dict)
    distance: dict[str, int] = field(default_factory=dict)
    kinks: int = 0
    status: dict[str, int] = field(default_factory=dict)
    origin: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Case:
    """One subject, check, dtype and device. score: worst error over tolerance (above 1 is off).

    reason: why it was skipped, is a known failure, or could not be decided.
    run: index into `Run.infos`, set when read.
    """

    subject: str
    check: str = ""
    dtype: str = "float64"
    device: str = "cpu"
    verdict: str = PASSED
    source: str = ""
    score: float | None = None
    detectable: dict[str, Detectable] = field(default_factory=dict)
    examples: int = 0
    discards: list[Discard] = field(default_factory=list)
    seconds: float = 0.0
    evaluations: int = 0
    coverage: Coverage | None = None
    oracles: list[OracleRecord] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    reason: str = ""
    findings: list[FindingRecord] = field(default_factory=list)
    run: int = field(default=0, metadata={"kept": False})

    @property
    def id(self) -> str:
        """subject::check::dtype::device, as in pytest's ids and in known_failures."""
        return f"{self.subject}::{self.check}::{self.dtype}::{self.device}"

    @property
    def failed(self) -> bool:
        """Neither correct nor skipped nor a known failure."""
        return self.verdict not in EXCUSED


def _flatten(values: Nested) -> Iterator[Number]:
    if isinstance(values, list):
        for item in values:
            yield from _flatten(item)
    else:
        yield values
