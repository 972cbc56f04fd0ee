"""What all tests share."""

import pytest

from gradcheck.diagnosis import budget


@pytest.fixture(autouse=True)
def unhurried(monkeypatch):
    """Names take the time they need: on a busy machine a test of a name is no test of time."""
    monkeypatch.setattr(budget, "SECONDS", 10 * budget.SECONDS)
    monkeypatch.setattr(budget, "REPORT_SECONDS", 10 * budget.REPORT_SECONDS)
