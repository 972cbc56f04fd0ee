"""Closed-form values and laws of the layers that users plug in."""

from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from reference.layers import (
    attention,
    avg_pool2d,
    batch_norm,
    batch_norm_eval,
    bilinear,
    cholesky,
    conv2d,
    conv_transpose2d,
    cosine_similarity,
    cumprod,
    cumsum,
    einsum,
    elu,
    gather,
    gelu,
    gelu_tanh,
    group_norm,
    gru_cell,
    hardshrink,
    hardsigmoid,
    hardswish,
    hardtanh,
    instance_norm,
    inverse,
    layer_norm,
    log_sigmoid,
    logsumexp,
    lstm_cell,
    max_pool1d,
    max_pool2d,
    mish,
    multi_head_attention,
    norm,
    prod,
    relu6,
    rms_norm,
    rnn_cell,
    scatter_add,
    selu,
    softplus,
    softshrink,
    solve,
    sort,
    standardise,
    swish,
    threshold,
    top_k,
)
from reference.windows import fold, unfold
from tests.reference.users_cases import draw

ONE = np.array([1.0])
# (layer, options, x, value, derivative), by hand
VALUES = [
    (elu, {}, 0.0, 0.0, 1.0),
    (elu, {"alpha": 2.0}, 0.0, 0.0, 2.0),
    (elu, {"alpha": 2.0}, -1000.0, -2.0, 0.0),
    (elu, {}, 3.0, 3.0, 1.0),
    (selu, {}, 1.0, 1.0507009873554805, 1.0507009873554805),
    (selu, {}, 0.0, 0.0, 1.0507009873554805 * 1.6732632423543772),
    (gelu, {}, 0.0, 0.0, 0.5),
    (gelu, {}, 1e200, 1e200, 1.0),
    (gelu, {}, 1.0, 0.8413447460685429, 0.8413447460685429 + np.exp(-0.5) / np.sqrt(2 * np.pi)),
    (gelu_tanh, {}, 0.0, 0.0, 0.5),
    (gelu_tanh, {}, 60.0, 60.0, 1.0),
    (gelu_tanh, {}, -60.0, 0.0, 0.0),
    (softplus, {}, 0.0, np.log(2), 0.5),
    (softplus, {"beta": 4.0}, 0.0, np.log(2) / 4, 0.5),
    (softplus, {}, 1000.0, 1000.0, 1.0),
    (softplus, {}, -1000.0, 0.0, 0.0),
    (swish, {}, 0.0, 0.0, 0.5),
    (swish, {"beta": 2.0}, -1000.0, 0.0, 0.0),
    (mish, {}, 0.0, 0.0, 0.6),  # tanh(log 2) = 3/5
    (mish, {}, 1000.0, 1000.0, 1.0),
    (log_sigmoid, {}, 0.0, -np.log(2), 0.5),
    (log_sigmoid, {}, -1000.0, -1000.0, 1.0),
    (hardtanh, {}, -1.0, -1.0, 0.0),
    (hardtanh, {}, 1.0, 1.0, 0.0),
    (hardtanh, {"low": -2.0, "high": 0.5}, -1.0, -1.0, 1.0),
    (relu6, {}, 0.0, 0.0, 0.0),
    (relu6, {}, 6.0, 6.0, 0.0),
    (relu6, {}, 5.0, 5.0, 1.0),
    (hardsigmoid, {}, -3.0, 0.0, 0.0),
    (hardsigmoid, {}, 3.0, 1.0, 0.0),
    (hardsigmoid, {}, 0.0, 0.5, 1 / 6),
    (hardswish, {}, -3.0, 0.0, 0.0),
    (hardswish, {}, 3.0, 3.0, 1.0),
    (hardswish, {}, 0.0, 0.0, 0.5),
    (softshrink, {}, 0.5, 0.0, 0.0),
    (softshrink, {}, -0.5, 0.0, 0.0),
    (softshrink, {"lam": 1.0}, -3.0, -2.0, 1.0),
    (hardshrink, {}, 0.5, 0.0, 0.0),
    (hardshrink, {}, 0.75, 0.75, 1.0),
    (threshold, {"theta": 1.0, "value": 7.0}, 1.0, 7.0, 0.0),
    (threshold, {"theta": 1.0, "value": 7.0}, 1.5, 1.5, 1.0),
]


