"""The tables count what they say: planted alarms and faults show up, right ones do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import kinks, verdicts
from benchmarks.zoo import ZOO
from benchmarks.zoo.entry import each, member, normal

TAME = tuple(entry for entry in ZOO if entry.name in ("sin", "dense", "mlp", "softmax"))


@pytest.fixture
def small_zoo(monkeypatch):
    monkeypatch.setattr(verdicts, "ZOO", TAME)


def test_correct_functions_raise_no_alarm(small_zoo):
    found = verdicts.false_alarms(30, 0)
    assert found["verdicts"] >= 30
    assert found["tally"] == {"correct": found["verdicts"]}
    assert not found["alarms"]


def test_an_alarm_is_counted(monkeypatch):
    wrong = replace(TAME[0], vjp=lambda u, x: {"x": 1.01 * u * np.cos(x)})
    monkeypatch.setattr(verdicts, "ZOO", (wrong,))
    found = verdicts.false_alarms(3, 0)
    assert found["tally"] == {"wrong": 3}
    assert len(found["alarms"]) == 3


def test_a_step_outside_the_domain_is_counted():
    entry = member("square", lambda x: x * x, lambda u, x: {"x": 2 * u * x}, each(x=normal(3)))
    entry = replace(entry, domains={"x": (100.0, None, False)})
    left: list[str] = []
    problem = verdicts.harness.problem_of(entry, {"x": np.ones(3)}, left=left)
    problem.forward({"x": np.ones(3)})
    assert left == ["square"]
    problem.forward({"x": np.full(3, 100.0)})
    assert left == ["square"]


def test_coarse_faults_are_caught(small_zoo):
    caught = verdicts.faults_caught(range(1), 1)["caught"]
    for fault in ("scale 1e-02", "scale 1e-06", "one entry 1e-03", "all zero (detached)"):
        assert set(caught[fault]["gradcheck"]) == {"fail"}, fault
    assert set(caught["scale 1e-05"]["torch fast"]) == {"pass"}


def test_alphas_are_named_and_rejected():
    answers = kinks.elementwise(2 * 7 * len(kinks.CORNERS), 0)["answers"]
    for kind, count in answers.items():
        inside = kind in map(str, kinks.ACCEPTED)
        assert set(count) == {"named" if inside else "rejected"}, kind
    assert len(answers) == 7
