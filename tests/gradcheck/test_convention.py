"""At a kink, expected is what the declared convention asks for, and the sentence says it."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import Subject, check
from gradcheck.emit import cases


def relu(at_zero, **options):
    """A ReLU with a slope of its own at 0."""
    return Subject(
        "relu",
        lambda x: np.maximum(x, 0),
        lambda u, x: {"x": u * np.where(x == 0, at_zero, x > 0)},
        {"x": "n"},
        traits=("elementwise",),
        **options,
    )


def found(subject):
    """The finding and the record of it, at a point whose entry 1 is at the kink."""
    point = {"x": np.array([2.0, 0.0, -1.0])}
    report = check(subject, at=point, seed=1, checks=["gradient"])
    (finding,) = report.findings
    (case,) = cases(report)
    return finding, case.findings[0]


@pytest.mark.parametrize(("declared", "taken"), [(0.0, 1.0), (1.0, 0.0), (0.5, 0.0), (0.25, 1.0)])
def test_a_number_asks_for_its_share_of_the_jump(declared, taken):
    finding, record = found(relu(taken, kinks=declared))
    cotangent = finding.cotangent[0][1]
    assert finding.kind == "wrong_at_kink"
    assert finding.index == (1,)
    assert finding.expected == pytest.approx(declared * cotangent)
    assert finding.returned == pytest.approx(taken * cotangent)
    assert record.expected == finding.expected
    assert record.evidence.wrong_entries[0].expected == finding.expected
    assert record.evidence.kink.convention.startswith("alpha = ")
    assert finding.message.startswith("at the kink `x[1]` = 0 the declared convention (alpha = ")
    assert f"(alpha = {taken:g})" in finding.message


def quarter(cotangent, arrays):
    """What a ReLU with the slope 1/4 at 0 returns."""
    x = arrays["x"]
    return {"x": cotangent[0] * np.where(x == 0, 0.25, x > 0)}


@pytest.mark.parametrize("rule", ["twin", quarter])
def test_a_twin_or_a_function_asks_for_its_own_gradient(rule):
    finding, record = found(relu(1.0, kinks=rule, twin=relu(0.25)))
    cotangent = finding.cotangent[0][1]
    assert finding.expected == pytest.approx(0.25 * cotangent)
    assert finding.returned == pytest.approx(cotangent)
    assert "asks for" in finding.message
    assert record.evidence.kink.convention == ("twin" if rule == "twin" else "a function")


def test_where_the_convention_leaves_a_choice_the_nearest_slope_is_expected():
    finding, record = found(relu(3.0))
    cotangent = finding.cotangent[0][1]
    assert finding.expected == pytest.approx(cotangent)
    assert "outside the generalised gradient" in finding.message
    assert record.evidence.kink.convention == "subgradient"


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_what_was_declared_passes(alpha):
    assert check(relu(alpha, kinks=alpha), seed=1, checks=["gradient"], examples=12).passed
