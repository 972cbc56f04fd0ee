"""Every layer and loss that users plug in at a smooth point: module, inputs, options."""

import numpy as np

from reference.layers import (
    attention,
    avg_pool1d,
    avg_pool2d,
    batch_norm,
    batch_norm_eval,
    bilinear,
    cholesky,
    conv2d,
    conv_transpose1d,
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
from reference.losses import cross_entropy, hinge, huber, log_softmax, multi_margin, nll

LABELS = np.array([2, 0, 2])
MASK = np.array([True, False, True])
INDEX = np.array([[1, 1, 0, 3, 1], [2, 2, 2, 0, 3]])
SEEN = np.array([[[1, 0, 1], [0, 0, 0]], [[1, 1, 1], [0, 1, 0]]], bool)
ELEMENTWISE = (
    elu, gelu, gelu_tanh, hardshrink, hardsigmoid, hardswish, hardtanh, log_sigmoid, mish, relu6,
    selu, softplus, softshrink, swish, threshold,
)  # fmt: skip


def draw(*shape, seed=0):
    """Normal numbers of this shape."""
    return np.random.default_rng([seed, *shape]).standard_normal(shape)


def gates(count, inputs=3, units=2):
    """Parameters of a recurrent cell of so many gates."""
    rows = count * units
    return {
        "W_ih": draw(rows, inputs),
        "W_hh": draw(rows, units),
        "b_ih": draw(rows),
        "b_hh": draw(rows, seed=1),
    }


def affine(channels):
    return {"gamma": draw(channels), "beta": draw(channels, seed=1)}


def name_of(module):
    return module.__name__.rpartition(".")[2]


STATE = {"x": draw(4, 3), "h": draw(4, 2)}
PROJECTIONS = {
    "query": draw(2, 2, 4),
    "key": draw(2, 3, 4),
    "value": draw(2, 3, 4, seed=1),
    "W_in": draw(12, 4),
    "b_in": draw(12),
    "W_out": draw(4, 4),
    "b_out": draw(4),
}
POSITIVE_DEFINITE = draw(2, 3, 3) @ draw(2, 3, 3).swapaxes(1, 2) + np.eye(3)

# name: (module, inputs that get a gradient, data and options that do not)
CASES = {
    **{name_of(module): (module, {"x": 2 * draw(3, 4)}, {}) for module in ELEMENTWISE},
    "standardise": (standardise, {"x": draw(3, 2, 4)}, {"axes": (0, 2)}),
    "layer_norm": (layer_norm, {"x": draw(2, 3, 4), **affine(4)}, {}),
    "rms_norm": (rms_norm, {"x": draw(2, 3, 4), "gamma": draw(4)}, {}),
    "batch_norm": (batch_norm, {"x": draw(5, 2, 3), **affine(2)}, {}),
    "batch_norm_eval": (
        batch_norm_eval,
        {"x": draw(3, 2, 4), **affine(2)},
        {"mean": draw(2), "variance": draw(2) ** 2},
    ),
    "group_norm": (group_norm, {"x": draw(2, 6, 3), **affine(6)}, {"groups": 2}),
    "instance_norm": (instance_norm, {"x": draw(2, 3, 4, 2), **affine(3)}, {}),
    "conv2d": (
        conv2d,
        {"x": draw(2, 4, 5, 6), "W": draw(6, 2, 3, 2), "b": draw(6)},
        {"stride": (2, 1), "padding": (1, 0), "dilation": (1, 2), "groups": 2},
    ),
    "conv_transpose2d": (
        conv_transpose2d,
        {"x": draw(2, 4, 3, 2), "W": draw(4, 3, 3, 2), "b": draw(6)},
        {"stride": (2, 3), "padding": (1, 0), "dilation": (1, 2), "extra": (1, 2), "groups": 2},
    ),
    "conv_transpose1d": (
        conv_transpose1d,
        {"x": draw(2, 3, 4), "W": draw(3, 2, 3), "b": draw(2)},
        {"stride": 2, "padding": 1, "extra": 1},
    ),
    "max_pool1d": (max_pool1d, {"x": draw(2, 3, 7)}, {"kernel": 3, "stride": 2, "padding": 1}),
    "max_pool2d": (max_pool2d, {"x": draw(2, 2, 5, 6)}, {"kernel": (2, 3), "stride": 1}),
    "avg_pool1d": (avg_pool1d, {"x": draw(2, 3, 7)}, {"kernel": 3, "stride": 1, "padding": 1}),
    "avg_pool2d": (avg_pool2d, {"x": draw(2, 2, 5, 6)}, {"kernel": (2, 3), "padding": (1, 0)}),
    "attention": (
        attention,
        {"q": draw(2, 4, 2, 5), "k": draw(2, 2, 3, 5), "v": draw(2, 2, 3, 6)},
        {"mask": SEEN},
    ),
    "multi_head_attention": (
        multi_head_attention,
        PROJECTIONS,
        {"mask": SEEN, "heads": 2, "causal": True},
    ),
    "rnn_cell": (rnn_cell, STATE | gates(1), {}),
    "lstm_cell": (lstm_cell, STATE | {"c": draw(4, 2, seed=1)} | gates(4), {}),
    "gru_cell": (gru_cell, STATE | gates(3), {}),
    "bilinear": (
        bilinear,
        {"a": draw(4, 2), "b": draw(4, 3), "W": draw(5, 2, 3), "c": draw(5)},
        {},
    ),
    "einsum": (einsum, {"a": draw(2, 3, 4), "b": draw(5, 3)}, {"spec": "ijs,kj->ki"}),
    "cumsum": (cumsum, {"x": draw(3, 4)}, {"axis": 0}),
    "cumprod": (cumprod, {"x": draw(3, 7)}, {}),
    "prod": (prod, {"x": draw(3, 5, 2)}, {"axis": 1}),
    "logsumexp": (logsumexp, {"x": draw(3, 5)}, {"axis": 0}),
    "norm": (norm, {"x": draw(3, 5)}, {"p": 2.5}),
    "cosine_similarity": (cosine_similarity, {"a": draw(3, 4), "b": draw(3, 4, seed=1)}, {}),
    "sort": (sort, {"x": draw(3, 5)}, {"axis": 0, "descending": True}),
    "top_k": (top_k, {"x": draw(3, 5)}, {"k": 2}),
    "gather": (gather, {"x": draw(2, 4)}, {"index": INDEX}),
    "scatter_add": (scatter_add, {"x": draw(2, 4), "updates": draw(2, 5)}, {"index": INDEX}),
    "solve": (solve, {"A": POSITIVE_DEFINITE, "b": draw(2, 3, 2)}, {}),
    "inverse": (inverse, {"A": POSITIVE_DEFINITE}, {}),
    "cholesky": (cholesky, {"A": POSITIVE_DEFINITE}, {}),
    "log_softmax": (log_softmax, {"x": draw(3, 4)}, {"axis": 0}),
    "cross_entropy": (
        cross_entropy,
        {"logits": draw(3, 4)},
        {"labels": LABELS, "mask": MASK, "smoothing": 0.1},
    ),
    "nll": (nll, {"log_p": draw(3, 4)}, {"labels": LABELS, "weights": draw(4) ** 2}),
    "huber": (huber, {"prediction": 2 * draw(3, 4), "target": draw(3, 4, seed=1)}, {}),
    "hinge": (hinge, {"score": draw(3, 4)}, {"label": np.sign(draw(3, 4, seed=1))}),
    "multi_margin": (multi_margin, {"score": draw(3, 4)}, {"labels": LABELS}),
}
