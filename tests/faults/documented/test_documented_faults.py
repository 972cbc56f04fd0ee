"""Every fault of the documents that concerns a layer or a loss is caught and named."""

from functools import cache

import pytest

from gradcheck import check
from tests.faults.documented import activations, affine, composed, losses, recurrent

FAULTS = [
    fault
    for family in (affine, activations, recurrent, composed, losses)
    for fault in family.FAULTS
]
RIGHT = {fault.right.name: fault.right for fault in FAULTS}


EXAMPLES = 12  # the ten that every run begins with, and two more
WRONG = {fault.name: fault.wrong for fault in FAULTS}


@cache
def report_on(name):
    """The report on the wrong subject of this fault."""
    return check(WRONG[name], examples=EXAMPLES, seed=0)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_fault_is_caught(fault):
    report = report_on(fault.name)
    assert not report.passed
    assert report.verdict not in ("inconclusive", "timeout")


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_fault_is_named(fault):
    findings = [f"{found.message} [{found.fault}]" for found in report_on(fault.name).findings]
    assert any(all(word in one for word in fault.words) for one in findings), findings


@pytest.mark.parametrize("name", RIGHT)
def test_the_correct_form_passes(name):
    report = check(RIGHT[name], examples=EXAMPLES, seed=0)
    assert report.passed, str(report)