@pytest.mark.parametrize(("layer", "options", "x", "value", "derivative"), VALUES)
def test_value_and_derivative(layer, options, x, value, derivative):
    x = np.array([x])
    assert_allclose(layer.forward(x, **options), value, rtol=1e-14, atol=1e-300)
    claimed = layer.vjp(np.array([-3.0]), x, **options)["x"]
    assert_allclose(claimed, -3 * derivative, rtol=1e-14, atol=1e-300)


@pytest.mark.parametrize("shape", [(0,), (1,), (), (2, 0, 3)])
def test_elementwise_layers_keep_any_shape(shape):
    x = np.ones(shape)
    for layer in {entry[0] for entry in VALUES}:
        assert layer.forward(x).shape == layer.vjp(x, x)["x"].shape == shape


# -- normalisation ---------------------------------------------------------------------------------


def test_standardised_numbers_have_mean_0_and_variance_1():
    y = standardise.forward(5 + 3 * draw(4, 2, 6), axes=(0, 2), eps=0)
    assert_allclose(y.mean((0, 2)), 0, atol=1e-14)
    assert_allclose((y**2).mean((0, 2)), 1, rtol=1e-14)


def test_standardising_is_blind_to_shift_and_scale_so_its_gradient_is_orthogonal_to_both():
    x, g = draw(3, 7), draw(3, 7, seed=1)
    assert_allclose(standardise.forward(2 * x + 5, eps=0), standardise.forward(x, eps=0))
    dx = standardise.vjp(g, x, eps=0)["x"]
    assert_allclose(dx.sum(-1), 0, atol=1e-14)
    assert_allclose((dx * x).sum(-1), 0, atol=1e-13)


def test_two_values_standardise_to_signs_and_have_no_gradient():
    x = np.array([[3.0, 7.0], [5.0, -1.0]])
    assert_allclose(standardise.forward(x, eps=0), [[-1, 1], [1, -1]])
    assert_allclose(standardise.vjp(draw(2, 2), x, eps=0)["x"], 0, atol=1e-15)


def test_layer_norm_is_standardise_scaled_and_shifted():
    x, gamma, beta = draw(2, 3, 5), draw(5), draw(5, seed=1)
    expected = gamma * standardise.forward(x) + beta
    assert_allclose(layer_norm.forward(x, gamma, beta), expected)


def test_rms_norm_of_equal_numbers_is_their_sign():
    x = np.array([[4.0, 4.0, 4.0], [-2.0, -2.0, -2.0]])
    assert_allclose(rms_norm.forward(x, np.ones(3), eps=0), np.sign(x))
    assert_allclose(rms_norm.vjp(np.ones((2, 3)), x, np.ones(3), eps=0)["x"], 0, atol=1e-15)


def test_norms_over_the_same_entries_agree():
    x = draw(1, 4, 6)
    gamma, beta = draw(4), draw(4, seed=1)
    by_instance = instance_norm.forward(x, gamma, beta)
    assert_allclose(batch_norm.forward(x, gamma, beta), by_instance)
    assert_allclose(group_norm.forward(x, gamma, beta, groups=4), by_instance)


def test_evaluation_with_the_batch_own_statistics_is_training_forward_but_not_backward():
    x, gamma, beta, g = draw(6, 3), draw(3), draw(3, seed=1), draw(6, 3, seed=2)
    statistics = x.mean(0), x.var(0)
    assert_allclose(
        batch_norm_eval.forward(x, gamma, beta, *statistics), batch_norm.forward(x, gamma, beta)
    )
    held = batch_norm_eval.vjp(g, x, gamma, beta, *statistics)
    free = batch_norm.vjp(g, x, gamma, beta)
    assert_allclose(held["gamma"], free["gamma"])
    assert not np.allclose(held["x"], free["x"])


# -- windows ---------------------------------------------------------------------------------------

STEPS = [((1, 1), (0, 0), (1, 1)), ((2, 1), (1, 2), (1, 2)), ((3, 2), (2, 0), (2, 1))]


@pytest.mark.parametrize("steps", STEPS)
def test_fold_is_the_adjoint_of_unfold(steps):
    x = draw(2, 3, 7, 6)
    windows = unfold(x, (3, 2), *steps)
    w = draw(*windows.shape)
    assert_allclose(np.sum(windows * w), np.sum(x * fold(w, (7, 6), *steps)))


