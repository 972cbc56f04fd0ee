"""Power: planted faults are caught; a wrong subject and an unknown fault are usage errors."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import Subject, records
from gradcheck.emit import powers, save_powers
from gradcheck.errors import UsageError
from gradcheck.power import BENDS, STATEFUL, describe_power, power

dense = Subject(
    "dense",
    forward=lambda x, W: np.tanh(x @ W),
    vjp=lambda u, x, W: {
        "x": (u * (1 - np.tanh(x @ W) ** 2)) @ W.T,
        "W": x.T @ (u * (1 - np.tanh(x @ W) ** 2)),
    },
    inputs={"x": "batch n", "W": "n m"},
)
SOME = ["sign flipped", "one entry doubled", "mutation", "contiguous assumption", "wrong shape"]


def test_planted_faults_are_caught():
    results = power(dense, seed=2, faults=SOME)
    assert [r.fault for r in results] == [f for f in (*BENDS, *STATEFUL) if f in SOME]
    assert all(r.caught and r.checks for r in results), describe_power(results)
    assert {r.fault: r.named for r in results}["sign flipped"] == "sign flipped"
    assert f"{len(SOME)} of {len(SOME)} planted faults caught" in describe_power(results)


def test_what_changes_nothing_is_not_planted():
    vector = Subject("twice", lambda x: 2 * x, lambda u, x: {"x": 2 * u}, {"x": "n"})
    assert power(vector, seed=1, examples=6, faults=["transposed"]) == []


def test_a_cache_of_what_no_gradient_needs_is_no_fault():
    """The gradient of a linear function is the same at every input, remembered or not."""
    linear = Subject("twice", lambda x: 2 * x, lambda u, x: {"x": 2 * u}, {"x": "n"})
    assert power(linear, seed=1, examples=6, faults=["stale cache"]) == []
    (found,) = power(dense, seed=1, examples=6, faults=["stale cache"])
    assert found.caught


def test_quick_stops_where_a_fault_is_caught_and_goes_on_where_not():
    """One entry of two hundred is wrong: only a large example, late in the list, has so many."""
    found = power(dense, seed=2, faults=["sign flipped", "tail zeroed"], quick=True)
    assert [r.caught for r in found] == [True, True], describe_power(found)
    whole = power(dense, seed=2, faults=["sign flipped"])
    assert set(found[0].checks) <= set(whole[0].checks)


def test_what_was_planted_becomes_records_that_replace_older_ones(tmp_path):
    found = power(dense, seed=2, faults=["sign flipped"], quick=True)
    (record,) = powers("dense", found)
    assert (record.subject, record.fault, record.caught) == ("dense", "sign flipped", True)
    assert record.by == found[0].checks[0]
    old = [records.Power("dense", "old"), records.Power("other", "kept")]
    save_powers(old, tmp_path)
    save_powers([record], tmp_path)
    assert records.read(tmp_path).powers == [records.Power("other", "kept"), record]


def test_a_wrong_subject_cannot_be_planted_in():
    wrong = dense.but(vjp=lambda u, x, W: {"x": u @ W.T, "W": x.T @ u})
    with pytest.raises(UsageError, match="does not pass as it is"):
        power(wrong, seed=1)


def test_an_unknown_fault_is_named():
    with pytest.raises(UsageError, match="unknown fault 'nonsense'"):
        power(dense, seed=1, examples=6, faults=["nonsense"])
