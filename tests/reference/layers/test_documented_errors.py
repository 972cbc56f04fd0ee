"""Bad shapes and values give one line that names the argument and both shapes."""

import numpy as np
import pytest

from reference.layers import (
    affine,
    concatenate,
    conv1d,
    dropout,
    elementwise_map,
    embedding,
    gru,
    identity,
    linear,
    lstm,
    masked_dense,
    padding,
    relu,
    scalar_weight,
    sequence_mask,
    shared,
    simple_rnn,
    softmax,
    task,
    time_distributed,
)
from tests.reference.one_line import raises_one_line


def ones(*shape):
    """An array of ones of this shape."""
    return np.ones(shape)


LINEAR = (linear.forward, linear.vjp)
RNN = {"W": ones(3, 4), "U": ones(4, 4), "b": ones(4)}
WORDS = {"function": lambda x: x.sum(), "derivative": lambda x: 1}

# what goes wrong: (call, words of the message)
BAD = {
    "affine with a column (n, 1)": (
        lambda: affine.forward(ones(3, 1), ones(2, 3), ones(2)),
        ["x has shape (3, 1)", "(n,)"],
    ),
    "affine with a bias (m, 1)": (
        lambda: affine.forward(ones(3), ones(2, 3), ones(2, 1)),
        ["b has shape (2, 1)", "M has shape (2, 3)"],
    ),
    "affine transposed": (
        lambda: affine.forward(ones(3), ones(3, 2), ones(3)),
        ["M has shape (3, 2)", "x has shape (3,)"],
    ),
    "affine with an input's cotangent": (
        lambda: affine.vjp(ones(3), ones(3), ones(2, 3), ones(2)),
        ["cotangent has shape (3,)", "M has shape (2, 3)"],
    ),
    "linear with features that differ": (
        lambda: linear.forward(ones(5, 4), ones(3, 2), ones(2)),
        ["W has shape (3, 2)", "x has shape (5, 4)", "features"],
    ),
    "linear with a bias that would broadcast": (
        lambda: linear.forward(ones(5, 3), ones(3, 2), ones(1)),
        ["b has shape (1,)", "W has shape (3, 2)"],
    ),
    "linear with a cotangent that would broadcast": (
        lambda: linear.vjp(ones(1, 2), ones(5, 3), ones(3, 2), ones(2)),
        ["cotangent has shape (1, 2)", "x has shape (5, 3)"],
    ),
    "linear without features": (lambda: linear.forward(np.float64(1), ones(3, 2), ones(2)), ["x"]),
    "scalar weight of shape (1,)": (
        lambda: scalar_weight.forward(ones(3), ones(1)),
        ["w has shape (1,)", "x has shape (3,)"],
    ),
    "identity": (lambda: identity.vjp(ones(3), ones(3, 1)), ["(3,)", "(3, 1)"]),
    "map to a scalar": (
        lambda: elementwise_map.forward(ones(3), **WORDS),
        ["function(x) has shape ()", "x has shape (3,)"],
    ),
    "relu at zero": (lambda: relu.forward(ones(3), at_zero=1.5), ["at_zero is 1.5"]),
    "relu at zero, not a number": (lambda: relu.forward(ones(3), at_zero=np.nan), ["at_zero"]),
    "softmax of a number": (lambda: softmax.forward(np.float64(1)), ["x has shape ()"]),
    "rnn without batch": (
        lambda: simple_rnn.forward(ones(5, 3), **RNN),
        ["x has shape (5, 3)", "(batch, time, features)"],
    ),
    "rnn with W of other features": (
        lambda: simple_rnn.forward(ones(2, 5, 1), **RNN),
        ["W has shape (3, 4)", "x has shape (2, 5, 1)"],
    ),
    "rnn with U not square": (
        lambda: simple_rnn.forward(ones(2, 5, 3), **RNN | {"U": ones(4, 3)}),
        ["U has shape (4, 3)"],
    ),
    "rnn with a state of one row": (
        lambda: simple_rnn.forward(ones(2, 5, 3), **RNN, h0=ones(1, 4)),
        ["h0 has shape (1, 4)", "x has shape (2, 5, 3)"],
    ),
    "rnn with a mask per step only": (
        lambda: simple_rnn.forward(ones(2, 5, 3), **RNN, mask=ones(5)),
        ["mask has shape (5,)"],
    ),
    "rnn with a mask of halves": (
        lambda: simple_rnn.forward(ones(2, 5, 3), **RNN, mask=0.5 * ones(2, 5)),
        ["mask holds 0.5"],
    ),
    "rnn with the last state's cotangent for all": (
        lambda: simple_rnn.vjp(ones(2, 4), ones(2, 5, 3), **RNN, return_sequences=True),
        ["cotangent has shape (2, 4)"],
    ),
    "lstm with a simple rnn's weights": (
        lambda: lstm.forward(ones(2, 5, 3), **RNN),
        ["U has shape (4, 4)", "4 units"],
    ),
    "gru with one bias, resetting after": (
        lambda: gru.forward(ones(2, 5, 3), ones(3, 12), ones(4, 12), ones(12)),
        ["b has shape (12,)", "(2, gates)"],
    ),
    "gru with two biases, resetting before": (
        lambda: gru.forward(
            ones(2, 5, 3), ones(3, 12), ones(4, 12), ones(2, 12), reset_after=False
        ),
        ["b has shape (2, 12)"],
    ),
    "conv1d channels first": (
        lambda: conv1d.forward(ones(2, 3, 9), ones(3, 3, 4), ones(4)),
        ["K has shape (3, 3, 4)", "x has shape (2, 3, 9)", "channels"],
    ),
    "conv1d too short": (
        lambda: conv1d.forward(ones(2, 4, 1), ones(3, 1, 1), ones(1), dilation=2),
        ["x has shape (2, 4, 1)", "5 steps"],
    ),
    "conv1d without taps": (
        lambda: conv1d.forward(ones(2, 4, 1), ones(0, 1, 1), ones(1)),
        ["K has shape (0, 1, 1)"],
    ),
    "conv1d stride": (
        lambda: conv1d.forward(ones(2, 4, 1), ones(3, 1, 1), ones(1), stride=0),
        ["stride is 0"],
    ),
    "conv1d padding": (
        lambda: conv1d.forward(ones(2, 4, 1), ones(3, 1, 1), ones(1), padding="causal"),
        ["padding is 'causal'", "'valid', 'same'"],
    ),
    "embedding with a negative index": (
        lambda: embedding.forward(np.array([0, -1]), ones(3, 2)),
        ["index holds -1", "(3, 2)"],
    ),
    "embedding beyond the table": (
        lambda: embedding.forward(np.array([3]), ones(3, 2)),
        ["index holds 3", "(3, 2)"],
    ),
    "embedding with real indices": (
        lambda: embedding.forward(ones(2), ones(3, 2)),
        ["index has dtype float64"],
    ),
    "mask transposed": (
        lambda: masked_dense.forward(ones(5, 3), ones(3, 2), ones(2), ones(2, 3)),
        ["mask has shape (2, 3)", "W has shape (3, 2)"],
    ),
    "mask of one column": (
        lambda: masked_dense.forward(ones(5, 3), ones(3, 2), ones(2), ones(3, 1)),
        ["mask has shape (3, 1)", "W has shape (3, 2)"],
    ),
    "dropout of everything": (
        lambda: dropout.forward(ones(3), ones(3), rate=1.0),
        ["rate is 1.0"],
    ),
    "dropout mask per row": (
        lambda: dropout.forward(ones(3, 2), ones(3, 1)),
        ["mask has shape (3, 1)", "x has shape (3, 2)"],
    ),
    "sequence mask with a feature axis": (
        lambda: sequence_mask.forward(ones(2, 5, 3), ones(2, 5, 3)),
        ["mask has shape (2, 5, 3)", "x has shape (2, 5, 3)"],
    ),
    "lengths above time": (
        lambda: sequence_mask.from_lengths(np.array([2, 7]), 5),
        ["lengths holds 7", "5"],
    ),
    "padding side": (
        lambda: padding.forward(ones(2, 1), np.array([2]), side="left"),
        ["side is 'left'"],
    ),
    "padding with rows left over": (
        lambda: padding.forward(ones(5, 1), np.array([2, 2])),
        ["x has shape (5, 1)", "4 rows"],
    ),
    "concatenation's cotangent": (
        lambda: concatenate.vjp(ones(2, 3), ones(2, 2), ones(2, 2)),
        ["cotangent has shape (2, 3)", "(2, 4)"],
    ),
    "shared by nobody": (lambda: shared.forward(layer=LINEAR, W=ones(3, 2)), ["inputs is empty"]),
    "shared with a cotangent missing": (
        lambda: shared.vjp(
            (ones(1, 2),), ones(1, 3), ones(1, 3), layer=LINEAR, W=ones(3, 2), b=ones(2)
        ),
        ["cotangents holds 1 arrays", "2 are needed"],
    ),
    "time distributed over rows": (
        lambda: time_distributed.forward(ones(5, 3), layer=LINEAR, W=ones(3, 2), b=ones(2)),
        ["x has shape (5, 3)"],
    ),
    "task with 25 weights": (
        lambda: task.forward(ones(2, 3), ones(2, 25)),
        ["w has shape (2, 25)", "x has shape (2, 3)"],
    ),
    "task with one set of weights for all": (
        lambda: task.forward(ones(2, 3), ones(1, 26)),
        ["w has shape (1, 26)", "x has shape (2, 3)"],
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_arguments(case):
    raises_one_line(*BAD[case])
