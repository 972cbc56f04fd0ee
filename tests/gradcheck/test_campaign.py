"""Campaigns: many workers, one page, and nothing lost when a worker dies."""

from __future__ import annotations

import pytest

from gradcheck import UsageError
from gradcheck.campaign import campaign, merged
from gradcheck.records import Case, FindingRecord

pytest.importorskip("distributed", reason="the extra 'campaign' is not installed")

LAYERS = """
import os
import numpy as np
from gradcheck import Subject

sine = Subject("sine", np.sin, lambda u, x: {"x": u * np.cos(x)}, {"x": "n"})
wrong = Subject("wrong", np.sin, lambda u, x: {"x": u * np.sin(x)}, {"x": "n"})
dies = Subject("dies", lambda x: os._exit(3), lambda u, x: {"x": u}, {"x": "n"})
"""


def test_cases_of_one_id_are_one_case():
    one = Case("s", "gradient", examples=5, score=0.1, verdict="correct")
    other = Case(
        "s", "gradient", examples=7, score=3.0, verdict="wrong",
        findings=[FindingRecord(kind="wrong", input="x")],
    )  # fmt: skip
    (whole,) = merged([one, other])
    assert (whole.examples, whole.score, whole.verdict) == (12, 3.0, "wrong")
    assert [finding.input for finding in whole.findings] == ["x"]


def test_a_campaign_finds_a_wrong_layer_and_survives_one_that_kills_its_worker(
    tmp_path, monkeypatch
):
    (tmp_path / "campaign_layers.py").write_text(LAYERS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    paths = [f"campaign_layers:{name}" for name in ("sine", "wrong", "dies")]
    run = campaign(paths, workers=1, examples=20, seed=1, folder=tmp_path / "out")
    verdicts = {(case.subject, case.check): case.verdict for case in run.cases}
    assert verdicts["sine", "gradient"] == "correct"
    assert verdicts["wrong", "gradient"] == "wrong"
    assert verdicts["campaign_layers:dies", "campaign"] == "crashed"
    assert (tmp_path / "out" / "index.html").exists()


def test_a_path_with_no_object_is_named_before_anything_starts(tmp_path):
    with pytest.raises(UsageError, match="no_such_module"):
        campaign(["no_such_module:x"], folder=tmp_path)
    with pytest.raises(UsageError, match="workers=0"):
        campaign(["math:pi"], workers=0, folder=tmp_path)
