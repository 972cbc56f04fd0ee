"""Every name of the catalogue is documented and planted; every planted name is in the catalogue."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from gradcheck.diagnosis import MODULES
from gradcheck.diagnosis.catalogue import CATALOGUE

ROOT = Path(__file__).parents[2]
PLANTED = {
    path.stem: getattr(import_module(f"tests.faults.catalogue.{path.stem}"), "FAULTS", [])
    for path in (Path(__file__).parent / "catalogue").glob("*.py")
}


def catalogued(fault: str) -> str:
    return "scaled by k" if fault.startswith("scaled by ") else fault


@pytest.mark.parametrize("fault", CATALOGUE, ids=lambda fault: fault.name)
def test_name_is_documented_and_planted(fault):
    page = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
    assert f"| {fault.name} |" in page
    planted = {catalogued(name) for *_, name in PLANTED[fault.family]}
    assert fault.name in planted, (
        f"tests/faults/catalogue/{fault.family}.py plants no {fault.name!r}"
    )


def test_planted_names_are_catalogued():
    known = {fault.name for fault in CATALOGUE}
    planted = {catalogued(name) for faults in PLANTED.values() for *_, name in faults}
    assert planted <= known


def test_every_family_is_asked():
    folder = ROOT / "gradcheck" / "diagnosis"
    families = {
        path.stem
        for path in folder.glob("*.py")
        if "\ndef explain(evidence: Evidence, judgement: Judgement)" in path.read_text()
    }
    assert families == set(MODULES), f"not in explain.MODULES: {families - set(MODULES)}"
