"""Figures printed in the documents, or computed from what they print."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from reference.layers import (
    affine,
    dense,
    elementwise_map,
    hypernetwork,
    identity,
    lift,
    linear,
    masked_dense,
    relu,
    scalar_weight,
    shared_conv_lstm,
    simple_rnn,
    task,
)
from reference.losses import mse

DOUBLE = {"function": lambda x: 2 * x, "derivative": lambda x: 2}
PLUS_ONE = {"function": lambda x: x + 1, "derivative": lambda x: 1}
FACTS = [(np.arange(2 * n, 2 * n + 2), np.arange(2 * n + 1, 2 * n - 1, -1)) for n in range(3)]

# (002) the printed weights of a SimpleRNN of 3 units on 1 feature
W = np.array([[0.91814435, 0.2490257, 1.09242284]])
U = np.array(
    [
        [-0.42028981, 0.68996912, -0.58932084],
        [-0.88647962, -0.17359462, 0.42897415],
        [0.19367599, 0.70271438, 0.68460363],
    ]
)
SEQUENCES = {
    (1, 1, 1): [
        [0.7250183739729599, 0.2440025876287229, 0.7977607392426161],
        [0.5017410867046469, 0.8531203722627666, 0.8657794961889234],
        [0.11812055864715364, 0.783939377287797, 0.9419891200145304],
    ],
    (1, -0.5, 2): [
        [0.7250183739729599, 0.2440025876287229, 0.7977607392426161],
        [-0.6780988974884663, 0.7133479997410815, -0.3119093621913108],
        [0.8913606282329358, -0.30301170236062164, 0.990584947917585],
    ],
    (0, 0, 0): np.zeros((3, 3)),
}


@pytest.mark.parametrize("x", SEQUENCES)
def test_simple_rnn_with_the_printed_weights(x):
    sequence = np.array(x, float)[None, :, None]
    y = simple_rnn.forward(sequence, W, U, np.zeros(3), return_sequences=True)
    assert_allclose(y[0], SEQUENCES[x], atol=1e-12)


def test_the_printed_recurrent_weights_are_a_rotation():
    assert_allclose(U @ U.T, np.eye(3), atol=4e-8)
    assert np.linalg.det(U) == pytest.approx(1, abs=1e-7)


def test_affine_then_doubling_with_the_printed_weights():
    M = np.array([[-1.41364637, 1.16071821], [0.66063039, 0.42396354]])
    b = np.array([0.06821949, -1.07695745])
    y = elementwise_map.forward(affine.forward(np.array([3, 5]), M, b), **DOUBLE)
    assert_allclose(y, [3.2617429, 6.04950289], atol=1e-7)


@pytest.mark.parametrize(("x", "y"), [([3, 5], [6, 10]), ([7, 11], [14, 22])])
def test_the_identity_matrix_then_doubling(x, y):
    ones = affine.forward(np.array(x), np.eye(2), np.zeros(2))
    assert_array_equal(elementwise_map.forward(ones, **DOUBLE), y)


def test_loss_of_the_last_fact_through_the_identity_and_through_x_plus_1():
    x, t = FACTS[-1]
    assert mse.forward(identity.forward(x), t, form="half sum") == 1.0
    mapped = elementwise_map.forward(x, **PLUS_ONE)
    assert mse.forward(mapped, t, form="half sum") == 2.0
    assert_array_equal(elementwise_map.forward(np.array([2, 3]), **PLUS_ONE), [3, 4])


def test_the_model_of_one_weight():
    assert scalar_weight.forward(np.float64(3.0), np.float64(2.0)) == 6.0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gradient_descent_on_one_weight(dtype):
    x = t = np.array([1, 2], dtype)
    w, weights, losses = dtype(2), [], []
    for _ in range(5):
        p = scalar_weight.forward(x, w)
        weights.append(float(w))
        losses.append(float(mse.forward(p, t)))
        dp = mse.vjp(dtype(1), p, t)["prediction"]
        w = w - dtype(0.1) * scalar_weight.vjp(dp, x, w)["w"]
    assert weights == [2, 1.5, 1.25, 1.125, 1.0625]
    assert losses == [2.5, 0.625, 0.15625, 0.0390625, 0.009765625]


def test_first_step_of_dense_sgd():
    """(001) with the printed data row, weights and losses of the first of twelve steps."""
    rng = np.random.RandomState(42)
    x1, x2, x3 = rng.normal(size=(3, 100))
    X = np.stack([x1, x2, x3], axis=1).astype(np.float32)
    Y = (3 * x1 + 2 * x2 - 7 * x3 + 5).astype(np.float32)
    weights = np.array([[0.8773805], [0.3983569], [-0.34608656]], np.float32)
    x, t = X[[77]], Y[[77], None]
    p = dense.forward(x, weights, np.zeros(1, np.float32))
    assert mse.forward(p, t) == pytest.approx(114.21528, rel=1e-7)
    g = mse.vjp(np.float32(1), p, t)["prediction"]
    step = dense.vjp(g, x, weights, np.zeros(1, np.float32))
    stepped = dense.forward(X[[3]], weights - 0.1 * step["W"], -0.1 * step["b"])
    assert mse.forward(stepped, Y[[3], None]) == pytest.approx(6.845426559448242, rel=1e-5)


@pytest.mark.parametrize(("at_zero", "last"), [(0, 2.0), (0.5, 0.0), (1, 0.0)])
def test_with_zero_weights_the_convention_decides_whether_anything_is_learnt(at_zero, last):
    """(002) 200 steps of gradient descent from w1 = 0: convention 0 never leaves the origin."""
    x, t = np.array([[1, 2, 1], [-1, 0.5, 1]]), np.array([[1.0], [-1]])
    w1, w2 = np.zeros((3, 4)), np.array([[1], [-1], [0.5], [0.25]])
    for _ in range(200):
        h = x @ w1
        p = relu.forward(h) @ w2
        g = mse.vjp(1.0, p, t, form="sum")["prediction"]
        dh = relu.vjp(g @ w2.T, h, at_zero=at_zero)["x"]
        w1, w2 = w1 - 0.05 * x.T @ dh, w2 - 0.05 * relu.forward(h).T @ g
    assert mse.forward(relu.forward(x @ w1) @ w2, t, form="sum") == pytest.approx(last, abs=1e-12)


def test_masked_weights_give_the_printed_pattern():
    """(002) dW = m x_i (y_j - 1) where z_j > 0: zeros in place, one ratio of inputs a column."""
    mask = np.array([[0, 1], [1, 0], [0, 1]])
    rng = np.random.default_rng(0)
    x, weights, b = rng.random((1, 3)), rng.random((3, 2)), np.array([1.5, -0.1])
    y = masked_dense.forward(x, weights, b, mask)
    g = mse.vjp(1.0, y, np.ones((1, 2)))["prediction"]
    assert_allclose(g, y - 1, atol=1e-15)  # a mean over two outputs: factor 2/2
    dW = masked_dense.vjp(g, x, weights, b, mask)["W"]
    assert_array_equal(dW[mask == 0], 0)
    assert dW[0, 1] / dW[2, 1] == pytest.approx(x[0, 0] / x[0, 2])


def test_parameters_of_the_shared_network():
    """(002) 20 + 640 + 102 parameters on lengths 50, 40, 30, 20, 10."""
    rng = np.random.default_rng(0)
    shapes = {
        "K": (3, 1, 5),
        "k": (5,),
        "W": (5, 40),
        "U": (10, 40),
        "b": (40,),
        "V": (50, 2),
        "v": (2,),
    }
    weights = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    assert sum(array.size for array in weights.values()) == 762
    inputs = [rng.standard_normal((1, length, 1)) for length in (50, 40, 30, 20, 10)]
    y = shared_conv_lstm.forward(*inputs, **weights)
    assert y.shape == (1, 2)
    assert y.sum() == pytest.approx(1)


def lifter(seed=0):
    """A Lift 3-10-26 and rows of its input."""
    rng = np.random.default_rng(seed)
    shapes = {"A": (3, 10), "a": (10,), "B": (10, 26), "c": (26,)}
    weights = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    return rng.standard_normal((6, 3)), weights


def test_task_has_26_weights_and_lift_326():
    x, weights = lifter()
    assert sum(array.size for array in weights.values()) == 326
    w = lift.forward(x, **weights)
    W1, b1, W2, b2 = task.unflatten(x, w, 1)
    assert [part.shape[1:] for part in (W1, b1, W2, b2)] == [(3, 5), (5,), (5, 1), (1,)]
    assert_array_equal(W1[0].ravel(), w[0, :15])
    assert_array_equal(task.flatten(W1, b1, W2, b2), w)


def test_task_is_two_dense_layers_with_the_sample_s_own_weights():
    x, weights = lifter()
    w = lift.forward(x, **weights)
    W1, b1, W2, b2 = task.unflatten(x, w, 1)
    for n in range(len(x)):
        hidden = dense.forward(x[n], W1[n], b1[n], activation=(relu.forward, relu.vjp))
        assert_allclose(task.forward(x, w)[n], linear.forward(hidden, W2[n], b2[n]), atol=1e-14)


def test_the_hypernetwork_is_piecewise_cubic_along_a_ray():
    x, weights = lifter()
    s = np.linspace(1, 1.004, 5)[:, None]
    for ray in x:
        f = hypernetwork.forward(s * ray, **weights)[:, 0]
        third, fourth = np.diff(f, 3), np.diff(f, 4)
        assert np.abs(fourth).max() < 1e-10 * max(1, np.abs(f).max())
        assert np.abs(third).max() < np.abs(np.diff(f)).max()


def test_one_inner_step_of_sgd_gives_the_lift_its_true_gradient_scaled():
    """With w' = w - eta g, the target's MSE has (2 eta / P) times the end-to-end gradient."""
    x, weights = lifter()
    x, t, eta = x[:1], np.array([[3.0]]), 0.01
    w = lift.forward(x, **weights)
    p = task.forward(x, w)
    dp = mse.vjp(1.0, p, t)["prediction"]
    target = w - eta * task.vjp(dp, x, w)["w"]
    trained = lift.vjp(mse.vjp(1.0, w, target)["prediction"], x, **weights)
    true = hypernetwork.vjp(dp, x, **weights)
    for name in weights:
        assert_allclose(trained[name], 2 * eta / 26 * true[name], rtol=1e-10, atol=1e-14)


def test_the_pullback_of_the_updated_matrix_differs_by_g_squared_x():
    """(003) dx uses M before the update: after it, it would be off by exactly -|g|^2 x."""
    rng = np.random.default_rng(0)
    x, M, b, g = (rng.standard_normal(shape) for shape in (3, (2, 3), 2, 2))
    before = affine.vjp(g, x, M, b)
    after = affine.vjp(g, x, M - before["M"], b)
    assert_allclose(after["x"] - before["x"], -(g @ g) * x, atol=1e-14)
