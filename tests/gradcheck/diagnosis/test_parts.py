"""The pieces under the families: Jacobians, places, factors, words, groups."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import Subject, array, check
from gradcheck.diagnosis import jacobian
from gradcheck.diagnosis.group import relate
from gradcheck.diagnosis.places import fitting
from gradcheck.diagnosis.words import factor, known_factor, listed, number
from gradcheck.findings import Finding
from gradcheck.judgement.problem import Domain


def test_jacobian_is_exact_to_its_error():
    x = np.random.default_rng(0).standard_normal(6)
    slopes, errors = jacobian.numerical(lambda a: (np.sin(a["x"]),), {"x": x}, "x")
    assert np.all(np.abs(slopes - np.diag(np.cos(x))) <= errors + 1e-15)
    assert np.max(errors) < 1e-10


def test_jacobian_knows_no_kink():
    x = np.array([1e-5, 1.0])
    slopes, _ = jacobian.numerical(lambda a: (np.abs(a["x"]),), {"x": x}, "x")
    assert np.isnan(slopes[0, 0])
    assert slopes[1, 1] == pytest.approx(1.0)


def test_jacobian_stays_inside_the_domain():
    seen = []

    def forward(arrays):
        seen.append(arrays["x"].copy())
        return (np.sqrt(arrays["x"]),)

    x = np.array([0.0, 1.0, 0.25])
    jacobian.numerical(forward, {"x": x + 1e-3}, "x", Domain(1e-3, 1.0 + 1e-3))
    assert min(s.min() for s in seen) >= 1e-3
    assert max(s.max() for s in seen) <= 1.0 + 1e-3


def test_complex_arrays_are_pairs_of_real_ones():
    z = np.array([1 + 2j, -3j])
    assert np.array_equal(jacobian.unflat(jacobian.flat(z), z), z)


@pytest.mark.parametrize(
    ("where", "fault"),
    [
        (np.s_[0], "wrong at first index"),
        (np.s_[-1], "wrong at last index"),
        (np.s_[:, -1], "wrong at last index"),
        (np.s_[[0, -1]], "wrong at boundary index"),
        (np.s_[4:], "wrong in the tail"),
    ],
)
def test_places(where, fault):
    wrong = np.zeros((7, 5), dtype=bool)
    wrong[where] = True
    assert fault in {rule.fault for rule in fitting(wrong, np.ones_like(wrong), ("a", "b"))}


def test_no_place_where_all_or_nothing_is_wrong():
    whole = np.ones((3, 4), dtype=bool)
    assert fitting(whole, whole, ("a", "b")) == []
    assert fitting(~whole, whole, ("a", "b")) == []


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([2, 2], "2"),
        ([0.5, 0.5], "1/2"),
        ([0.01, 0.01], "0.01"),
        ([4, 5], "batch"),
        ([1 / 4, 1 / 5], "1/batch"),
        ([np.sqrt(3), np.sqrt(7)], "sqrt(units)"),
        ([2 / 12, 2 / 35], "2/(batch*units)"),
        ([0.3, 0.3], "`rate`"),
        ([1.234, 7.891], None),
    ],
)
def test_factors_by_name(values, said):
    sizes = [{"batch": 4, "units": 3, "`rate`": 0.3}, {"batch": 5, "units": 7, "`rate`": 0.3}]
    assert known_factor(values, sizes) == said


def test_words():
    assert factor(0.75) == "3/4"
    assert factor(0.123456789) == "0.123457"
    assert number(-0.0) == "0"
    assert number(1 - 2j) == "1-2j"
    assert listed(["a", "b", "c"]) == "a, b and c"


def _finding(check_name, kind, message, **details):
    return Finding(kind, check_name, message, **details)


def test_a_product_that_does_not_fit_is_the_transpose_that_is_named():
    raised = _finding("contract", "broken", "vjp raised ValueError: matmul: mismatch in its core")
    named = _finding("gradient", "wrong", "told", input="x", fault="transposed", cause="M")
    joined, kept = relate([raised, named])
    assert (joined.cause, joined.fault) == ("M", "transposed")
    assert kept == named


def test_a_product_that_does_not_fit_alone_gets_a_hint():
    raised = _finding("contract", "broken", "vjp raised ValueError: matmul: mismatch in its core")
    (told,) = relate([raised])
    assert "transpose" in told.hint
    assert told.fault is None


def test_another_error_stays_as_it_is():
    raised = _finding("contract", "broken", "vjp raised KeyError: 'y'")
    named = _finding("gradient", "wrong", "told", input="x", fault="transposed", cause="M")
    assert relate([raised, named])[0] == raised


def test_factor_of_a_scalar_input_is_named_by_it():
    subject = Subject(
        "temperature",
        forward=lambda x, T: x / T,
        vjp=lambda u, x, T: {"x": u / T**2, "T": -(u * x).sum() / T**2},
        inputs={"x": "n", "T": array("", low=0.5, high=3)},
    )
    (finding,) = check(subject, seed=1, examples=12, checks=["gradient"]).findings
    assert finding.fault == "scaled by 1/`T`"


def test_a_fault_upstream_is_inherited():
    def vjp(u, x, W, b, V):
        d = (u @ V.T) * np.cos(np.tanh(x @ W + b))
        return {"x": d @ W.T, "W": x.T @ d, "b": d.sum(0), "V": np.tanh(x @ W + b).T @ u}

    subject = Subject(
        "mlp",
        forward=lambda x, W, b, V: np.tanh(x @ W + b) @ V,
        vjp=vjp,
        inputs={"x": "batch n", "W": "n hidden", "b": "hidden", "V": "hidden m"},
    )
    report = check(subject, seed=1, examples=12, checks=["gradient"])
    assert {f.input for f in report.findings} == {"x", "W", "b"}
