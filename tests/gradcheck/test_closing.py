"""What a report says at its end: why something was left unjudged, and what was discarded."""

import numpy as np

from gradcheck import Subject, check
from gradcheck.checks.base import Check
from gradcheck.closing import joined
from gradcheck.runner import Plan, verify


def tanh(dtype):
    def forward(x):
        return np.tanh(x.astype(dtype)).astype(np.float64)

    return Subject("t", forward, lambda u, x: {"x": u / np.cosh(x) ** 2}, {"x": "batch n"})


def test_float32_inside_is_told_with_what_it_hides():
    remarks = check(tanh(np.float32), seed=1).remarks
    assert [r for r in remarks if r.startswith("forward seems to compute in float32: only errors")]
    unjudged = next(r for r in remarks if "unjudged" in r)
    assert "noise hides relative errors up to" in unjudged


def test_float64_and_whole_numbers_are_no_float32():
    floor = Subject("f", np.floor, lambda u, x: {"x": 0 * u}, {"x": "n"})
    copied = Subject("c", lambda x: x.copy(), lambda u, x: {"x": 1.0 * u}, {"x": "n"})
    for subject in (tanh(np.float64), floor, copied):
        assert not [r for r in check(subject, seed=1).remarks if "float32" in r]


class Undecided(Check):
    """Judges two examples in five; the others it leaves for reasons a (once) and b (often)."""

    name = "undecided"

    def run(self, case, notes):
        if notes.number in (0, 1):
            notes.detectable["x"] = {"whole": 1e-9, "entry": 1e-9}
        else:
            why = "a" if notes.number == 2 else "b"
            told = {"evidence": {"reason": why}}
            notes.unclear["x"] = case.finding(self.name, "inconclusive", why, **told)
        yield from ()


def test_the_most_frequent_reason_is_given():
    report = verify(tanh(np.float64), [Undecided()], Plan(examples=5, seed=0))
    assert report.remarks == ["3 of 5 examples left `x` unjudged: b"]


def test_discards_that_differ_in_numbers_are_one():
    of = "x has shape ({}): nothing along axes (-1,) to take"
    discards = {of.format("0, 3"): 2, of.format("0,"): 3, of.format("2, 0, 1"): 1, "other": 1}
    assert joined(discards) == {of.format("0,") + ", and 2 more like it": 6, "other": 1}
    assert joined({"x1 is 3": 1, "x2 is 3": 1}) == {"x1 is 3": 1, "x2 is 3": 1}