@pytest.mark.parametrize("steps", STEPS)
def test_convolution_is_its_sum(steps):
    """The formula of the docstring, entry by entry."""
    x, W, b = draw(1, 2, 6, 5), draw(3, 2, 2, 3), draw(3)
    stride, padding, dilation = steps
    y = conv2d.forward(x, W, b, stride=stride, padding=padding, dilation=dilation)
    for o, p, q in product(*map(range, y.shape[1:])):
        total = b[o]
        for c, i, j in product(range(2), range(2), range(3)):
            row = stride[0] * p + dilation[0] * i - padding[0]
            column = stride[1] * q + dilation[1] * j - padding[1]
            if 0 <= row < 6 and 0 <= column < 5:
                total += W[o, c, i, j] * x[0, c, row, column]
        assert_allclose(y[0, o, p, q], total)


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("steps", STEPS)
def test_transposed_convolution_is_the_adjoint_of_convolution(steps, groups):
    W, g = draw(4, 2, 3, 2), draw(2, 4, 3, 4)
    stride, padding, dilation = steps
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    upwards = conv_transpose2d.forward(g, W, np.zeros(2 * groups), **options)
    x = draw(*upwards.shape)
    down = conv2d.forward(x, W, np.zeros(4), **options)
    assert_allclose(np.sum(down * g), np.sum(x * upwards))


def test_groups_are_convolutions_side_by_side():
    x, W, b = draw(2, 4, 5, 5), draw(6, 2, 3, 3), draw(6)
    halves = [
        conv2d.forward(x[:, 2 * k : 2 * k + 2], W[3 * k : 3 * k + 3], b[3 * k : 3 * k + 3])
        for k in (0, 1)
    ]
    assert_allclose(conv2d.forward(x, W, b, groups=2), np.concatenate(halves, axis=1))


def test_the_first_of_the_tied_takes_the_cotangent():
    x = np.zeros((1, 1, 2, 4))
    dx = max_pool2d.vjp(np.array([[[[5.0, 7.0]]]]), x, kernel=2)["x"]
    assert_array_equal(dx[0, 0], [[5, 0, 7, 0], [0, 0, 0, 0]])


def test_overlapping_windows_add_up():
    x = np.array([[[0.0, 9.0, 0.0]]])
    assert_array_equal(
        max_pool1d.vjp(np.array([[[2.0, 3.0]]]), x, kernel=2, stride=1)["x"], [[[0, 5, 0]]]
    )


def test_padding_is_never_the_maximum():
    x = -np.ones((1, 1, 3, 3))
    assert_array_equal(max_pool2d.forward(x, kernel=2, stride=2, padding=1), -np.ones((1, 1, 2, 2)))


def test_averages_count_their_padding():
    y = avg_pool2d.forward(np.ones((1, 1, 2, 2)), kernel=2, stride=2, padding=1)
    assert_array_equal(y, np.full((1, 1, 2, 2), 0.25))


# -- attention -------------------------------------------------------------------------------------

Q, K, V = draw(2, 4, 3, 5), draw(2, 4, 3, 5, seed=1), draw(2, 4, 3, 2)


def test_equal_keys_give_the_mean_of_the_values():
    y = attention.forward(Q, np.ones_like(K), V)
    assert_allclose(y, np.broadcast_to(V.mean(2, keepdims=True), y.shape))


def test_a_row_that_sees_nothing_is_zero_and_has_no_gradient():
    mask = np.ones((2, 3, 3), bool)
    mask[0, 1] = False
    g = draw(2, 4, 3, 2, seed=3)
    y = attention.forward(Q, K, V, mask)
    gradients = attention.vjp(g, Q, K, V, mask)
    assert_array_equal(y[0, :, 1], 0)
    assert_array_equal(gradients["q"][0, :, 1], 0)
    other = g.copy()
    other[0, :, 1] = 100
    for name, gradient in attention.vjp(other, Q, K, V, mask).items():
        assert_array_equal(gradient, gradients[name])


def test_everything_masked_is_zero_without_a_warning():
    mask = np.zeros((2, 3, 3), bool)
    with np.errstate(all="raise"):
        assert_array_equal(attention.forward(Q, K, V, mask), 0)
        for gradient in attention.vjp(np.ones((2, 4, 3, 2)), Q, K, V, mask).values():
            assert_array_equal(gradient, 0)


