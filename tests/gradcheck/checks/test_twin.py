"""The twin may take another side of a kink, and answers for it itself."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import Subject, check


def relu(at_zero, factor=1.0, **options):
    def vjp(u, x):
        return {"x": factor * u * np.where(x == 0, at_zero, x > 0)}

    return Subject("relu", lambda x: factor * np.maximum(x, 0), vjp, {"x": "n"}, **options)


@pytest.mark.parametrize("sides", [(0, 1), (1, 0), (0.5, 0)])
def test_another_subgradient_is_a_remark(sides):
    own, twins = sides
    report = check(relu(own, twin=relu(twins)), seed=1)
    assert report.passed, str(report)
    assert any("at a kink the gradient of `x` differs" in remark for remark in report.remarks)


def test_it_is_a_finding_where_the_twin_decides_and_where_it_is_none():
    assert check(relu(1, twin=relu(0), kinks="twin"), seed=1).verdict == "wrong_at_kink"
    assert not check(relu(0, twin=relu(3)), seed=1, checks=["twin"]).passed
    assert not check(relu(0, twin=relu(0, factor=1.0001)), seed=1, checks=["twin"]).passed


def dense(at_zero, order=1, **options):
    """relu(x W + b), summed from the first row of W to the last or the other way round."""

    def inside(x, W, b):
        nothing = np.zeros((len(x), len(b)))
        total = nothing + b if order < 0 else nothing
        for k in range(len(W))[::order]:
            total = total + x[:, k, None] * W[k]
        return total if order < 0 else total + b

    def vjp(u, x, W, b):
        z = inside(x, W, b)
        u = u * np.where(z == 0, at_zero, z > 0)
        return {"x": u @ W.T, "W": x.T @ u, "b": u.sum(0)}

    inputs = {"x": "batch n", "W": "n m", "b": "m"}
    return Subject("dense", lambda **x: np.maximum(inside(**x), 0), vjp, inputs, **options)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_sum_that_is_zero_but_for_rounding_is_no_convention(seed):
    report = check(dense(0, twin=dense(0, order=-1), kinks="twin"), seed=seed)
    assert report.passed, str(report)
    wrong = check(dense(1, twin=dense(0, order=-1), kinks="twin"), seed=seed)
    assert any(finding.kind == "wrong_at_kink" for finding in wrong.findings)


def above(at, at_zero, **options):
    def vjp(u, x):
        return {"x": u * np.where(x == at, at_zero, x > at)}

    return Subject("above", lambda x: np.maximum(x - at, 0), vjp, {"x": "n"}, **options)


def larger(first, **options):
    def vjp(u, a, b):
        taken = (a >= b) if first else (a > b)
        return {"a": u * taken, "b": u * ~taken}

    return Subject("larger", np.maximum, vjp, {"a": "n", "b": "n"}, **options)


@pytest.mark.parametrize("make", [lambda side, **o: above(0.3, side, **o), larger])
def test_a_threshold_and_a_tie_are_met_exactly_by_both(make):
    assert check(make(1, twin=make(1), kinks="twin"), seed=1).passed
    assert check(make(0, twin=make(1), kinks="twin"), seed=1).verdict == "wrong_at_kink"


def normalised(at_zero, factor=1.0, **options):
    """A leaky relu, divided by its magnitude or 1e-9: at 0 a kink inside a ramp."""

    def parts(x):
        h = np.where(x > 0, x, 0.1 * x)
        return h, np.maximum(np.abs(h), 1e-9)

    def vjp(u, x):
        h, _ = parts(x)
        slope = np.where(x == 0, at_zero, np.where(x > 0, 1.0, 0.1))
        return {"x": factor * u * slope * np.where(np.abs(h) > 1e-9, 0.0, 1e9)}

    def forward(x):
        h, size = parts(x)
        return factor * h / size

    return Subject("normalised", forward, vjp, {"x": "n"}, **options)


def test_a_kink_that_cannot_be_resolved_speaks_against_no_twin():
    at = {"x": np.array([0.0, 0.7, -2.0])}
    report = check(normalised(1.0, twin=normalised(0.1)), at=at, checks=["twin"])
    assert report.passed, str(report)
    assert any("stay unjudged" in remark for remark in report.remarks)
    assert not check(normalised(3.0, twin=normalised(0.1)), at=at, checks=["twin"]).passed
