"""What is written is read back, and every line is JSON that any reader takes."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck.records import (
    FAILED,
    VERDICTS,
    ArrayRecord,
    Case,
    Coverage,
    Detectable,
    Discard,
    End,
    Entry,
    Evidence,
    FindingRecord,
    KinkRecord,
    KnownFailure,
    LevelRecord,
    OracleRecord,
    Power,
    RunInfo,
    Section,
    Series,
    Table,
    WrongEntryRecord,
    decode,
    encode,
)


def joined(text):
    """Two surrogates that make a pair are one character in JSON: nothing tells them apart."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


TEXT = st.text(st.characters(), max_size=20).map(joined)  # surrogates, control characters
FLOATS = st.floats()
NUMBERS = st.one_of(FLOATS, st.integers(-(10**400), 10**400), st.complex_numbers(), st.booleans())
COUNTS = st.dictionaries(TEXT, st.integers(0, 10**6), max_size=3)


def lists(strategy):
    return st.lists(strategy, max_size=3)


ARRAYS = st.integers(0, 3).flatmap(
    lambda n: st.builds(
        ArrayRecord, st.just([n]), st.just("float64"), st.lists(FLOATS, min_size=n, max_size=n)
    )
)
LEVELS = st.builds(LevelRecord, FLOATS, FLOATS, FLOATS, FLOATS, st.booleans())
INDICES = st.none() | lists(st.integers(0, 9))
KINKS = st.builds(
    KinkRecord, FLOATS, FLOATS, FLOATS, FLOATS, st.integers(), INDICES, st.booleans(), TEXT
)
ENTRIES = st.builds(WrongEntryRecord, lists(st.integers(0, 9)), NUMBERS, NUMBERS)
EVIDENCE = st.builds(
    Evidence,
    lists(LEVELS),
    st.none() | ARRAYS,
    st.none() | ARRAYS,
    st.none() | KINKS,
    st.none() | FLOATS,
    st.none() | NUMBERS,
    st.none() | FLOATS,
    lists(ENTRIES),
)
FINDINGS = st.builds(
    FindingRecord,
    kind=st.sampled_from(FAILED),
    check=TEXT,
    input=TEXT,
    index=INDICES,
    expected=st.none() | NUMBERS,
    returned=st.none() | NUMBERS,
    fault=TEXT,
    message=TEXT,
    cause=TEXT,
    hint=TEXT,
    example=st.dictionaries(TEXT, ARRAYS, max_size=2),
    script=TEXT,
    artifacts=lists(TEXT),
    evidence=EVIDENCE,
)
COVERAGE = st.builds(
    Coverage,
    st.dictionaries(TEXT, COUNTS, max_size=2),
    COUNTS,
    COUNTS,
    COUNTS,
    COUNTS,
    st.integers(0, 99),
    COUNTS,
    COUNTS,
)
CASES = st.builds(
    Case,
    subject=TEXT,
    check=TEXT,
    dtype=TEXT,
    device=TEXT,
    verdict=st.sampled_from(VERDICTS),
    source=TEXT,
    score=st.none() | FLOATS,
    detectable=st.dictionaries(TEXT, st.builds(Detectable, FLOATS, FLOATS), max_size=2),
    examples=st.integers(0, 10**6),
    discards=lists(st.builds(Discard, TEXT, st.integers(0, 99))),
    seconds=FLOATS,
    evaluations=st.integers(0, 10**6),
    coverage=st.none() | COVERAGE,
    oracles=lists(st.builds(OracleRecord, TEXT, TEXT, FLOATS, FLOATS)),
    remarks=lists(TEXT),
    reason=TEXT,
    findings=lists(FINDINGS),
)
OTHERS = st.one_of(
    st.builds(
        RunInfo,
        seed=st.none() | st.integers(),
        commit=TEXT,
        versions=st.dictionaries(TEXT, TEXT, max_size=2),
        devices=lists(TEXT),
        known_failures=lists(st.builds(KnownFailure, TEXT, TEXT, st.integers(0, 9))),
    ),
    st.builds(Power, TEXT, TEXT, st.booleans(), TEXT),
    st.builds(
        Section,
        TEXT,
        TEXT,
        st.none() | st.builds(Table, lists(TEXT), lists(lists(TEXT | st.integers()))),
        lists(st.builds(Series, TEXT, lists(FLOATS), lists(FLOATS))),
        lists(st.builds(Entry, TEXT, TEXT, TEXT, TEXT, TEXT)),
        st.booleans(),
    ),
    st.builds(End, FLOATS, st.none() | st.integers(), COUNTS),
)


def refuse(constant):
    raise AssertionError(f"{constant} is not JSON")


@given(CASES | OTHERS)
def test_every_record_comes_back_as_it_was(record):
    assert repr(decode(encode(record))) == repr(record)


@given(CASES | OTHERS)
def test_a_line_is_one_line_of_ascii_and_standard_json(record):
    line = encode(record)
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line, parse_constant=refuse)["record"]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_values_without_a_json_form_are_strings(value):
    line = encode(Case("dense", score=value))
    assert f'"score":"{value}"' in line
    assert repr(decode(line).score) == repr(value)


def test_numpy_numbers_and_arrays_are_taken():
    record = decode(
        encode(
            Case(
                "dense",
                score=np.float32(0.5),
                findings=[
                    FindingRecord(
                        index=(np.int64(1), 2),
                        expected=np.complex128(1 + 2j),
                        example={"x": ArrayRecord.of(np.array([[1.0, np.nan], [2.0, np.inf]]))},
                    )
                ],
            )
        )
    )
    finding = record.findings[0]
    assert (record.score, finding.index, finding.expected) == (0.5, [1, 2], 1 + 2j)
    assert finding.example["x"].shape == [2, 2]
    assert repr(finding.example["x"].flat) == "[1.0, nan, 2.0, inf]"


def test_a_large_array_is_an_artifact_and_a_small_one_is_not():
    small, large = np.zeros((10, 100)), np.zeros((10, 101))
    assert ArrayRecord.of(small, "x.npz").artifact == ""
    assert len(ArrayRecord.of(small).flat) == 1000
    assert ArrayRecord.of(large, "x.npz") == ArrayRecord([10, 101], "float64", None, "x.npz")
    assert ArrayRecord.of(large).flat == []


def test_a_mapping_is_written_as_it_is():
    assert (
        decode(encode({"record": "case", "subject": "relu", "score": math.nan})).subject == "relu"
    )
