"""Two runs, case by case."""

import pytest

from gradcheck.records import Case, Detectable, Run, RunInfo
from gradcheck.report import compare, render

BASE = {"subject": "dense", "check": "gradient", "seconds": 1.0}


def changed(before, after):
    old = Run.of(RunInfo(started="2026-01-01"), Case(**(BASE | before)))
    return compare(Run.of(Case(**(BASE | after))), old)


SEEN = {"W": Detectable(1e-9, 1e-8)}
BLIND = {"W": Detectable(1e-7, 1e-6)}
CHANGES = {
    "new_failures": ({}, {"verdict": "wrong"}),
    "fixed": ({"verdict": "wrong"}, {}),
    "changed": ({"verdict": "wrong"}, {"verdict": "broken"}),
    "slower": ({}, {"seconds": 2.5}),
    "less_detectable": ({"detectable": SEEN}, {"detectable": BLIND}),
    "appeared": ({"subject": "old"}, {}),
    "vanished": ({"subject": "old"}, {}),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_each_kind_of_change_is_found_and_not_where_nothing_changed(kind):
    before, after = CHANGES[kind]
    assert getattr(changed(before, after), kind)
    assert not getattr(changed(after, after), kind)


def test_a_case_of_milliseconds_may_double():
    assert not changed({"seconds": 0.01}, {"seconds": 0.05}).slower


def test_a_known_failure_is_neither_new_nor_fixed():
    found = changed({}, {"verdict": "known_failure"})
    assert (found.new_failures, found.fixed) == ([], [])
    assert len(found.changed) == 1


def test_a_new_subject_that_fails_is_a_new_failure():
    (change,) = changed({"subject": "old"}, {"verdict": "wrong"}).new_failures
    assert change.before == "not in the baseline"


def test_of_a_case_that_ran_twice_the_worst_counts():
    new = Run.of(Case(**BASE), Case(**BASE, verdict="wrong"), Case(**BASE))
    assert len(compare(new, Run.of(Case(**BASE))).new_failures) == 1


def test_the_page_shows_it_and_is_silent_without_a_baseline(parse):
    old, new = Run.of(RunInfo(started="2026-01-01"), Case(**BASE)), Case(**BASE, verdict="wrong")
    page = parse(render(Run.of(new), old))
    assert "1 new failures" in page.panel("verdict")
    assert "1 January 2026" in page.panel("changes")
    assert "dense::gradient" in page.panel("changes")
    assert not parse(render(Run.of(new))).all("section", id="changes")
