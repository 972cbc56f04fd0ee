"""Backward passes that update their parameters: the gradient is recovered from the update."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import adapt, check
from gradcheck.adapters import probing
from tests.gradcheck.adapters.objects import (
    ScaledBefore,
    Updates,
    UpdatesAtGivenRate,
)


def gradients(subject, seed=3):
    point = probing.numbers(subject.inputs, {"batch": 2}, seed)
    out = subject.forward(**point)
    return subject.vjp(np.ones_like(out), **point), point


def test_the_gradient_is_recovered_at_the_rate_the_object_holds():
    found, point = gradients(adapt(Updates(lr=0.25)))
    np.testing.assert_allclose(found["W"], point["x"].T @ np.ones((2, 4)), rtol=1e-12)


def test_a_rate_that_the_update_does_not_use_is_not_taken():
    # `alpha` is 0.1 there, and the cotangent comes scaled.
    found, point = gradients(adapt(ScaledBefore()))
    np.testing.assert_allclose(found["M"], np.outer(np.ones(4), point["x"]), rtol=1e-12)


def test_a_given_rate_wins():
    found, point = gradients(adapt(Updates(lr=0.25), learning_rate=0.5))
    np.testing.assert_allclose(found["W"], 0.5 * (point["x"].T @ np.ones((2, 4))), rtol=1e-12)


def test_the_claim_states_its_rounding():
    subject = adapt(Updates(lr=0.25))
    _, point = gradients(subject)
    stated = subject.claim_error(**point)
    assert stated.keys() == {"W", "b"}
    np.testing.assert_allclose(stated["W"], np.finfo(float).eps * abs(point["W"]) / 0.25)
    assert "inplace" in subject.traits


def test_every_evaluation_starts_from_the_given_parameters():
    subject = adapt(UpdatesAtGivenRate())
    first, _ = gradients(subject)
    second, _ = gradients(subject)
    assert all(np.array_equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize(("name", "factor"), [("W", 2.0), ("b", 0.5)])
def test_a_wrong_update_is_laid_at_its_parameter(name, factor, blames):
    class Wrong(Updates):
        def gradients(self, grad):
            dx, dW, db = super().gradients(grad)
            return (dx, factor * dW, db) if name == "W" else (dx, dW, factor * db)

    blames(Wrong(), name)


def test_a_parameter_that_is_not_updated_is_laid_at_it(blames):
    class Frozen(Updates):
        def backward(self, grad):
            dx, dW, _ = self.gradients(grad)
            self.W -= self.lr * dW
            return dx

    blames(Frozen(), "b")


def test_generated_examples_pass():
    report = check(ScaledBefore(), examples=8, seed=1)
    assert report.passed, str(report)


@pytest.mark.parametrize("update", ["in place", "cut"])
def test_integer_parameters_are_a_finding(update):
    class Whole(ScaledBefore):
        def __init__(self):
            super().__init__(3, 3)
            self.M = np.eye(3, dtype=int)

        def backprop(self, slope):
            if update == "in place":
                return super().backprop(slope)
            dx = self.M.T @ slope
            self.M[...] = self.M - np.outer(slope, self.input)
            self.b -= slope
            return dx

    report = check(Whole(), examples=3, seed=1)
    assert report.verdict == "broken"
    assert "parameter `M` is int64" in report.findings[0].message
