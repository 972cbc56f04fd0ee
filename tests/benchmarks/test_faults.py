"""Every planted fault changes the gradient it is planted in, by what its name says."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.faults import FAULTS, place, planted, visible
from benchmarks.zoo.layers import dense_vjp

RNG = np.random.default_rng(0)
MATRIX = RNG.standard_normal((5, 5))
COMPLEX = MATRIX[:3, :3] + 1j * MATRIX[2:, 2:]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_changes_the_gradient(fault):
    g = COMPLEX if fault.name == "conjugated" else MATRIX
    at = place(g, np.random.default_rng(1))
    changed = fault.plant(g.copy(), at)
    assert changed.shape == g.shape
    assert visible(fault, g, at)
    moved = np.max(np.abs(changed - g))
    assert moved > 0
    if fault.size < 1:
        assert moved <= 2 * fault.size * np.max(np.abs(g))


def test_a_fault_is_planted_in_one_input_only():
    x, W, b, u = MATRIX[:3], MATRIX, MATRIX[0], MATRIX[2:]
    right = dense_vjp(u, x, W, b)
    at = place(right["W"], RNG)
    wrong = planted(dense_vjp, "W", FAULTS[0], at)(u, x=x, W=W, b=b)
    assert np.array_equal(wrong["x"], right["x"])
    assert np.allclose(wrong["W"], 1.01 * right["W"], rtol=1e-12)


def test_a_planted_fault_stays_linear_in_the_cotangent():
    x, W, b, u = MATRIX[:3], MATRIX, MATRIX[0], MATRIX[2:]
    at = place(dense_vjp(u, x, W, b)["W"], np.random.default_rng(3))
    for fault in FAULTS:
        if fault.name == "float16 inside":  # rounding is not linear
            continue
        wrong = planted(dense_vjp, "W", fault, at)
        both = wrong(u + 2 * u[::-1], x=x, W=W, b=b)["W"]
        apart = wrong(u, x=x, W=W, b=b)["W"] + 2 * wrong(u[::-1], x=x, W=W, b=b)["W"]
        assert np.allclose(both, apart, rtol=1e-12, atol=1e-12)


def test_symmetric_matrices_hide_a_transpose():
    transposed = next(fault for fault in FAULTS if fault.name == "transposed")
    assert not visible(transposed, MATRIX + MATRIX.T, (0, 0))


def test_nothing_to_plant_in_zeros():
    assert place(np.zeros(4), RNG) is None
