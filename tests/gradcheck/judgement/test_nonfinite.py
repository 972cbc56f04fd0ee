"""NaN and infinity in a claim, and in f(x) itself."""

import numpy as np
import pytest

from gradcheck.judgement.problem import Domain
from tests.gradcheck.judgement.cases import normal, one

POSITIVE = {"x": Domain(0, None)}
POINT = np.array([0.0, 0.0, 0.3, 1.7])


def root(u, x):
    with np.errstate(all="ignore"):
        return u * 0.5 / np.sqrt(x)


def x_log_x(x):
    return np.where(x > 0, x * np.log(np.where(x > 0, x, 1.0)), 0.0)


def test_an_infinite_derivative_passes_with_the_right_sign():
    for seed in range(5):
        assert one(np.sqrt, root, POINT, seed, domains=POSITIVE).verdict == "correct"


def test_a_logarithmic_divergence_is_infinite_too():
    def vjp(u, x):
        with np.errstate(all="ignore"):
            return u * (np.log(x) + 1)

    assert one(x_log_x, vjp, POINT, domains=POSITIVE).verdict == "correct"


@pytest.mark.parametrize("value", [-1.0, np.nan])
def test_an_infinite_derivative_of_the_wrong_sign_or_nan_fails(value):
    def vjp(u, x):
        with np.errstate(all="ignore"):
            return np.where(x == 0, value * np.sign(u) * np.inf, root(u, x))

    found = one(np.sqrt, vjp, POINT, domains=POSITIVE)
    assert found.verdict == "nonfinite"
    assert {entry.index for entry in found.entries} == {(0,), (1,)}
    assert all(np.isinf(entry.expected) for entry in found.entries)


def test_nan_where_a_derivative_exists():
    def vjp(u, x):
        return np.where(x == 0, np.nan, 2 * u * x)

    found = one(np.square, vjp, POINT)
    assert found.verdict == "nonfinite"
    assert found.entries[0].expected == pytest.approx(0.0, abs=1e-9)


def test_the_finite_rest_is_judged_as_well():
    def vjp(u, x):
        return root(u, x) * np.where(np.arange(4) == 3, 1.01, 1.0)

    assert one(np.sqrt, vjp, POINT, domains=POSITIVE).verdict == "wrong"


def test_a_defect_at_one_value_is_told_apart_beside_infinite_entries():
    def vjp(u, x):
        return root(u, x) * np.where(x == 1.7, 1.01, 1.0)

    found = one(np.sqrt, vjp, POINT, domains=POSITIVE)
    assert found.verdict == "wrong_at_kink"
    assert found.kink.point_defect


@pytest.mark.parametrize(("factor", "verdict"), [(1.0, "correct"), (1.01, "wrong")])
def test_outputs_that_are_not_finite_are_left_out(factor, verdict):
    def vjp(u, x):
        with np.errstate(all="ignore"):
            return factor * u / x

    x = np.append(np.zeros(2), np.abs(normal(6)) + 0.1)
    assert one(np.log, vjp, x, domains=POSITIVE).verdict == verdict


def entropy(k, at_zero):
    """The gradient of -sum p log p, k for its 1, and what it is where p = 0."""

    def vjp(u, p):
        log = np.log(np.where(p > 0, p, 1.0))
        return u * np.where(p > 0, -log - k, at_zero)

    return vjp


@pytest.mark.parametrize(
    ("k", "at_zero", "verdict"),
    [(1, 0, "correct"), (1, 2, "correct"), (0.99, 0, "wrong"), (0.99, 2, "wrong")],
)
def test_what_stands_for_an_infinite_derivative_is_a_convention_in_a_sum(k, at_zero, verdict):
    for seed in range(6):
        found = one(
            lambda p: -np.sum(x_log_x(p)), entropy(k, at_zero), POINT, seed, domains=POSITIVE
        )
        assert found.verdict == verdict


def test_zero_at_a_finite_derivative_is_none():
    for seed in range(3):
        found = one(
            lambda x: np.sum(x * x + 3 * x), lambda u, x: u * (2 * x + 3) * (x != 0), POINT, seed
        )
        assert found.verdict in ("wrong", "wrong_at_kink")
