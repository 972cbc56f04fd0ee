"""What oracles say of one derivative: they agree on a right claim, stand apart from a wrong one,
and never decide anything."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import Subject, check
from gradcheck.emit import cases
from gradcheck.records import CLAIM


def vjp(u, x, W):
    d = u * (1 - np.tanh(x @ W) ** 2)
    return {"x": d @ W.T, "W": x.T @ d}


def jvp(t, x, W):
    return (t["x"] @ W + x @ t["W"]) * (1 - np.tanh(x @ W) ** 2)


dense = Subject("dense", lambda x, W: np.tanh(x @ W), vjp, {"x": "batch n", "W": "n m"}, jvp=jvp)
dense = dense.but(twin=dense)


def told(subject, **options):
    """{(input, example): {oracle: (value, error)}}, of every check of a run."""
    report = check(subject, seed=3, examples=4, **options)
    found = {}
    for case in cases(report):
        for o in case.oracles:
            found.setdefault((o.input, o.example), {}).setdefault(o.name, (o.value, o.error))
    return report, found


def test_every_oracle_speaks_of_the_same_derivative():
    report, found = told(dense)
    assert report.passed
    assert {name for name, _ in found} == {"x", "W"}
    assert len(found) == 4  # two inputs at two examples
    for derivative in found.values():
        assert set(derivative) == {
            CLAIM, "finite difference", "complex step", "twin", "forward mode"
        }  # fmt: skip
        (claim, _) = derivative[CLAIM]
        for value, error in derivative.values():
            assert value == pytest.approx(claim, rel=1e-9, abs=4 * error)


def test_a_wrong_claim_stands_apart_from_oracles_that_agree():
    wrong = dense.but(vjp=lambda u, x, W: {**vjp(u, x, W), "W": 1.5 * vjp(u, x, W)["W"]})
    report, found = told(wrong, checks=["gradient"])
    assert report.verdict == "wrong"
    derivative = next(d for (name, _), d in found.items() if name == "W")
    (claim, _), (fd, error) = derivative[CLAIM], derivative["finite difference"]
    assert derivative["complex step"][0] == pytest.approx(fd, abs=10 * error)
    assert claim == pytest.approx(1.5 * fd, rel=1e-6)


def test_a_forward_that_is_not_analytic_has_no_complex_step_and_passes():
    size = Subject(
        "size", lambda x: x * np.abs(x), lambda u, x: {"x": 2 * u * np.abs(x)}, {"x": "n"}
    )
    report, found = told(size, checks=["gradient"])
    assert report.passed
    assert found
    assert not any("complex step" in derivative for derivative in found.values())


def test_at_a_kink_there_is_nothing_to_agree_on():
    relu = Subject("relu", lambda x: np.maximum(x, 0), lambda u, x: {"x": u * (x > 0)}, {"x": "n"})
    report, found = told(relu, at={"x": np.array([0.0, 1.0])}, checks=["gradient"])
    assert report.passed
    assert found == {}
    assert told(relu, at={"x": np.array([2.0, -1.0])}, checks=["gradient"])[1]


def test_a_forward_that_never_ends_at_complex_numbers_is_no_alarm():
    """The loop below stands for any iteration whose end is told by a comparison of reals."""

    def forward(x):
        while np.iscomplexobj(x):
            x = x * 1.0
        return np.sin(x)

    sine = Subject("sine", forward, lambda u, x: {"x": u * np.cos(x)}, {"x": "n"})
    report, found = told(sine, checks=["gradient"], seconds=2.0)
    assert report.passed
    assert not any("complex step" in derivative for derivative in found.values())