def test_masked_keys_do_not_matter():
    mask = np.array([[[True, False, True]] * 3] * 2)
    changed = V.copy()
    changed[:, :, 1] = 1e6
    assert_array_equal(attention.forward(Q, K, V, mask), attention.forward(Q, K, changed, mask))
    assert_array_equal(attention.vjp(np.ones((2, 4, 3, 2)), Q, K, V, mask)["k"][:, :, 1], 0)


def test_causal_is_the_lower_triangle_as_a_mask():
    mask = np.broadcast_to(np.tri(3, dtype=bool), (2, 3, 3))
    assert_array_equal(attention.forward(Q, K, V, causal=True), attention.forward(Q, K, V, mask))


def test_groups_are_keys_and_values_repeated_and_their_gradients_summed():
    k, v, g = K[:, :2], V[:, :2], draw(2, 4, 3, 2, seed=3)
    repeated = [np.repeat(z, 2, axis=1) for z in (k, v)]
    assert_allclose(attention.forward(Q, k, v), attention.forward(Q, *repeated))
    grouped, plain = attention.vjp(g, Q, k, v), attention.vjp(g, Q, *repeated)
    assert_allclose(grouped["q"], plain["q"])
    for name in ("k", "v"):
        assert_allclose(grouped[name], plain[name][:, ::2] + plain[name][:, 1::2])


def test_large_scores_neither_overflow_nor_warn():
    with np.errstate(over="raise", invalid="raise"):
        assert np.isfinite(attention.forward(1e200 * Q, 1e100 * K, V)).all()


def test_one_head_with_identity_projections_is_attention():
    x, eye = draw(2, 3, 4), np.eye(4)
    y = multi_head_attention.forward(x, x, x, np.tile(eye, (3, 1)), np.zeros(12), eye, np.zeros(4))
    assert_allclose(y, attention.forward(*[x[:, None]] * 3)[:, 0])


def test_a_query_that_sees_nothing_gets_the_bias():
    x, eye, bias = draw(1, 2, 4), np.eye(4), draw(4, seed=5)
    mask = np.array([[[True, True], [False, False]]])
    y = multi_head_attention.forward(
        x, x, x, np.tile(eye, (3, 1)), np.zeros(12), eye, bias, mask, heads=2
    )
    assert_array_equal(y[0, 1], bias)


# -- cells -----------------------------------------------------------------------------------------


def zeros(gates, inputs=3, units=2):
    return np.zeros((gates * units, inputs)), np.zeros((gates * units, units))


def test_a_cell_without_weights_knows_its_biases_only():
    x, h, bias = draw(4, 3), draw(4, 2), np.array([0.5, -1.0])
    y = rnn_cell.forward(x, h, *zeros(1), bias, np.zeros(2))
    assert_allclose(y, np.broadcast_to(np.tanh(bias), (4, 2)))


def test_an_lstm_with_open_forget_and_shut_input_gate_keeps_its_memory():
    bias = np.array([-1e3, -1e3, 1e3, 1e3, 0, 0, 1e3, 1e3])
    x, h, c = draw(4, 3), draw(4, 2), draw(4, 2, seed=1)
    new_h, new_c = lstm_cell.forward(x, h, c, *zeros(4), bias, np.zeros(8))
    assert_array_equal(new_c, c)
    assert_allclose(new_h, np.tanh(c))
    g = draw(4, 2, seed=2)
    gradients = lstm_cell.vjp((np.zeros((4, 2)), g), x, h, c, *zeros(4), bias, np.zeros(8))
    assert_array_equal(gradients["c"], g)


def test_a_gru_with_its_update_gate_open_keeps_its_state():
    bias = np.array([0, 0, 1e3, 1e3, 0, 0])
    x, h, g = draw(4, 3), draw(4, 2), draw(4, 2, seed=1)
    assert_array_equal(gru_cell.forward(x, h, *zeros(3), bias, np.zeros(6)), h)
    assert_array_equal(gru_cell.vjp(g, x, h, *zeros(3), bias, np.zeros(6))["h"], g)


# -- reductions ------------------------------------------------------------------------------------


def without(x, i):
    return np.prod(np.delete(x, i))


