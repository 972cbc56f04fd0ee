"""Bad shapes and values of users' layers give one line that names the argument and both shapes."""

import numpy as np
import pytest

from reference.layers import (
    attention,
    avg_pool1d,
    batch_norm,
    batch_norm_eval,
    bilinear,
    cholesky,
    conv2d,
    conv_transpose1d,
    conv_transpose2d,
    cosine_similarity,
    einsum,
    gather,
    group_norm,
    gru_cell,
    hardtanh,
    instance_norm,
    inverse,
    layer_norm,
    lstm_cell,
    max_pool2d,
    multi_head_attention,
    norm,
    rms_norm,
    rnn_cell,
    scatter_add,
    softplus,
    softshrink,
    solve,
    top_k,
)
from tests.reference.one_line import raises_one_line


def ones(*shape):
    return np.ones(shape)


def cell(gates, units=2, inputs=3):
    rows = gates * units
    return ones(rows, inputs), ones(rows, units), ones(rows), ones(rows)


IMAGE, KERNEL = ones(1, 2, 4, 4), ones(3, 2, 3, 3)
LINE = ones(1, 2, 4)
HEADS = ones(1, 2, 3, 4)

# what goes wrong: (call, words of the message)
BAD = {
    "softplus, beta 0": (lambda: softplus.forward(ones(2), beta=0), ["beta is 0", "positive"]),
    "softshrink, lam -1": (lambda: softshrink.forward(ones(2), lam=-1), ["lam is -1"]),
    "hardtanh, ends exchanged": (
        lambda: hardtanh.forward(ones(2), low=1, high=-1),
        ["low is 1", "high is -1"],
    ),
    "layer_norm, gamma (n, 1)": (
        lambda: layer_norm.forward(ones(2, 3), ones(3, 1), ones(3)),
        ["gamma has shape (3, 1)", "x has shape (2, 3)"],
    ),
    "layer_norm, no features": (
        lambda: layer_norm.forward(ones(2, 0), ones(0), ones(0)),
        ["x has shape (2, 0)", "mean"],
    ),
    "rms_norm, eps -1": (lambda: rms_norm.forward(ones(2, 3), ones(3), eps=-1), ["eps is -1"]),
    "batch_norm, no channels": (
        lambda: batch_norm.forward(ones(3), ones(3), ones(3)),
        ["x has shape (3,)", "(batch, channels, ...)"],
    ),
    "batch_norm, gamma by position": (
        lambda: batch_norm.forward(ones(2, 3, 4), ones(4), ones(4)),
        ["gamma has shape (4,)", "x has shape (2, 3, 4)"],
    ),
    "batch_norm, empty batch": (
        lambda: batch_norm.forward(ones(0, 3), ones(3), ones(3)),
        ["x has shape (0, 3)"],
    ),
    "batch_norm_eval, negative variance": (
        lambda: batch_norm_eval.forward(ones(2, 1), *[ones(1)] * 3, -ones(1)),
        ["variance holds -1.0", "eps is 1e-05"],
    ),
    "group_norm, groups do not divide": (
        lambda: group_norm.forward(ones(2, 3, 4), ones(3), ones(3), groups=2),
        ["channels is 3", "groups is 2"],
    ),
    "instance_norm, no positions": (
        lambda: instance_norm.forward(ones(2, 3), ones(3), ones(3)),
        ["x has shape (2, 3)", "positions"],
    ),
    "conv2d, kernel of other channels": (
        lambda: conv2d.forward(IMAGE, ones(3, 4, 3, 3), ones(3)),
        ["W has shape (3, 4, 3, 3)", "(3, 2, 3, 3)"],
    ),
    "conv2d, kernel too large": (
        lambda: conv2d.forward(IMAGE, ones(3, 2, 5, 3), ones(3)),
        ["spanning 5", "4 positions"],
    ),
    "conv2d, stride 0": (lambda: conv2d.forward(IMAGE, KERNEL, ones(3), stride=0), ["stride is 0"]),
    "conv2d, padding -1": (
        lambda: conv2d.forward(IMAGE, KERNEL, ones(3), padding=(0, -1)),
        ["padding is -1"],
    ),
    "conv2d, groups 2 of 3 filters": (
        lambda: conv2d.forward(IMAGE, ones(3, 1, 3, 3), ones(3), groups=2),
        ["filters is 3", "groups is 2"],
    ),
    "conv2d, bias (n, 1)": (
        lambda: conv2d.forward(IMAGE, KERNEL, ones(3, 1)),
        ["b has shape (3, 1)", "W has shape (3, 2, 3, 3)"],
    ),
    "conv_transpose2d, extra not below stride": (
        lambda: conv_transpose2d.forward(IMAGE, ones(2, 3, 3, 3), ones(3), extra=1),
        ["extra is (1, 1)", "stride is (1, 1)"],
    ),
    "conv_transpose2d, all padded away": (
        lambda: conv_transpose2d.forward(ones(1, 2, 1, 1), ones(2, 3, 2, 2), ones(3), padding=1),
        ["x has shape (1, 2, 1, 1)", "W has shape (2, 3, 2, 2)"],
    ),
    "conv_transpose1d, an image": (
        lambda: conv_transpose1d.forward(IMAGE, ones(2, 3, 3), ones(3)),
        ["x has shape (1, 2, 4, 4)"],
    ),
    "max_pool2d, padding over half": (
        lambda: max_pool2d.forward(IMAGE, kernel=2, padding=2),
        ["padding is 2", "kernel is (2, 2)"],
    ),
    "max_pool2d, only padding": (
        lambda: max_pool2d.forward(ones(1, 1, 3, 0), kernel=2, padding=1),
        ["no positions"],
    ),
    "max_pool2d, kernel 0": (lambda: max_pool2d.forward(IMAGE, kernel=0), ["kernel is 0"]),
    "avg_pool1d, an image": (lambda: avg_pool1d.forward(IMAGE, kernel=2), ["(1, 2, 4, 4)"]),
    "attention, other widths": (
        lambda: attention.forward(HEADS, ones(1, 2, 3, 5), HEADS),
        ["k has shape (1, 2, 3, 5)", "q has shape (1, 2, 3, 4)"],
    ),
    "attention, heads not grouped": (
        lambda: attention.forward(ones(1, 3, 3, 4), HEADS, HEADS),
        ["heads is 3", "groups is 2"],
    ),
    "attention, mask of keys only": (
        lambda: attention.forward(HEADS, HEADS, HEADS, ones(1, 3) > 0),
        ["mask has shape (1, 3)"],
    ),
    "attention, no width": (
        lambda: attention.forward(*[ones(1, 2, 3, 0)] * 3),
        ["width is 0"],
    ),
    "multi_head_attention, three heads of width 4": (
        lambda: multi_head_attention.forward(
            *[ones(1, 2, 4)] * 3, ones(12, 4), ones(12), ones(4, 4), ones(4), heads=3
        ),
        ["width is 4", "heads is 3"],
    ),
    "multi_head_attention, two projections": (
        lambda: multi_head_attention.forward(
            *[ones(1, 2, 4)] * 3, ones(8, 4), ones(8), ones(4, 4), ones(4)
        ),
        ["W_in has shape (8, 4)", "12"],
    ),
    "rnn_cell, a state of other units": (
        lambda: rnn_cell.forward(ones(1, 3), ones(1, 4), *cell(1)),
        ["W_ih has shape (2, 3)", "h has shape (1, 4)"],
    ),
    "lstm_cell, three gates": (
        lambda: lstm_cell.forward(ones(1, 3), ones(1, 2), ones(1, 2), *cell(3)),
        ["W_hh has shape (6, 2)", "(8, 2)"],
    ),
    "gru_cell, four gates": (
        lambda: gru_cell.forward(ones(1, 3), ones(1, 2), *cell(4)),
        ["W_hh has shape (8, 2)", "(6, 2)"],
    ),
    "bilinear, batches that differ": (
        lambda: bilinear.forward(ones(1, 2), ones(3, 2), ones(4, 2, 2), ones(4)),
        ["b has shape (3, 2)", "a has shape (1, 2)"],
    ),
    "einsum, no arrow": (lambda: einsum.forward(ones(2), ones(2), spec="i,i"), ["spec is 'i,i'"]),
    "einsum, a diagonal": (
        lambda: einsum.forward(ones(2, 2), ones(2), spec="ii,i->i"),
        ["repeated letters"],
    ),
    "einsum, sizes that differ": (
        lambda: einsum.forward(ones(2, 3), ones(4, 2), spec="ij,jk->ik"),
        ["b has shape (4, 2)", "a has shape (2, 3)"],
    ),
    "norm, p 1/2": (lambda: norm.forward(ones(2), p=0.5), ["p is 0.5", "at least 1"]),
    "cosine_similarity, (n, 1) with (n,)": (
        lambda: cosine_similarity.forward(ones(3, 1), ones(3)),
        ["b has shape (3,)", "a has shape (3, 1)"],
    ),
    "cosine_similarity, eps 0": (
        lambda: cosine_similarity.forward(ones(3), ones(3), eps=0),
        ["eps is 0"],
    ),
    "top_k, more than there are": (lambda: top_k.forward(ones(2), k=3), ["k is 3", "2"]),
    "gather, an index too large": (
        lambda: gather.forward(ones(2), np.array([0, 2])),
        ["index holds 2", "[0, 2)"],
    ),
    "gather, a negative index": (
        lambda: gather.forward(ones(2), np.array([-1])),
        ["index holds -1"],
    ),
    "gather, an index of floats": (lambda: gather.forward(ones(2), ones(1)), ["float64"]),
    "gather, rows that differ": (
        lambda: gather.forward(ones(2, 3), np.zeros((1, 3), int)),
        ["index has shape (1, 3)", "x has shape (2, 3)"],
    ),
    "scatter_add, updates that differ": (
        lambda: scatter_add.forward(ones(3), np.zeros(2, int), ones(3)),
        ["updates has shape (3,)", "index has shape (2,)"],
    ),
    "solve, b a vector": (lambda: solve.forward(np.eye(2), ones(2)), ["b has shape (2,)"]),
    "solve, A singular": (lambda: solve.forward(ones(2, 2), ones(2, 1)), ["Singular"]),
    "inverse, A not square": (lambda: inverse.forward(ones(2, 3)), ["A has shape (2, 3)"]),
    "cholesky, A not positive": (lambda: cholesky.forward(-np.eye(2)), ["positive definite"]),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_arguments(case):
    raises_one_line(*BAD[case])
