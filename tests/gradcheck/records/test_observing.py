"""Hypothesis's test cases are counted while we draw, and nothing of the user's is traced."""

from __future__ import annotations

import sys

import numpy as np
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.internal import observability

from gradcheck import Subject, check
from gradcheck.emit import cases
from gradcheck.records import Coverage, observing

double = Subject("double", lambda x: 2 * x, lambda u, x: {"x": 2 * u}, {"x": "n"})


@settings(max_examples=9, database=None, phases=[Phase.generate])
@given(st.integers())
def drawn(number):
    traced.append(sys.gettrace())


traced = []


def test_cases_are_counted_inside_the_block_alone():
    coverage = Coverage()
    drawn()
    with observing(coverage):
        drawn()
    drawn()
    assert coverage.status == {"judged": 9}
    assert coverage.origin == {"during generate phase": 9}


def test_line_coverage_is_off_inside_and_as_it_was_after():
    before = observability.OBSERVABILITY_COLLECT_COVERAGE
    with observing(Coverage()):
        assert not observability.OBSERVABILITY_COLLECT_COVERAGE
    assert before == observability.OBSERVABILITY_COLLECT_COVERAGE
    assert not observability.observability_enabled()


def test_a_run_tells_how_its_examples_were_drawn():
    (case, *_) = cases(check(double, seed=1, examples=30, checks=["gradient"]))
    assert set(case.coverage.status) == {"judged"}
    assert set(case.coverage.origin) == {"during generate phase"}


def test_what_was_ruled_out_is_told_with_its_reason():
    picky = Subject(
        "pair",
        lambda x, y: np.sum(x) * y,
        lambda u, x, y: {"x": np.full(x.shape, np.sum(u * y)), "y": u * np.sum(x)},
        {"x": "n", "y": "m"},
        where=lambda n, m: n > 2 * m,
    )
    (case, *_) = cases(check(picky, seed=1, examples=30, checks=["gradient"]))
    assert case.coverage.status["sizes not legal"] > 0


def test_shrinking_is_told_apart_from_drawing():
    rng_free = double.but(vjp=lambda u, x: {"x": np.where(x.size > 3, 3.0, 2.0) * u})
    report = check(rng_free, seed=1, examples=30, checks=["gradient"])
    assert report.verdict == "wrong"
    (case, *_) = cases(report)
    assert "during shrink phase" in case.coverage.origin
    assert case.coverage.status["failed"] > 0
