"""Faults that look like another one: the name given is the right one, or there is none."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import Subject, array, check, mask
from gradcheck.diagnosis import budget, jacobian, scenes
from gradcheck.diagnosis.words import apart, factor


def found(subject, **options):
    """The one finding of the gradient check."""
    findings = [f for f in check(subject, seed=0, **options).findings if f.check == "gradient"]
    assert len(findings) == 1, findings
    return findings[0]


def of_x(forward, slope, x="n", **others):
    return Subject(
        "planted", forward, lambda u, **inputs: {"x": u * slope(**inputs)}, {"x": x}, **others
    )


def test_a_factor_beside_one_is_printed_with_the_digits_that_differ():
    assert factor(1.0000000298) == "1.00000003"
    assert factor(1.0) == "1"
    assert apart(0.156684, 0.156684 * 1.00000003) == ("0.156684", "0.156684005")
    assert apart(1.0, 2.0) == ("1", "2")


def test_a_constant_in_float32_is_lost_precision():
    told = found(of_x(lambda x: x / 6, lambda x: float(np.float32(1 / 6)) + 0 * x))
    assert told.fault == "precision lost"
    assert "1.00000003" in told.message
    told = found(of_x(lambda x: x / 6, lambda x: 1.0001 / 6 + 0 * x))
    assert told.fault == "scaled by 1.0001"


def test_a_smooth_mistake_is_not_lost_precision():
    """Off by 1e-3 and of both signs, but a formula: nothing rounds."""
    told = found(of_x(np.sin, lambda x: np.cos(x) + 1e-3 * np.sin(3 * x)))
    assert told.fault != "precision lost"
    told = found(of_x(np.sin, lambda x: np.cos(x.astype(np.float32)).astype(float)))
    assert told.fault == "precision lost"


def test_the_sentence_of_a_named_fault_does_not_repeat_the_numbers():
    told = found(of_x(np.sin, lambda x: 2 * np.cos(x)))
    assert told.fault == "scaled by 2"
    assert "should get" not in told.message


def test_a_slope_across_a_kink_is_not_measured():
    x = np.array([1.0, 0.3])
    slopes, _ = jacobian.numerical(lambda a: (np.clip(a["x"], -1, 1),), {"x": x}, "x")
    assert np.isnan(slopes[0, 0])
    assert slopes[1, 1] == pytest.approx(1.0)


def test_a_scalar_beside_a_vector_can_be_explained():
    def norm(v):
        return np.sqrt((v * v).sum())

    subject = Subject(
        "scaled direction",
        lambda v, g: g * v / norm(v),
        lambda u, v, g: {"v": u * g / norm(v), "g": (u * v).sum() / norm(v)},
        {"v": array("n", low=0.3, high=2), "g": ""},
        dims={"n": (1, 7)},
    )
    report = check(subject, seed=0)
    assert [f.fault for f in report.findings] == ["path missing"]
    assert not any("explained" in remark for remark in report.remarks)


def test_one_entry_among_thousands_is_not_a_matter_of_ties():
    def without_one(x):
        slope = 2 * x
        slope[2717] = 0
        return slope

    told = found(of_x(np.square, without_one, x="4000"))
    assert told.fault == "one wrong entry"
    assert "x[2717]" in told.message


def masked_softmax(s, keep):
    e = np.where(keep, np.exp(s), 0.0)
    return e / np.maximum(e.sum(-1, keepdims=True), 1e-300)


def test_a_fully_masked_row_is_told_from_a_term_without_cotangent():
    def vjp(u, s, keep):
        with np.errstate(all="ignore"):
            e = np.where(keep, np.exp(s), 0.0)
            p = e / e.sum(-1, keepdims=True)
        return {"s": p * (u - (u * p).sum(-1, keepdims=True))}

    subject = Subject("softmax", masked_softmax, vjp, {"s": "rows n", "keep": mask("rows n")})
    told = found(subject)
    assert (told.kind, told.fault) == ("nonfinite", "fully masked row")


def test_a_gradient_at_masked_entries_is_a_leak():
    def vjp(u, p, t, keep):
        return {"p": 2 * u * (p - np.where(keep, t, 0)), "t": -2 * u * np.where(keep, p - t, 0)}

    subject = Subject(
        "masked square",
        lambda p, t, keep: np.sum(np.where(keep, p - t, 0) ** 2),
        vjp,
        {"p": "n", "t": "n", "keep": mask("n")},
    )
    assert found(subject).fault == "mask leak"


def test_a_finding_is_explained_within_its_budget(monkeypatch):
    subject = of_x(np.tanh, lambda x: 1 / (1 + x * x))
    told = found(subject)
    assert told.fault == "derivative of another activation"
    monkeypatch.setattr(budget, "EVALUATIONS", 50)
    told = found(subject.but(name="again"))
    assert told.fault is None
    assert "should get" in told.message


def test_the_budget_is_spent_by_calls_and_by_time(monkeypatch):
    monkeypatch.setattr(budget, "EVALUATIONS", 3)
    study = scenes.Study(of_x(np.tanh, np.cos), "float64", None)
    study.begin()
    study.spend()
    study.spend()
    with pytest.raises(scenes.OutOfTime):
        study.spend()
    monkeypatch.setattr(budget, "SECONDS", -1.0)
    study.begin()
    assert study.spent
