"""Every planted mistake is caught at its input, and named where the catalogue has a name."""

from functools import cache

import pytest

from gradcheck import check
from tests.faults.users import (
    activations,
    algebra,
    attention,
    cells,
    convolution,
    indexing,
    losses,
    norms,
    reductions,
)
from tests.faults.users.planted import Planter
from tests.reference.users_cases import CASES

FAMILIES = (
    activations,
    losses,
    norms,
    convolution,
    attention,
    cells,
    reductions,
    indexing,
    algebra,
)
FAULTS = {fault.id: fault for family in FAMILIES for fault in family.FAULTS}
RIGHT = {fault.right.name: fault.right for fault in FAULTS.values()}
NAMED = [fault.id for fault in FAULTS.values() if fault.words]


@cache
def report_on(id):
    return check(FAULTS[id].wrong, examples=10, seed=7)


@pytest.mark.parametrize("id", FAULTS)
def test_the_mistake_is_caught_at_its_input(id):
    report = report_on(id)
    caught = {found.input for found in report.findings if found.kind != "inconclusive"}
    assert FAULTS[id].input in caught, str(report)


@pytest.mark.parametrize("id", NAMED)
def test_the_mistake_is_named(id):
    said = [f"{found.message} [{found.fault}]" for found in report_on(id).findings]
    assert any(all(word in one for word in FAULTS[id].words) for one in said), said


@pytest.mark.parametrize("name", RIGHT)
def test_the_correct_twin_passes(name):
    report = check(RIGHT[name], examples=20, seed=7)
    assert report.passed, str(report)


def test_every_layer_has_a_subject_and_a_planted_mistake():
    """The layers are those of `tests/reference/users_cases.py`, the subjects those of suites/."""
    subjects = [
        subject
        for family in FAMILIES
        for planter in vars(family).values()
        if isinstance(planter, Planter)
        for subject in planter.subjects.values()
    ]
    layers = {name: case[0].forward for name, case in CASES.items()}
    verified = {subject.forward for subject in subjects}
    planted = {right.forward for right in RIGHT.values()}
    assert [name for name, forward in layers.items() if forward not in verified] == []
    assert [name for name, forward in layers.items() if forward not in planted] == []
    assert verified <= set(layers.values())
