"""Every planted mistake is caught at its input and given its true name; its twin passes."""

from functools import cache

import pytest

from gradcheck import check
from tests.faults.frameworks import (
    algebra,
    attention,
    cells,
    convolution,
    elementwise,
    indexing,
    losses,
    norms,
)

FAMILIES = (attention, cells, convolution, losses, norms, elementwise, indexing, algebra)
FAULTS = {fault.id: fault for family in FAMILIES for fault in family.FAULTS}


@cache
def report_on(id):
    return check(FAULTS[id].wrong, examples=10, seed=7)


@pytest.mark.parametrize("id", FAULTS)
def test_the_mistake_is_caught_at_its_input(id):
    report = report_on(id)
    caught = {found.input for found in report.findings if found.kind != "inconclusive"}
    assert FAULTS[id].input in caught, str(report)


@pytest.mark.parametrize("id", [fault.id for fault in FAULTS.values() if fault.words])
def test_the_mistake_is_named(id):
    input, words = FAULTS[id].input, FAULTS[id].words
    said = [f"{f.message} [{f.fault}]" for f in report_on(id).findings if f.input == input]
    assert any(all(word in one for word in words) for one in said), said


@pytest.mark.parametrize("id", FAULTS)
def test_the_correct_twin_passes(id):
    report = check(FAULTS[id].right, examples=10, seed=7)
    assert report.passed, str(report)
