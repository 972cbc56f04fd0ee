"""The records of a run: JSON lines, one object a line, "record" names the kind (docs/records.md).

    with Writer("reports/results.jsonl") as writer:
        writer.write(RunInfo(seed=7, profile="ci"))
        writer.write(Case(subject="dense", check="gradient", verdict="correct"))
    run = read("reports/results.jsonl")

NaN and infinities are the strings "nan", "inf", "-inf", a complex number is "1+2j": every line is
valid JSON. A line that cannot be read is kept as `Unreadable` with its number; the others stand.
"""

from gradcheck.records.case import (
    ArrayRecord,
    Case,
    Coverage,
    Detectable,
    Discard,
    Evidence,
    FindingRecord,
    KinkRecord,
    LevelRecord,
    OracleRecord,
    WrongEntryRecord,
)
from gradcheck.records.names import (
    CLAIM,
    EXCUSED,
    FAILED,
    MAX_VALUES,
    PASSED,
    POWER_FILE,
    SCHEMA,
    VERDICTS,
)
from gradcheck.records.observed import observed, observing
from gradcheck.records.reading import decode, read
from gradcheck.records.run import Run, Unreadable
from gradcheck.records.schema import (
    End,
    Entry,
    KnownFailure,
    Power,
    RecordError,
    RunInfo,
    Section,
    Series,
    Table,
)
from gradcheck.records.writing import Writer, encode, merge, write_text

__all__ = [
    "CLAIM",
    "EXCUSED",
    "FAILED",
    "MAX_VALUES",
    "PASSED",
    "POWER_FILE",
    "SCHEMA",
    "VERDICTS",
    "ArrayRecord",
    "Case",
    "Coverage",
    "Detectable",
    "Discard",
    "End",
    "Entry",
    "Evidence",
    "FindingRecord",
    "KinkRecord",
    "KnownFailure",
    "LevelRecord",
    "OracleRecord",
    "Power",
    "RecordError",
    "Run",
    "RunInfo",
    "Section",
    "Series",
    "Table",
    "Unreadable",
    "Writer",
    "WrongEntryRecord",
    "decode",
    "encode",
    "merge",
    "observed",
    "observing",
    "read",
    "write_text",
]
