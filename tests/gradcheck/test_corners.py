"""Constants hidden in the code are found, and the claim is asked right there."""

import numpy as np
import pytest

from gradcheck import Subject, array, check
from gradcheck.backends import backend
from gradcheck.corners import corners
from gradcheck.evaluation import Evaluator


def shifted(constant, at_it, low=None, high=None):
    """max(x - c, 0), with a slope of its own at x == c."""

    def vjp(u, x):
        return {"x": np.where(x == constant, at_it * u, u * (x > constant))}

    inputs = {"x": array("n", low=low, high=high)}
    return Subject("shifted", lambda x: np.maximum(x - constant, 0), vjp, inputs)


def found(subject):
    examples = corners(subject, Evaluator(subject, backend("numpy", "cpu")), seed=3)
    fills = [how for example in examples for _, how in example.fills]
    return {value for how in fills for value in how.among if value is not None}


@pytest.mark.parametrize("constant", [0.37, 6.0, -2.125, 20.0, 1e-7, 88.0])
def test_a_hidden_constant_is_met_exactly(constant):
    subject = shifted(constant, 2.0)
    assert constant in found(subject)
    report = check(subject, seed=0)
    assert report.verdict == "wrong_at_kink"
    assert report.findings[0].example["x"].size == 1
    assert check(shifted(constant, 1.0), seed=0).verdict == "correct"


@pytest.mark.parametrize("convention", [0.0, 1.0])
def test_a_declared_convention_is_asked_at_the_constant_and_not_beside_it(convention):
    subject = shifted(0.5, convention).but(kinks=convention, traits=("elementwise",))
    assert found(subject) & {0.5, np.nextafter(0.5, 1)} == {0.5}
    assert check(subject, seed=0).verdict == "correct"
    other = shifted(0.5, 1.0 - convention).but(kinks=convention, traits=("elementwise",))
    assert check(other, seed=0).verdict == "wrong_at_kink"


def test_only_inside_the_domain():
    assert found(shifted(0.37, 2.0, low=0.0, high=0.25)) == set()
    assert 0.37 in found(shifted(0.37, 2.0, low=0.0, high=1.0))


def test_a_smooth_gradient_has_none():
    smooth = Subject("sine", np.sin, lambda u, x: {"x": u * np.cos(x)}, {"x": "n"})
    assert found(smooth) == set()
    steep = Subject(
        "steep",
        lambda x: np.tanh(50 * x),
        lambda u, x: {"x": 50 * u / np.cosh(np.clip(50 * x, -300, 300)) ** 2},
        {"x": "n"},
    )
    assert found(steep) == set()


def test_a_threshold_in_the_backward_alone():
    """Saturated above 88, where only the claim says so."""
    cut = Subject(
        "softplus",
        lambda x: np.logaddexp(0, x),
        lambda u, x: {"x": u * np.where(x > 88, 0, 1 / (1 + np.exp(-np.clip(x, -700, None))))},
        {"x": "n"},
    )
    assert check(cut, seed=0).verdict == "wrong"
