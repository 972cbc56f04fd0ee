"""Wrong options and wrong structures give one line that names the argument; legal ones work."""

import numpy as np
import pytest

from reference.layers import (
    attention,
    avg_pool1d,
    avg_pool2d,
    batch_norm_eval,
    concatenate,
    conv1d,
    conv2d,
    conv_transpose1d,
    conv_transpose2d,
    cosine_similarity,
    cumprod,
    cumsum,
    einsum,
    gather,
    group_norm,
    hypernetwork,
    lift,
    linear,
    logsumexp,
    lstm,
    lstm_cell,
    masked_dense,
    max_pool1d,
    max_pool2d,
    norm,
    padding,
    prod,
    sequence_mask,
    shared,
    shared_conv_lstm,
    softmax,
    sort,
    standardise,
    task,
    time_distributed,
    time_distributed_gru,
    top_k,
)
from reference.losses import cross_entropy, log_softmax, softmax_mse
from tests.reference.one_line import raises_one_line


def ones(*shape):
    return np.ones(shape)


IMAGE, LINE = ones(1, 2, 5, 5), ones(1, 2, 5)
ROWS = ones(2, 3)
LIFT = {"x": ones(2, 3), "A": ones(3, 4), "a": ones(4), "B": ones(4, 26), "c": ones(26)}
NET = {"K": ones(3, 1, 5), "k": ones(5), "W": ones(5, 8), "U": ones(2, 8), "b": ones(8)}
NET |= {"V": ones(4, 3), "v": ones(3)}
STEPS = {"V": ones(3, 4), "v": ones(4), "W": ones(4, 6), "U": ones(2, 6), "b": ones(2, 6)}
STATES = {"x": ones(2, 5, 3), "W": ones(3, 8), "U": ones(2, 8), "b": ones(8)}
TWO = ones(2, 2)
CELL = ones(2, 3), TWO, TWO, ones(8, 3), ones(8, 2), ones(8), ones(8)
LOGITS, LABELS = ones(2, 3), np.array([0, 1])
ALONG = (cumprod, cumsum, log_softmax, logsumexp, norm, prod, sort)
POOLS = {"avg_pool1d": (avg_pool1d, LINE), "avg_pool2d": (avg_pool2d, IMAGE)}
POOLS |= {"max_pool1d": (max_pool1d, LINE), "max_pool2d": (max_pool2d, IMAGE)}
# what goes wrong: (call, words of the message)
BAD = {
    **{
        f"{layer.__name__}, an axis that is not there": (
            lambda layer=layer: layer.forward(ROWS, axis=2),
            ["axis 2 is out of bounds", "dimension 2"],
        )
        for layer in ALONG
    },
    **{
        f"{name}, {option} {value}": (
            lambda pool=pool, x=x, option=option, value=value: pool.forward(
                x, **{"kernel": 2, option: value}
            ),
            [f"{option} is {value}"],
        )
        for name, (pool, x) in POOLS.items()
        for option, value in [("kernel", 0), ("kernel", 1.5), ("stride", 0), ("padding", -1)]
    },
    **{
        f"{name}, a kernel too long": (
            lambda pool=pool, x=x: pool.forward(x, kernel=6),
            ["a kernel spanning 6 does not fit into 5 positions of x"],
        )
        for name, (pool, x) in POOLS.items()
    },
    "max_pool1d, a pair for one axis": (
        lambda: max_pool1d.forward(LINE, kernel=(2, 2)),
        ["kernel is (2, 2)"],
    ),
    "avg_pool2d, three numbers for two axes": (
        lambda: avg_pool2d.forward(IMAGE, kernel=(1, 2, 3)),
        ["kernel is (1, 2, 3)"],
    ),
    "max_pool1d, the cotangent of one more window": (
        lambda: max_pool1d.vjp(ones(1, 2, 3), LINE, kernel=2),
        ["cotangent has shape (1, 2, 3)", "(1, 2, 2)"],
    ),
    "conv2d, a kernel without taps": (
        lambda: conv2d.forward(IMAGE, ones(3, 2, 0, 1), ones(3)),
        ["W has shape (3, 2, 0, 1)"],
    ),
    "conv2d, stride 1.5": (
        lambda: conv2d.forward(IMAGE, ones(3, 2, 1, 1), ones(3), stride=1.5),
        ["stride is 1.5"],
    ),
    "conv2d, groups 1.0": (
        lambda: conv2d.forward(IMAGE, ones(3, 2, 1, 1), ones(3), groups=1.0),
        ["groups is 1.0"],
    ),
    "conv_transpose2d, a kernel without taps": (
        lambda: conv_transpose2d.forward(IMAGE, ones(2, 3, 0, 1), ones(3)),
        ["W has shape (2, 3, 0, 1)"],
    ),
    "conv_transpose1d, an output of no size": (
        lambda: conv_transpose1d.forward(LINE, ones(2, 3, 1), ones(3), padding=3),
        ["x has shape (1, 2, 5)", "W has shape (2, 3, 1)"],
    ),
    "conv_transpose1d, extra not below stride": (
        lambda: conv_transpose1d.forward(LINE, ones(2, 3, 1), ones(3), stride=2, extra=2),
        ["extra is (2,)", "stride is (2,)"],
    ),
    "conv1d, stride 1.5": (
        lambda: conv1d.forward(ones(1, 5, 1), ones(2, 1, 1), ones(1), stride=1.5),
        ["stride is 1.5"],
    ),
    "conv1d, dilation 0": (
        lambda: conv1d.forward(ones(1, 5, 1), ones(2, 1, 1), ones(1), dilation=0),
        ["dilation is 0"],
    ),
    "group_norm, groups 0": (
        lambda: group_norm.forward(LINE, ones(2), ones(2), groups=0),
        ["groups is 0"],
    ),
    "standardise, an axis that is not there": (
        lambda: standardise.forward(ROWS, axes=(0, 2)),
        ["axes", "axis 2 is out of bounds"],
    ),
    "standardise, an axis twice": (
        lambda: standardise.forward(ROWS, axes=(1, -1)),
        ["axes", "repeated"],
    ),
    "batch_norm_eval, nothing to divide by": (
        lambda: batch_norm_eval.forward(ROWS, *[ones(3)] * 3, np.zeros(3), eps=0),
        ["variance holds 0.0", "eps is 0"],
    ),
    "cosine_similarity, an axis that is not there": (
        lambda: cosine_similarity.vjp(ones(2), ROWS, ROWS, axis=2),
        ["axis 2 is out of bounds"],
    ),
    "top_k, half an entry": (lambda: top_k.forward(ROWS, k=1.5), ["k is 1.5"]),
    "gather, an axis that is not there": (
        lambda: gather.forward(ROWS, np.zeros((2, 1), int), axis=2),
        ["axis 2 is out of bounds"],
    ),
    "gather, an index of fewer axes": (
        lambda: gather.forward(ROWS, np.zeros(2, int)),
        ["index has shape (2,)", "x has shape (2, 3)"],
    ),
    "einsum, no spec": (lambda: einsum.forward(ROWS, ROWS, spec=None), ["spec is None"]),
    "attention, a mask of weights": (
        lambda: attention.forward(*[ones(1, 1, 2, 3)] * 3, mask=0.5 * ones(1, 2, 2)),
        ["mask holds 0.5"],
    ),
    "attention, a mask of twos": (
        lambda: attention.forward(*[ones(1, 1, 2, 3)] * 3, mask=np.full((1, 2, 2), 2)),
        ["mask holds 2"],
    ),
    "cross_entropy, a mask of weights": (
        lambda: cross_entropy.forward(LOGITS, LABELS, 0.5 * ones(2)),
        ["mask holds 0.5"],
    ),
    "softmax_mse, the mean of nothing": (
        lambda: softmax_mse.forward(ones(0, 3), ones(0, 3)),
        ["logits has shape (0, 3)"],
    ),
    "lengths of halves": (
        lambda: sequence_mask.from_lengths(np.array([1.5, 2])),
        ["lengths has dtype float64"],
    ),
    "a negative time": (
        lambda: padding.forward(ones(0, 2), np.array([], int), time=-1),
        ["time is -1"],
    ),
    "padding, a cotangent of fewer steps": (
        lambda: padding.vjp(ones(2, 1, 2), ones(3, 2), np.array([1, 2])),
        ["cotangent has shape (2, 1, 2)", "(2, 2, 2)"],
    ),
    "concatenate, nothing": (concatenate.forward, ["inputs is empty"]),
    "concatenate, rows that differ": (
        lambda: concatenate.forward(ones(2, 3), ones(2, 1), ones(3, 3)),
        ["x3 has shape (3, 3)", "x1 has shape (2, 3)", "axis -1"],
    ),
    "task, outputs -1": (
        lambda: task.forward(ones(2, 0), ones(2, 3), outputs=-1),
        ["outputs is -1"],
    ),
    "task, a cotangent (n,)": (
        lambda: task.vjp(ones(2), ones(2, 3), ones(2, 26)),
        ["cotangent has shape (2,)", "(2, 1)"],
    ),
    "lift, a bias of one": (
        lambda: lift.forward(**LIFT | {"a": ones(1)}),
        ["a has shape (1,)", "A has shape (3, 4)"],
    ),
    "hypernetwork, B of other hidden units": (
        lambda: hypernetwork.forward(**LIFT | {"B": ones(3, 26)}),
        ["B has shape (3, 26)", "A has shape (3, 4)"],
    ),
    "shared_conv_lstm, V for three inputs": (
        lambda: shared_conv_lstm.forward(ones(1, 5, 1), ones(1, 4, 1), **NET | {"V": ones(6, 3)}),
        ["V has shape (6, 3)", "(4, 3)"],
    ),
    "shared_conv_lstm, the second too short": (
        lambda: shared_conv_lstm.forward(ones(1, 5, 1), ones(1, 2, 1), **NET),
        ["x2 has shape (1, 2, 1)", "K has shape (3, 1, 5)"],
    ),
    "time_distributed_gru, v of other hidden units": (
        lambda: time_distributed_gru.forward(ones(2, 5, 3), **STEPS | {"v": ones(3)}),
        ["v has shape (3,)", "V has shape (3, 4)"],
    ),
    "time_distributed, a cotangent of fewer steps": (
        lambda: time_distributed.vjp(
            ones(2, 4, 2),
            ones(2, 5, 3),
            layer=(linear.forward, linear.vjp),
            W=ones(3, 2),
            b=ones(2),
        ),
        ["cotangent has shape (2, 4, 2)", "x has shape (2, 5, 3)"],
    ),
    "shared, one array for the cotangents": (
        lambda: shared.vjp(ROWS, ROWS, ROWS, layer=(softmax.forward, softmax.vjp)),
        ["cotangents is a ndarray", "2 arrays"],
    ),
    "lstm, one cotangent for three": (
        lambda: lstm.vjp(TWO, **STATES, return_state=True),
        ["cotangent is a ndarray", "3 arrays"],
    ),
    "lstm, a last state's cotangent of one row": (
        lambda: lstm.vjp((TWO, ones(1, 2), TWO), **STATES, return_state=True),
        ["cotangent of h_T has shape (1, 2)", "(2, 2)"],
    ),
    "lstm, a memory's cotangent (units,)": (
        lambda: lstm.vjp((TWO, TWO, ones(2)), **STATES, return_state=True),
        ["cotangent of c_T has shape (2,)", "(2, 2)"],
    ),
    "lstm_cell, two rows for two cotangents": (
        lambda: lstm_cell.vjp(ones(2, 2, 2), *CELL),
        ["cotangent is a ndarray"],
    ),
    "top_k, no cotangent for the indices": (
        lambda: top_k.vjp((ones(2, 1),), ROWS, k=1),
        ["cotangent holds 1 arrays", "2 are needed"],
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_options_and_structures(case):
    raises_one_line(*BAD[case])


def test_integers_of_numpy_are_integers():
    two = np.int64(2)
    assert max_pool2d.forward(IMAGE, kernel=two, stride=two).shape == (1, 2, 2, 2)
    assert conv2d.forward(IMAGE, ones(2, 1, 1, 1), ones(2), groups=two).shape == IMAGE.shape
    assert conv_transpose1d.forward(LINE, ones(2, 3, 1), ones(3), stride=two).shape == (1, 3, 9)
    assert top_k.forward(ROWS, k=two)[0].shape == (2, 2)


def test_a_layer_that_leaves_one_number_a_step_is_distributed_over_time():
    x, layer = np.arange(12.0).reshape(2, 2, 3), (norm.forward, norm.vjp)
    y = time_distributed.forward(x, layer=layer)
    np.testing.assert_allclose(y, np.linalg.norm(x, axis=2))
    dx = time_distributed.vjp(ones(2, 2), x, layer=layer)["x"]
    np.testing.assert_allclose((dx * x).sum(2), y)  # Euler: the norm is homogeneous


def test_a_shared_layer_may_have_parameters_without_gradient():
    layer = (masked_dense.forward, masked_dense.vjp)
    given = {"W": ones(3, 2), "b": ones(2), "mask": np.array([[1, 0]] * 3)}
    gradients = shared.vjp((TWO, ones(1, 2)), ROWS, ones(1, 3), layer=layer, **given)
    assert sorted(gradients) == ["W", "b", "x1", "x2"]
    np.testing.assert_array_equal(gradients["W"], [[3, 0]] * 3)
