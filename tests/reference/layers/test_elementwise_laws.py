"""Activations, masks, convolution, embedding: their values and their choice at kinks."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.signal import correlate

from reference.layers import (
    concatenate,
    conv1d,
    dense,
    dropout,
    elementwise_map,
    embedding,
    leaky_relu,
    linear,
    masked_dense,
    padding,
    relu,
    sequence_mask,
    shared,
    sigmoid,
    softmax,
    tanh,
    time_distributed,
)

rng = np.random.default_rng(0)
POINTS = np.array([-2.0, 0.0, 3.0])
G = np.array([2.0, -3.0, 5.0])


@pytest.mark.parametrize("at_zero", [0, 0.3, 0.5, 1])
def test_relu_multiplies_the_cotangent_by_its_choice_at_zero(at_zero):
    assert_array_equal(relu.forward(POINTS, at_zero=at_zero), [0, 0, 3])
    assert_array_equal(relu.vjp(G, POINTS, at_zero=at_zero)["x"], [0, -3 * at_zero, 5])


def test_relu_above_e_has_its_kink_at_e():
    x = np.array([-1.0, 0.5, 2.0])
    assert_array_equal(relu.forward(x, e=0.5), [0.5, 0.5, 2])
    assert_array_equal(relu.vjp(G, x, e=0.5, at_zero=1)["x"], [0, -3, 5])


def test_leaky_relu_is_the_document_s_formula_with_the_leak_not_halved():
    x, leak = rng.standard_normal(50), 0.2
    documented = (x * (1 + leak) + abs(x) * (1 - leak)) / 2
    assert_allclose(leaky_relu.forward(x, leak=leak), documented, atol=1e-15)
    assert_allclose(leaky_relu.vjp(G, POINTS, leak=leak)["x"], [0.4, -0.6, 5])


def test_relu_is_leaky_relu_without_leak():
    x = rng.standard_normal(50)
    assert_array_equal(leaky_relu.forward(x, leak=0), relu.forward(x))


def test_saturated_activations_have_no_slope_and_no_overflow():
    x = np.array([-1e3, 1e3])
    with np.errstate(all="raise", under="ignore"):
        assert_array_equal(sigmoid.forward(x), [0, 1])
        assert_array_equal(sigmoid.vjp(np.ones(2), x)["x"], [0, 0])
        assert_array_equal(tanh.vjp(np.ones(2), x)["x"], [0, 0])
        assert_array_equal(softmax.forward(x), [0, 1])


def test_softmax_jacobian():
    z = rng.standard_normal(4)
    s = softmax.forward(z)
    rows = np.stack([softmax.vjp(row, z)["x"] for row in np.eye(4)])
    assert_allclose(rows, np.diag(s) - np.outer(s, s), atol=1e-16)
    assert_allclose(softmax.forward(z + 1e3), s, atol=1e-13)


def test_softmax_of_no_class_is_empty_and_of_one_is_one():
    assert softmax.forward(np.empty((3, 0))).shape == (3, 0)
    assert_array_equal(softmax.forward(np.array([[7.0], [-700.0]])), [[1], [1]])


def test_the_type_of_the_first_result_decides_only_without_otypes():
    """(003) np.vectorize infers from the first element; a mapped array function does not."""
    slope = {"function": np.negative, "derivative": lambda d: np.where(d > 0, 1, 0.1)}
    x = np.array([1.0, -1.0])
    assert_array_equal(np.vectorize(lambda d: 1 if d > 0 else 0.1)(x), [1, 0])
    assert_array_equal(elementwise_map.vjp(np.ones(2), x, **slope)["x"], [1, 0.1])


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("dilation", [1, 2])
def test_conv1d_is_a_cross_correlation(stride, dilation):
    x, K, b = rng.standard_normal((2, 11, 3)), rng.standard_normal((3, 3, 4)), np.zeros(4)
    spread = np.zeros((dilation * 2 + 1, 3, 4))
    spread[::dilation] = K
    expected = np.stack(
        [
            [correlate(sample, spread[..., f], mode="valid")[::stride, 0] for f in range(4)]
            for sample in x
        ]
    ).swapaxes(1, 2)
    y = conv1d.forward(x, K, b, stride=stride, dilation=dilation)
    assert_allclose(y, expected, atol=1e-13)


@pytest.mark.parametrize("width", [1, 2, 3, 4])
@pytest.mark.parametrize("length", [0, 1, 2, 5, 6])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_same_padding_puts_the_odd_zero_at_the_end(width, length, stride):
    x, K, b = rng.standard_normal((1, length, 1)), rng.standard_normal((width, 1, 1)), np.ones(1)
    steps = -(-length // stride)
    zeros = max((steps - 1) * stride + width - length, 0)
    padded = np.concatenate([np.zeros(zeros // 2), x[0, :, 0], np.zeros(zeros - zeros // 2)])
    expected = [padded[stride * t :][:width] @ K[:, 0, 0] + 1 for t in range(steps)]
    assert_allclose(conv1d.forward(x, K, b, stride=stride, padding="same")[0, :, 0], expected)


def test_lengths_after_the_documented_convolution():
    K, b = np.ones((3, 1, 5)), np.zeros(5)
    lengths = [conv1d.forward(np.ones((1, n, 1)), K, b).shape[1] for n in (50, 40, 30, 20, 10)]
    assert lengths == [48, 38, 28, 18, 8]


def test_repeated_indices_add_up():
    E, index = rng.standard_normal((4, 2)), np.array([1, 1, 3, 1])
    g = rng.standard_normal((4, 2))
    dE = embedding.vjp(g, index, E)["E"]
    assert_allclose(dE[1], g[0] + g[1] + g[3])
    assert_array_equal(dE[[0, 2]], 0)
    one_hot = np.eye(4)[index]
    assert_allclose(embedding.forward(index, E), one_hot @ E)
    assert_allclose(dE, one_hot.T @ g)


def test_masked_gradient_is_the_mask_times_the_dense_one():
    x, W, b = rng.standard_normal((5, 3)), rng.standard_normal((3, 4)), rng.standard_normal(4)
    mask = rng.random((3, 4)) < 0.5
    g = rng.standard_normal((5, 4))
    relu_pair = {"activation": (relu.forward, relu.vjp)}
    full = dense.vjp(g, x, mask * W, b, **relu_pair)
    masked = masked_dense.vjp(g, x, W, b, mask)
    assert_array_equal(masked["W"], mask * full["W"])
    assert_array_equal(masked["x"], full["x"])


def test_masked_weights_may_hold_anything():
    x, W, b = np.ones((1, 2)), np.array([[np.nan], [2.0]]), np.zeros(1)
    mask = np.array([[0], [1]])
    assert masked_dense.forward(x, W, b, mask) == 2
    gradients = masked_dense.vjp(np.ones((1, 1)), x, W, b, mask)
    assert_array_equal(gradients["W"], [[0], [1]])
    assert_array_equal(gradients["x"], [[0, 2]])


def test_dropout_keeps_the_mean_and_is_off_at_evaluation():
    x = rng.standard_normal(100_000)
    kept = rng.random(x.shape) >= 0.25
    assert dropout.forward(np.ones_like(x), kept, rate=0.25).mean() == pytest.approx(1, abs=0.01)
    assert_array_equal(dropout.forward(x, kept, rate=0.25, training=False), x)
    assert_array_equal(dropout.forward(x, np.ones_like(x), rate=0.0), x)


def test_dropped_values_may_be_anything():
    x, mask = np.array([np.nan, 1.0]), np.array([0, 1])
    assert_array_equal(dropout.forward(x, mask), [0, 2])


def test_padding_and_its_mask_put_each_sequence_in_its_row():
    x, lengths = np.arange(1.0, 6)[:, None], np.array([2, 0, 3])
    after = padding.forward(x, lengths)[..., 0]
    assert_array_equal(after, [[1, 2, 0], [0, 0, 0], [3, 4, 5]])
    before = padding.forward(x, lengths, time=4, side="pre")[..., 0]
    assert_array_equal(before, [[0, 0, 1, 2], [0, 0, 0, 0], [0, 3, 4, 5]])
    assert_array_equal(sequence_mask.from_lengths(lengths), after > 0)
    assert_array_equal(sequence_mask.from_lengths(lengths, 4, side="pre"), before > 0)


def test_no_sequence_at_all():
    assert padding.forward(np.empty((0, 2)), np.array([], int)).shape == (0, 0, 2)


def test_concatenation_gives_each_input_its_piece():
    inputs = [rng.standard_normal((2, n)) for n in (3, 0, 1)]
    g = rng.standard_normal((2, 4))
    pieces = concatenate.vjp(g, *inputs)
    assert list(pieces) == ["x1", "x2", "x3"]
    assert_array_equal(concatenate.forward(*pieces.values()), g)
    rows = concatenate.vjp(np.arange(3.0), np.ones(2), np.ones(1), axis=0)
    assert_array_equal(rows["x2"], [2])


def test_a_shared_layer_is_the_sum_of_its_uses():
    x1, x2 = rng.standard_normal((4, 3)), rng.standard_normal((2, 3))
    weights = {"W": rng.standard_normal((3, 2)), "b": rng.standard_normal(2)}
    layer = (linear.forward, linear.vjp)
    g = rng.standard_normal((4, 2)), rng.standard_normal((2, 2))
    both = shared.vjp(g, x1, x2, layer=layer, **weights)
    joined = linear.vjp(np.concatenate(g), np.concatenate([x1, x2]), **weights)
    assert_allclose(both["W"], joined["W"], atol=1e-14)
    assert_allclose(both["b"], joined["b"], atol=1e-14)


def test_time_distributed_is_the_layer_at_each_step():
    x = rng.standard_normal((2, 4, 3))
    weights = {"W": rng.standard_normal((3, 2)), "b": rng.standard_normal(2)}
    y = time_distributed.forward(x, layer=(linear.forward, linear.vjp), **weights)
    for t in range(4):
        assert_allclose(y[:, t], linear.forward(x[:, t], **weights), atol=1e-15)