@pytest.mark.parametrize("zeros_at", [(), (2,), (0, 3), (0, 1, 2, 3)])
def test_prod_and_cumprod_are_exact_with_zeros(zeros_at):
    x, g = np.array([2.0, -3.0, 4.0, 5.0]), np.array([1.0, 10.0, 100.0, 1000.0])
    x[list(zeros_at)] = 0
    assert_array_equal(prod.vjp(np.array(1.0), x)["x"], [without(x, i) for i in range(4)])
    expected = [sum(g[j] * without(x[: j + 1], i) for j in range(i, 4)) for i in range(4)]
    assert_array_equal(cumprod.vjp(g, x)["x"], expected)


@pytest.mark.parametrize("length", [0, 1, 2, 3, 8, 17])
def test_cumprod_ends_in_prod(length):
    x = draw(2, length)
    g = np.zeros((2, length))
    if length:
        g[:, -1] = 3
        assert_allclose(cumprod.vjp(g, x)["x"], prod.vjp(np.full(2, 3.0), x)["x"])
    assert cumprod.forward(x).shape == cumprod.vjp(g, x)["x"].shape == (2, length)
    assert_array_equal(prod.forward(np.ones((2, 0))), 1)


def test_cumsum_is_a_triangle_and_its_vjp_the_other():
    x, g = draw(5), draw(5, seed=1)
    assert_allclose(cumsum.forward(x), np.tri(5) @ x)
    assert_allclose(cumsum.vjp(g, x)["x"], np.tri(5).T @ g)


def test_logsumexp_neither_overflows_nor_vanishes():
    assert_allclose(logsumexp.forward(np.array([1e4, 1e4])), 1e4 + np.log(2))
    assert_allclose(logsumexp.vjp(np.array(2.0), np.array([-1e4, -1e4]))["x"], [1, 1])
    assert logsumexp.forward(np.array([-np.inf, -np.inf])) == -np.inf
    assert_array_equal(logsumexp.vjp(np.array(1.0), np.full(2, -np.inf))["x"], [0, 0])
    assert_array_equal(logsumexp.forward(np.ones((3, 0))), [-np.inf] * 3)


def test_the_gradient_of_logsumexp_shares_out_the_cotangent():
    g = draw(3)
    assert_allclose(logsumexp.vjp(g, draw(3, 6))["x"].sum(-1), g)


@pytest.mark.parametrize("p", [1, 1.5, 2, 3, np.inf])
def test_norms_are_homogeneous_and_known(p):
    """Euler: <x, grad> = norm; and the norm of (3, -4) by hand."""
    x = draw(4, 6)
    y = norm.forward(x, p=p)
    assert_allclose((norm.vjp(np.ones(4), x, p=p)["x"] * x).sum(-1), y)
    known = {1: 7, 2: 5, np.inf: 4}.get(p, (3**p + 4**p) ** (1 / p) if p != np.inf else 4)
    assert_allclose(norm.forward(np.array([3.0, -4.0]), p=p), known)
    assert_array_equal(norm.vjp(np.array(1.0), np.zeros(3), p=p)["x"], 0)


def test_norms_survive_what_squares_do_not():
    for scale in (1e-200, 1e200):
        x = scale * np.array([3.0, 4.0])
        assert_allclose(norm.forward(x), 5 * scale)
        assert_allclose(norm.vjp(np.array(1.0), x)["x"], [0.6, 0.8])


def test_the_largest_magnitudes_share_the_gradient_of_the_inf_norm():
    x = np.array([2.0, -2.0, 1.0])
    assert_array_equal(norm.vjp(np.array(3.0), x, p=np.inf)["x"], [1.5, -1.5, 0])


def test_cosine_is_blind_to_length_so_its_gradient_is_orthogonal():
    a, b = draw(3, 4), draw(3, 4, seed=1)
    assert_allclose(cosine_similarity.forward(a, 7 * a), 1)
    gradients = cosine_similarity.vjp(draw(3), a, b)
    assert_allclose((gradients["a"] * a).sum(-1), 0, atol=1e-15)
    assert_allclose((gradients["b"] * b).sum(-1), 0, atol=1e-15)


def test_cosine_of_a_vector_shorter_than_eps_is_linear_in_it():
    b = np.array([0.0, 2.0])
    assert_allclose(cosine_similarity.forward(np.array([0.0, 0.05]), b, eps=0.1), 0.5)
    gradients = cosine_similarity.vjp(np.array(1.0), np.zeros(2), b, eps=0.1)
    assert_allclose(gradients["a"], [0, 10])


