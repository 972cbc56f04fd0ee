"""Every fault of the catalogue is caught and named; its correct twin passes."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from gradcheck import check

MODULES = sorted(p.stem for p in (Path(__file__).parent / "catalogue").glob("*.py"))
FAULTS = [
    pytest.param(*fault[1:], id=f"{module}-{fault[0]}")
    for module in MODULES
    for fault in getattr(import_module(f"tests.faults.catalogue.{module}"), "FAULTS", [])
]


@pytest.mark.parametrize(("wrong", "right", "name", "fault"), FAULTS)
def test_fault_is_named(wrong, right, name, fault):
    report = check(wrong, seed=3)
    assert not report.passed
    told = [(f.input, f.fault) for f in report.findings]
    assert (name, fault) in told, str(report)


@pytest.mark.parametrize(("wrong", "right", "name", "fault"), FAULTS)
def test_correct_twin_passes(wrong, right, name, fault):
    report = check(right, seed=3)
    assert report.passed, str(report)
