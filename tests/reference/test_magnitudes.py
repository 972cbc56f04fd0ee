"""Numbers far out, infinite logits and what masks leave out: finite where the maths is."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from reference.layers import (
    batch_norm_eval,
    cosine_similarity,
    elu,
    gelu,
    gelu_tanh,
    gru,
    hardshrink,
    hardsigmoid,
    hardswish,
    hardtanh,
    leaky_relu,
    log_sigmoid,
    logsumexp,
    lstm,
    mish,
    norm,
    relu,
    selu,
    sigmoid,
    simple_rnn,
    softmax,
    softplus,
    softshrink,
    sort,
    swish,
    tanh,
    time_distributed_gru,
    top_k,
)
from reference.losses import cross_entropy, hinge, huber, log_softmax, multi_margin
from tests.reference.users_cases import draw

FAR = np.array([1e300, -1e300])
NEAR = np.array([1e-300, -1e-300])
# layer: what it makes of 1e300 and -1e300, and its slope there
SATURATED = {
    elu: ([1e300, -1], [1, 0]),
    gelu: ([1e300, 0], [1, 0]),
    gelu_tanh: ([1e300, 0], [1, 0]),
    hardshrink: (FAR, [1, 1]),
    hardsigmoid: ([1, 0], [0, 0]),
    hardswish: ([1e300, 0], [1, 0]),
    hardtanh: ([1, -1], [0, 0]),
    leaky_relu: ([1e300, -2e299], [1, 0.2]),
    log_sigmoid: ([0, -1e300], [0, 1]),
    mish: ([1e300, 0], [1, 0]),
    relu: ([1e300, 0], [1, 0]),
    selu: ([selu.SCALE * 1e300, -selu.SCALE * selu.ALPHA], [selu.SCALE, 0]),
    sigmoid: ([1, 0], [0, 0]),
    softplus: ([1e300, 0], [1, 0]),
    softshrink: (FAR, [1, 1]),
    swish: ([1e300, 0], [1, 0]),
    tanh: ([1, -1], [0, 0]),
}


@pytest.fixture(autouse=True)
def nothing_overflows():
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        yield


@pytest.mark.parametrize("layer", SATURATED, ids=lambda layer: layer.__name__.rpartition(".")[2])
def test_an_activation_far_out_and_near_zero(layer):
    value, slope = SATURATED[layer]
    assert_allclose(layer.forward(FAR), value, rtol=1e-14)
    assert_allclose(layer.vjp(np.ones(2), FAR)["x"], slope, rtol=1e-14)
    at_zero = layer.forward(np.zeros(2))
    assert_allclose(layer.forward(NEAR), at_zero, rtol=1e-14, atol=2e-300)
    assert np.isfinite(layer.vjp(np.ones(2), NEAR)["x"]).all()


ROWS = np.array([[1e300, -1e300, 0], [1e300] * 3, [-1e300] * 3, [1e-300, 0, -1e-300]])
SHARES = np.array([[1, 0, 0], [1 / 3] * 3, [1 / 3] * 3, [1 / 3] * 3])


def test_softmax_and_its_logarithm_far_out():
    assert_allclose(softmax.forward(ROWS), SHARES)
    assert_allclose(np.exp(log_softmax.forward(ROWS)), SHARES)
    assert_array_equal(log_softmax.forward(ROWS)[0], [0, -2e300, -1e300])
    assert_allclose(logsumexp.forward(ROWS), [1e300, 1e300, -1e300, np.log(3)])
    assert_allclose(logsumexp.vjp(np.ones(4), ROWS)["x"], SHARES)
    g = draw(4, 3)
    assert_allclose(log_softmax.vjp(g, ROWS)["x"], g - SHARES * g.sum(1, keepdims=True))


def test_cross_entropy_far_out():
    losses = cross_entropy.forward(ROWS, np.array([1, 0, 1, 2]), reduction="none")
    assert_allclose(losses, [2e300, np.log(3), np.log(3), np.log(3)])
    slope = cross_entropy.vjp(np.ones(4), ROWS, np.array([1, 0, 1, 2]), reduction="none")
    assert_allclose(slope["logits"], SHARES - np.eye(3)[[1, 0, 1, 2]])


def test_a_logit_of_minus_infinity_rules_its_class_out():
    """A class that cannot be: as if it were not there, forward and backward."""
    logits, labels = np.array([[1.0, -np.inf, 2.0], [-np.inf, 0.5, -np.inf]]), np.array([0, 1])
    short = cross_entropy.forward(logits[:1, [0, 2]], labels[:1])
    assert_allclose(cross_entropy.forward(logits, labels, reduction="none"), [short, 0])
    gradient = cross_entropy.vjp(1.0, logits, labels, reduction="sum")["logits"]
    expected = cross_entropy.vjp(1.0, logits[:1, [0, 2]], labels[:1])["logits"]
    assert_allclose(gradient[0, [0, 2]], expected[0])
    assert_array_equal(gradient[0, 1], 0)
    assert_array_equal(gradient[1], 0)


def test_rows_that_do_not_count_may_hold_anything():
    logits, labels = np.array([[np.nan] * 3, [0.0, 1.0, 2.0]]), np.array([0, 1])
    keep = np.array([0, 1])
    with np.errstate(invalid="ignore"):
        loss = cross_entropy.forward(logits, labels, keep)
        gradient = cross_entropy.vjp(1.0, logits, labels, keep)["logits"]
    assert_allclose(loss, cross_entropy.forward(logits[1:], labels[1:]))
    assert_array_equal(gradient[0], 0)
    assert_allclose(gradient[1:], cross_entropy.vjp(1.0, logits[1:], labels[1:])["logits"])


def test_losses_of_scores_far_out():
    zeros = np.zeros(2)
    assert_allclose(huber.forward(FAR, zeros, delta=2.0, reduction="none"), [2e300, 2e300])
    slope = huber.vjp(np.ones(2), FAR, zeros, delta=2.0, reduction="none")
    assert_array_equal(slope["prediction"], [2, -2])
    assert_allclose(huber.forward(NEAR, zeros, reduction="none"), 0, atol=1e-300)
    assert_array_equal(hinge.forward(FAR, np.ones(2), reduction="none"), [0, 1e300])
    assert_allclose(multi_margin.forward(FAR[None], np.array([1])), 1e300)


@pytest.mark.parametrize("p", [1, 1.5, 2, 3, np.inf])
def test_a_norm_with_an_infinite_entry_is_infinite(p):
    assert norm.forward(np.array([1.0, -np.inf, 1e3]), p=p) == np.inf


@pytest.mark.parametrize("scale", [1e300, 1e-300, 5e-324])
def test_norms_and_angles_at_the_ends_of_the_range(scale):
    x = scale * np.array([1.0, -1.0])
    for p in (1, 2, 3, np.inf):
        assert_allclose(norm.forward(x, p=p), scale * (2 ** (1 / p)), rtol=0.5 * (scale < 1e-320))
    if scale == 1e300:
        assert_allclose(cosine_similarity.forward(x, -x), -1)


def test_a_deviation_of_zero_is_refused():
    given = [np.ones((2, 3)), np.ones(3), np.ones(3), np.zeros(3)]
    assert np.isfinite(batch_norm_eval.forward(*given, np.zeros(3))).all()
    for variance in (np.zeros(3), np.array([1, -1e-9, 1]), np.array([1, np.nan, 1])):
        with pytest.raises(ValueError, match="variance holds"):
            batch_norm_eval.forward(*given, variance, eps=0)


def test_nan_is_the_largest_in_both_directions():
    x = np.array([1, np.nan, 2])
    assert_array_equal(sort.forward(x), [1, 2, np.nan])
    assert_array_equal(sort.forward(x, descending=True), [np.nan, 2, 1])
    assert_array_equal(top_k.forward(x, k=2)[0], [np.nan, 2])


# forward, vjp, gates a unit, shape of the bias for two units
LAYERS = {
    "simple_rnn": (simple_rnn, 1, (2,)),
    "lstm": (lstm, 4, (8,)),
    "gru": (gru, 3, (2, 6)),
    "time_distributed_gru": (time_distributed_gru, 3, (2, 6)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_step_that_the_mask_leaves_out_may_hold_anything(name):
    module, gates, bias = LAYERS[name]
    weights = {"W": draw(3, 2 * gates), "U": draw(2, 2 * gates), "b": draw(*bias)}
    if name == "time_distributed_gru":
        weights |= {"V": draw(3, 3), "v": draw(3)}
    keep = np.array([[1, 0, 1], [0, 1, 1]], bool)
    x, g = draw(2, 3, 3), draw(2, 2)
    anything = np.where(keep[..., None], x, np.nan)
    assert_array_equal(
        module.forward(anything, **weights, mask=keep), module.forward(x, **weights, mask=keep)
    )
    expected = module.vjp(g, x, **weights, mask=keep)
    for key, gradient in module.vjp(g, anything, **weights, mask=keep).items():
        assert_array_equal(gradient, expected[key])
    assert_array_equal(expected["x"][~keep], 0)
