"""The text of a report, and the script and the command that repeat it."""

import sys

import numpy as np
import pytest

from gradcheck import Subject, check, mask
from gradcheck.describe import describe_report
from gradcheck.emit import command_line
from gradcheck.findings import CheckOutcome, Finding, Report

SHAPES = {"x": "batch n", "w": "n"}
ONES = {"x": np.ones((1, 1)), "w": np.ones(1)}


def scaled(factor, name="scaled"):
    def vjp(u, x, w):
        return {"x": factor * u * w, "w": (u * x).sum(0)}

    return Subject(name, lambda x, w: x * w, vjp, SHAPES)


@pytest.fixture(scope="module")
def wrong():
    return check(scaled(2), seed=1)


def test_a_blank_line_stands_before_the_figures(wrong):
    lines = str(wrong).splitlines()
    assert lines[lines.index(next(s for s in lines if "gradient of `w`: would" in s)) - 1] == ""
    assert "" not in str(check(scaled(1), seed=1)).splitlines()


def test_no_input_found_wrong_has_a_figure_of_what_would_be_detected():
    seen = {name: {"whole": 1e-9, "entry": 1e-9} for name in "xwb"}
    findings = [Finding("wrong", "gradient", "off", input="x"),
                Finding("inconclusive", "twin", "noisy", input="b")]  # fmt: skip
    report = Report("s", {"gradient": CheckOutcome("gradient", 3, 0.0, seen, findings)})
    told = [line.split("`")[1] for line in str(report).splitlines() if "would have" in line]
    assert told == ["w", "b"]


def test_one_is_singular():
    report = check(scaled(1), at=ONES, checks=["gradient"], seed=1)
    assert "(1 example, 1 check, " in str(report)
    assert "1 example discarded" in describe_report(Report("s", discards={"ValueError: no": 1}))


def test_what_was_judged_in_float64_says_so():
    outcomes = {
        name: CheckOutcome(name, detectable={"x": {"whole": whole, "entry": whole}})
        for name, whole in (("gradient", 1e-9), ("precision", 1e-6))
    }
    in_float32 = str(Report("s", outcomes, dtype="float32"))
    assert "gradient of `x` in float64: would have detected a relative error of 1e-09" in in_float32
    assert "gradient of `x`: would have detected a relative error of 1e-06" in in_float32
    finding = Finding("wrong", "gradient", "off", input="w", index=(0,), expected=1.0, returned=2.0)
    outcomes["gradient"].findings.append(finding)
    assert "w[0] in float64: expected 1, returned 2" in str(Report("s", outcomes, dtype="float32"))
    assert "in float64" not in str(Report("s", outcomes))


def test_the_script_imports_what_it_uses(wrong):
    script = wrong.findings[0].script
    assert "from gradcheck import check\n" in script
    masked = Subject("m", lambda x, keep: x * keep, lambda u, x, keep: {"x": 2.0 * u * keep},
                     {"x": "n", "keep": "n"})  # fmt: skip
    declared = {"x": "n", "keep": mask("n")}
    script = check(masked, declared, seed=1).findings[0].script
    assert "from gradcheck import check, mask\n" in script
    assert "import numpy as np\n" in script


@pytest.mark.parametrize(
    ("argv", "command"),
    [
        (["/bin/pytest", "suites"], "python -m pytest suites --gradcheck-seed=7"),
        (["pytest", "--gradcheck-seed", "3"], "python -m pytest --gradcheck-seed 3"),
        (["pytest", "-k", "a or b"], "python -m pytest -k 'a or b' --gradcheck-seed=7"),
        (["/x/gradcheck/__main__.py", "doctor"], "python -m gradcheck doctor --gradcheck-seed=7"),
    ],
)
def test_the_command_repeats_the_run(monkeypatch, argv, command):
    monkeypatch.setattr(sys, "argv", argv)
    assert command_line(7) == command
