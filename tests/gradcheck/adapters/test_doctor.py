"""`gradcheck doctor`: what works here, whatever is or is not installed."""

from __future__ import annotations

import sys

import gradcheck
from gradcheck import doctor
from gradcheck.adapters import ADAPTERS


def test_the_report_lists_versions_extras_devices_and_adapters():
    text = doctor.report()
    assert gradcheck.__version__ in text
    for heading in ("core", "extras", "devices", "adapters"):
        assert f"\n{heading}\n" in text
    for name in (*doctor.CORE, *doctor.EXTRAS):
        assert f"\n  {name} " in text
    assert text.count("\n  yes ") + text.count("\n  no ") == len(ADAPTERS)


def test_what_is_missing_is_said_with_what_to_install(monkeypatch):
    monkeypatch.setattr(doctor, "_version", lambda name: None)
    monkeypatch.setattr(doctor, "find_spec", lambda name: None)
    text = doctor.report()
    assert "pip install 'gradcheck[torch]'" in text
    assert "no   a torch.nn.Module (needs torch)" in text
    assert "cuda         no: torch is not installed" in text


def test_a_broken_installation_does_not_stop_the_report(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setattr(doctor, "find_spec", lambda name: object())
    assert "import torch raised" in doctor.report()


def test_every_adapter_that_needs_a_package_is_in_the_table():
    assert set(doctor.NEEDS) <= set(ADAPTERS)
