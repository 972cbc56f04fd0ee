"""Kinks among numbers of 1e-9 that move a loss near 1: no step is fine enough for them."""

import numpy as np
import pytest

from gradcheck.judgement.along import rounded
from tests.gradcheck.judgement.cases import judged

SEEDS = range(60)


def tiny(seed, factor, inner, outer):
    """Two relus over biases of 1e-9, some of them exactly at their kinks; claim times factor."""
    rng = np.random.default_rng(seed)
    W, b = 1e-9 * rng.standard_normal((2, 8)), 1e-9 * rng.standard_normal(8)
    W[1], b[::3] = 0, 0
    x = np.array([[0.0, 1.0]]) if seed % 2 else np.array([[0.0, 1.0], [0.0, 0.5]])
    middle, c = inner * rng.standard_normal((8, 4)), 1e-9 * rng.standard_normal(4)
    c[3] = 0
    last = outer * rng.standard_normal((4, 1))

    def passed(W, b):
        z = x @ W + b
        q = np.maximum(z, 0) @ middle + c
        return z, q, np.maximum(q, 0) @ last + 1.0

    def vjp(u, W, b):
        z, q, off = passed(W, b)
        d = 2 * factor * u * off @ last.T * (q > 0) @ middle.T * (z > 0)
        return {"W": x.T @ d, "b": d.sum(0)}

    found = judged(lambda W, b: (passed(W, b)[2] ** 2).sum(), vjp, {"W": W, "b": b}, seed)
    return [judgement.verdict for judgement in found.values()]


@pytest.mark.parametrize(("inner", "outer"), [(64.0, 1.0), (1.0, 0.1)])
def test_claims_that_add_up_to_what_the_function_does_are_not_called_wrong(inner, outer):
    right = [verdict for seed in SEEDS for verdict in tiny(seed, 1.0, inner, outer)]
    assert set(right) <= {"correct", "inconclusive"}
    wrong = [verdict for seed in SEEDS for verdict in tiny(seed, 2.0, inner, outer)]
    assert wrong.count("wrong") > 10 * wrong.count("inconclusive")
    assert wrong.count("wrong") > 100


def test_a_few_jumps_or_one_swing_are_no_rounding_and_a_waver_all_along_is():
    places = np.linspace(-1, 1, 255)
    rng = np.random.default_rng(0)
    jumps = sum(places > at for at in (-0.7, -0.2, 0.0, 0.4))
    noise = rng.standard_normal(255)
    assert not rounded(jumps + places, 0.5)
    assert not rounded(jumps + places + 1e-3 * noise, 0.5)
    assert not rounded(np.tanh(30 * places), 0.5)
    assert rounded(places + 0.1 * noise, 0.5)
    assert rounded(places + 0.2 * np.round(5 * noise), 0.5)
    assert rounded(np.full(255, np.nan), 0.5)
