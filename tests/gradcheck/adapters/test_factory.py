"""Classes and functions that take sizes: one layer for each size, shapes learned from two."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import Subject, UsageError, adapt, array, check
from tests.gradcheck.adapters.objects import ScaledBefore, Stores


def shapes(subject):
    return {name: item.shape.text.replace(",", "") for name, item in subject.inputs.items()}


class Affine(ScaledBefore):
    def __init__(self, inputs, outputs):
        super().__init__(inputs, outputs)


class MultipliesByM(Affine):
    def backprop(self, slope):
        super().backprop(slope)
        return (self.M + np.outer(slope, self.input)) @ slope


def test_shapes_follow_the_sizes():
    assert shapes(adapt(Affine)) == {"x": "inputs", "M": "outputs inputs", "b": "outputs"}


def test_expressions_are_found():
    torch = pytest.importorskip("torch")

    def lstm(features, units):
        return torch.nn.LSTM(features, units)

    found = shapes(adapt(lstm, {"x": "time batch features"}))
    assert found["weight_ih_l0"] == "4*units features"
    assert found["bias_hh_l0"] == "4*units"


def test_a_right_factory_passes():
    report = check(Affine, examples=8, seed=1)
    assert report.passed, str(report)


def test_the_fault_of_document_003_is_found_at_square_and_other_sizes():
    report = check(MultipliesByM, examples=10, seed=1)
    assert {"wrong", "broken"} <= {finding.kind for finding in report.findings}
    assert "x" in {finding.input for finding in report.findings}
    assert not {"M", "b"} & {finding.input for finding in report.findings}


def test_a_factory_of_subjects():
    def doubling(n):
        return Subject("double", lambda x: 2 * x, lambda u, x: {"x": 2 * u}, {"x": f"batch {n}"})

    assert shapes(adapt(doubling)) == {"x": "batch n"}
    assert check(doubling, examples=4, seed=1).passed


def test_a_factory_without_sizes():
    assert adapt(lambda: Stores(2, 3)).inputs["W"].shape.text == "2 3"


def test_dims_bound_the_sizes():
    assert adapt(Affine, dims={"inputs": (2, 4)}).dims == {"inputs": (2, 4)}


def test_a_class_that_takes_something_else_is_an_error():
    class Named:
        def __init__(self, name):
            self.name = name.upper()

        def forward(self, x):
            return x

        def backward(self, grad):
            return grad

    with pytest.raises(UsageError, match=r"Named\(name=3\) raised AttributeError"):
        adapt(Named)


def test_a_size_in_no_shape_is_an_error():
    class Repeated(Stores):
        def __init__(self, features, times):
            super().__init__(features, 2)

    with pytest.raises(UsageError, match="'times' is in no shape"):
        adapt(Repeated)


class RootMeanSquare:
    """x / sqrt(mean x^2 + c) g, with as many g as its constructor says."""

    def __init__(self, features):
        self.g, self.dg = np.ones(features), np.zeros(features)

    def forward(self, x):
        self.x, self.r = x, 1 / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-3)
        return x * self.r * self.g

    def backward(self, u):
        self.dg = (u * self.x * self.r).sum(0)
        v = u * self.g
        return v * self.r - self.x * self.r**3 * (v * self.x).mean(-1, keepdims=True)


def test_a_size_that_the_constructor_fixes_is_the_constructors():
    assert shapes(adapt(RootMeanSquare, {"x": "batch n"})) == {
        "x": "batch features", "g": "features"
    }  # fmt: skip
    report = check(RootMeanSquare, {"x": "batch n"}, seed=1)
    assert report.passed, str(report)
    assert not report.discards
    assert report.examples == 30
    assert check(RootMeanSquare(4), {"x": "batch n"}, seed=1).passed


def test_shapes_at_which_no_layer_runs_are_said():
    with pytest.raises(UsageError, match=r"forward raised at every one of .* matmul"):
        check(Stores, {"x": ""}, examples=3, seed=1)


def test_a_parameter_may_be_declared_with_its_bounds():
    inputs = {"x": "batch 3", "W": array("3 4", low=0, high=1)}
    report = check(Stores(3, 4), inputs, examples=6, seed=1)
    assert report.passed, str(report)
    assert set(report.detectable) == {"x", "W", "b"}
