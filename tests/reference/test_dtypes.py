"""float16 and float32 stay what they are, integers are numbers like any other."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from reference.layers import (
    cholesky,
    elementwise_map,
    inverse,
    log_sigmoid,
    relu,
    scatter_add,
    sigmoid,
    simple_rnn,
    solve,
    sort,
    top_k,
)
from reference.losses import cross_entropy, huber, masked_mse, mse
from tests.reference.every_case import CASES, cotangent_of
from tests.reference.layers.pairing import as_tuple

OF_LAPACK = ("solve", "inverse", "cholesky")
OF_SIGMA = ("odr", "odr residuals")  # their standard deviations are bound in float64
# Relative to the largest entry: room for some hundred roundings.
TOLERANCE = {np.float16: 0.02, np.float32: 2e-5}
FIVE = np.arange(-2, 3)


def cast(inputs, dtype):
    """The same numbers in this dtype, indices and masks as they are."""
    return {k: a.astype(dtype) if a.dtype.kind == "f" else a for k, a in inputs.items()}


@pytest.mark.parametrize("dtype", TOLERANCE, ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("name", [n for n in CASES if n not in (*OF_LAPACK, *OF_SIGMA)])
def test_a_low_precision_stays_and_is_not_far_off(name, dtype):
    forward, vjp, inputs = CASES[name]
    low = cast(inputs, dtype)
    outputs = forward(**low)
    assert {y.dtype for y in as_tuple(outputs)} - {np.dtype(int)} == {np.dtype(dtype)}
    cotangent = cotangent_of(outputs, dtype)
    wide = tuple(None if c is None else c.astype(float) for c in as_tuple(cotangent))
    exact = vjp(wide if isinstance(cotangent, tuple) else wide[0], **cast(low, float))
    for key, gradient in vjp(cotangent, **low).items():
        assert gradient.dtype == dtype, key
        size = np.abs(exact[key]).max(initial=0)
        assert_allclose(gradient, exact[key], rtol=0, atol=TOLERANCE[dtype] * size)


@pytest.mark.parametrize("layer", [cholesky, inverse])
def test_lapack_has_no_float16(layer):
    with pytest.raises(ValueError, match="A has dtype float16"):
        layer.forward(np.eye(2, dtype=np.float16))


def test_a_right_hand_side_of_float16_is_named():
    with pytest.raises(ValueError, match="b has dtype float16"):
        solve.forward(np.eye(2), np.ones((2, 1), np.float16))


@pytest.mark.parametrize("name", [n for n in CASES if n not in ("nll", "hinge")])
def test_integers_give_what_the_same_floats_give(name):
    """Weights that round to nothing have no mean, labels but -1 and 1 are none: not those two."""
    forward, vjp, inputs = CASES[name]
    floats = {k: np.round(2 * a) if a.dtype.kind == "f" else a for k, a in inputs.items()}
    whole = cast(floats, int)
    outputs = forward(**floats)
    for mine, expected in zip(as_tuple(forward(**whole)), as_tuple(outputs), strict=True):
        assert_allclose(mine, expected, rtol=1e-14)
    cotangent = cotangent_of(outputs)
    expected = vjp(cotangent, **floats)
    for key, gradient in vjp(cotangent, **whole).items():
        assert_allclose(gradient, expected[key], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", CASES)
def test_a_cotangent_of_integers_is_not_cut_off(name):
    forward, vjp, inputs = CASES[name]
    drawn = cotangent_of(forward(**inputs))
    floats = tuple(None if c is None else np.round(3 * c) for c in as_tuple(drawn))
    whole = tuple(None if c is None else c.astype(int) for c in floats)
    if not isinstance(drawn, tuple):
        floats, whole = floats[0], whole[0]
    expected = vjp(floats, **inputs)
    for key, gradient in vjp(whole, **inputs).items():
        assert_allclose(gradient, expected[key], rtol=1e-12, atol=1e-14)


def test_unsigned_integers_do_not_wrap():
    p, t = np.array([1, 200], np.uint8), np.array([2, 100], np.uint8)
    assert mse.forward(p, t, form="sum") == masked_mse.forward(p, t, np.ones(2)) * 2 == 10_001
    assert huber.forward(p, t, reduction="sum") == 0.5 + 99.5
    assert_array_equal(mse.vjp(1.0, p, t, form="half sum")["prediction"], [-1, 100])
    assert_array_equal(sort.forward(np.array([1, 0, 2], np.uint8), descending=True), [2, 1, 0])
    assert_array_equal(top_k.forward(p, k=1)[0], [200])
    assert_allclose(sigmoid.forward(np.array([3], np.uint8)), sigmoid.forward(np.array([3.0])))
    assert_allclose(log_sigmoid.forward(np.array([3], np.uint8)), -np.log1p(np.exp(-3)))


def test_half_a_level_of_integers_is_half():
    assert_array_equal(relu.forward(FIVE, e=0.5), [0.5, 0.5, 0.5, 1, 2])
    assert_array_equal(relu.vjp(np.ones(5), FIVE, e=0.5)["x"], [0, 0, 0, 1, 1])


def test_a_fraction_of_integers_is_kept():
    leak = {"function": lambda x: np.where(x > 0, x, 0.1 * x)}
    leak["derivative"] = lambda x: np.where(x > 0, 1, 0.1)
    assert_allclose(elementwise_map.vjp(np.ones(5, int), FIVE, **leak)["x"], [0.1] * 3 + [1] * 2)
    index = np.array([0])
    assert_allclose(scatter_add.forward(FIVE, index, np.array([0.5]))[0], -1.5)
    loss = cross_entropy.forward(FIVE[None], index, smoothing=0.2)
    assert loss == cross_entropy.forward(FIVE[None].astype(float), index, smoothing=0.2)


def test_states_of_integers_are_not_cut_off():
    one = np.ones((1, 1), int)
    h = simple_rnn.forward(one[None], one, one, one[0])
    assert_allclose(h, np.tanh(2))
