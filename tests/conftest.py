"""What all tests share: none of them is a test of time."""

import pytest
from hypothesis import settings

from gradcheck.diagnosis import budget

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def unhurried(monkeypatch):
    """Names take the time they need: a busy machine must not make one of them late."""
    monkeypatch.setattr(budget, "SECONDS", 10 * budget.SECONDS)
    monkeypatch.setattr(budget, "REPORT_SECONDS", 10 * budget.REPORT_SECONDS)
