"""What the code compares its inputs with is noted, and the claim asked right there."""

import numpy as np
import pytest

from gradcheck import Subject, array, check, integers
from gradcheck.backends import backend
from gradcheck.case import Case
from gradcheck.compared import compared
from gradcheck.evaluation import Evaluator
from gradcheck.examples import arrays_of, canonical


def noted(forward, vjp=None, inputs=None):
    subject = Subject("f", forward, vjp or (lambda u, x: {"x": u * 1.0}), inputs or {"x": "m n"})
    start = next(canonical(subject, 0))
    numpy = backend("numpy", "cpu")
    evaluator = Evaluator(subject, numpy)
    return compared(Case(subject, start, arrays_of(subject, start), numpy, evaluator))


FORWARDS = {
    "greater": (lambda x: np.where(x > 0.3, x, 0), {0.3}),
    "equal": (lambda x: x * (x == np.pi / 2), {np.pi / 2}),
    "of a size": (lambda x: np.where(abs(x) < 1e-3, 0, x), {1e-3}),
    "of a sum": (lambda x: x * (np.sqrt((x * x).sum(-1, keepdims=True)) > 2.5), {2.5}),
    "of a largest": (lambda x: x * (1.0 if x.max() > 7.5 else 2.0), {7.5}),
    "of one entry": (lambda x: x * (1.0 if x[0, 0] > 7.5 else 2.0), {7.5}),
    "clip": (lambda x: np.clip(x, -1.5, 2), {-1.5, 2.0}),
    "method": (lambda x: x.clip(-1.5, 2), {-1.5, 2.0}),
    "maximum": (lambda x: np.maximum(x, 0.25), {0.25}),
    "close": (lambda x: x * np.isclose(x, 1.25), {1.25}),
    "knots": (lambda x: np.interp(x, [-1.0, 0.5], [0.0, 1.0]), {-1.0, 0.5}),
    "in place": (lambda x: np.multiply(x, x > 0.75, out=x), {0.75}),
    "nothing": (np.sin, set()),
    "of its own kind": (lambda x: x * (x == x.max(-1, keepdims=True)), set()),
}


@pytest.mark.parametrize("name", FORWARDS)
def test_constants_are_noted(name):
    forward, constants = FORWARDS[name]
    assert constants <= set(noted(forward)["x"])
    assert constants or not noted(forward)["x"]


def test_each_input_has_its_own():
    inputs = {"x": "n", "y": "n", "k": integers("n", 0, 3)}
    found = noted(
        lambda x, y, k: np.where(x > 0.5, x, y) * (k == 2),
        lambda u, x, y, k: {"x": u * (x > 0.5), "y": u * (y < 8.5)},
        inputs,
    )
    assert found == {"x": [0.5], "y": [8.5]}


def test_code_that_takes_no_subclass_says_nothing():
    def strict(x):
        if type(x) is not np.ndarray:
            raise TypeError("plain arrays only")
        return x * (x > 0.5)

    assert noted(strict) == {"x": []}
    subject = Subject("f", strict, lambda u, x: {"x": u * (x > 0.5)}, {"x": "n"})
    assert check(subject, seed=0).verdict == "correct"


def guarded(forward, slope, value, wrong):
    def vjp(u, x):
        return {"x": u * np.where(x == value, wrong(x), slope(x))}

    return Subject("f", forward, vjp, {"x": array("m n")})


@pytest.mark.parametrize("value", [np.pi / 2, 0.3, -2.5, 20.0, np.sqrt(2), 1e-3])
def test_a_gradient_wrong_at_one_number_alone(value):
    for seed in range(2):
        subject = guarded(np.arctan, lambda x: 1 / (1 + x * x), value, lambda x: 0.5)
        report = check(subject, seed=seed)
        assert not report.passed
        assert value in report.findings[0].example["x"]
        right = guarded(np.arctan, lambda x: 1 / (1 + x * x), value, lambda x: 1 / (1 + value**2))
        assert check(right, seed=seed).verdict == "correct"


def test_in_a_row_that_is_normalised():
    def centred(x):
        return x - x.mean(-1, keepdims=True)

    def vjp(u, x):
        return {"x": np.where(x == 0.3, 0.0, centred(u))}

    assert not check(Subject("f", centred, vjp, {"x": "m n"}, dims={"n": (1, 9)}), seed=0).passed