# -- contractions, indices, matrices ---------------------------------------------------------------


def test_bilinear_is_a_form_for_every_output():
    a, b, W, c = draw(3, 2), draw(3, 4), draw(5, 2, 4), draw(5)
    y = bilinear.forward(a, b, W, c)
    assert_allclose(y[1, 3], a[1] @ W[3] @ b[1] + c[3])


def test_einsum_is_matrix_multiplication_and_its_gradients():
    a, b, g = draw(2, 3), draw(3, 4), draw(2, 4)
    assert_allclose(einsum.forward(a, b, spec="ij, jk -> ik"), a @ b)
    gradients = einsum.vjp(g, a, b, spec="ij,jk->ik")
    assert_allclose(gradients["a"], g @ b.T)
    assert_allclose(gradients["b"], a.T @ g)


def test_sort_keeps_the_order_of_the_tied():
    x, g = np.array([2.0, 1.0, 2.0, 1.0]), np.array([10.0, 20.0, 30.0, 40.0])
    assert_array_equal(sort.forward(x), [1, 1, 2, 2])
    assert_array_equal(sort.vjp(g, x)["x"], [30, 10, 40, 20])
    assert_array_equal(sort.vjp(g, x, descending=True)["x"], [10, 30, 20, 40])


def test_top_k_takes_the_first_of_the_tied():
    x = np.array([1.0, 5.0, 5.0, 5.0])
    values, where = top_k.forward(x, k=2)
    assert_array_equal(values, [5, 5])
    assert_array_equal(where, [1, 2])
    assert_array_equal(top_k.vjp((np.array([7.0, 8.0]), None), x, k=2)["x"], [0, 7, 8, 0])
    assert top_k.forward(x, k=0)[0].shape == (0,)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_gather_and_scatter_add_are_adjoint(axis):
    x = draw(3, 3)
    index = np.array([[0, 2, 2], [2, 2, 0], [0, 0, 0]])
    g = draw(3, 3, seed=1)
    back = scatter_add.forward(np.zeros((3, 3)), index, g, axis=axis)
    assert_allclose(np.sum(gather.forward(x, index, axis=axis) * g), np.sum(x * back))
    assert_allclose(gather.vjp(g, x, index, axis=axis)["x"], back)


def test_gather_from_fortran_order_and_from_nothing():
    x = np.asfortranarray(draw(2, 3))
    index = np.array([[2, 2], [0, 1]])
    dx = gather.vjp(np.ones((2, 2)), x, index)["x"]
    assert_array_equal(dx, [[0, 0, 2], [1, 1, 0]])
    nothing = np.zeros((2, 0), int)
    assert_array_equal(gather.vjp(np.ones((2, 0)), x, nothing)["x"], np.zeros((2, 3)))


def test_inverse_solve_and_cholesky_agree():
    A = draw(4, 4) @ draw(4, 4).T + np.eye(4)
    L = cholesky.forward(A)
    assert_allclose(L @ L.T, A)
    assert_array_equal(np.triu(L, 1), 0)
    assert_allclose(solve.forward(A, np.eye(4)), inverse.forward(A), atol=1e-12)


def test_the_gradient_of_log_det_is_the_inverse():
    """Log det A = 2 sum log L_ii, and its gradient is A^-1 for a symmetric A."""
    A = draw(4, 4) @ draw(4, 4).T + np.eye(4)
    g = np.diag(2 / np.diag(cholesky.forward(A)))
    assert_allclose(cholesky.vjp(g, A)["A"], np.linalg.inv(A), atol=1e-12)


def test_the_gradient_of_the_trace_of_an_inverse():
    A = draw(3, 3) + 4 * np.eye(3)
    assert_allclose(inverse.vjp(np.eye(3), A)["A"], -np.linalg.inv(A @ A).T)


@pytest.mark.parametrize("n", [0, 1])
def test_matrices_of_no_size_and_of_one(n):
    A, b = 4 * np.eye(n), np.ones((n, 2))
    assert_array_equal(cholesky.forward(A), 2 * np.eye(n))
    assert_array_equal(solve.forward(A, b), b / 4)
    assert_array_equal(solve.vjp(b, A, b)["b"], b / 4)
    assert cholesky.vjp(A, A)["A"].shape == inverse.vjp(A, A)["A"].shape == (n, n)
