"""Every documented layer at a point where it is smooth: forward, vjp and inputs by name."""

from functools import partial

import numpy as np

from reference.layers import (
    affine,
    concatenate,
    conv1d,
    dense,
    dropout,
    elementwise_map,
    embedding,
    gru,
    hypernetwork,
    identity,
    leaky_relu,
    lift,
    linear,
    lstm,
    masked_dense,
    padding,
    relu,
    scalar_weight,
    sequence_mask,
    shared,
    shared_conv_lstm,
    sigmoid,
    simple_rnn,
    softmax,
    tanh,
    task,
    time_distributed,
    time_distributed_gru,
)

INDEX = np.array([[0, 2, 2], [1, 0, 2]])
WEIGHT_MASK = np.array([[0, 1], [1, 0], [0, 1]])
KEEP = np.array([[1, 1, 0, 1, 0], [0, 1, 1, 1, 1]], bool)
SQUARE = {"function": lambda x: x * x / 2, "derivative": lambda x: x}
SIGMOID_DENSE = {"activation": (sigmoid.forward, sigmoid.vjp)}


def _pair(module, fixed=None, **options):
    fixed = fixed or {}
    return partial(module.forward, **fixed, **options), partial(module.vjp, **fixed, **options)


def _many(module, names, **options):
    """A layer of several inputs, under their names x1, x2, ..."""

    def forward(**inputs):
        rest = {key: value for key, value in inputs.items() if key not in names}
        return module.forward(*(inputs[name] for name in names), **rest, **options)

    def vjp(cotangent, **inputs):
        rest = {key: value for key, value in inputs.items() if key not in names}
        return module.vjp(cotangent, *(inputs[name] for name in names), **rest, **options)

    return forward, vjp


LINEAR = {"layer": (linear.forward, linear.vjp)}
DENSE = {"x": (4, 3), "W": (3, 2), "b": (2,)}
RNN = {"x": (2, 5, 3), "W": (3, 4), "U": (4, 4), "b": (4,)}
LSTM = {"x": (2, 5, 3), "W": (3, 16), "U": (4, 16), "b": (16,)}
GRU = {"x": (2, 5, 3), "W": (3, 12), "U": (4, 12), "b": (2, 12)}
CONV = {"x": (2, 9, 3), "K": (3, 3, 4), "b": (4,)}
HYPER = {"x": (4, 3), "A": (3, 10), "a": (10,), "B": (10, 26), "c": (26,)}
SHARED = {
    "x1": (2, 6, 1),
    "x2": (2, 4, 1),
    "K": (3, 1, 5),
    "k": (5,),
    "W": (5, 8),
    "U": (2, 8),
    "b": (8,),
    "V": (4, 3),
    "v": (3,),
}

# name: ((forward, vjp), shapes of the differentiable inputs)
CASES = {
    "identity": (_pair(identity), {"x": (3, 2)}),
    "affine": (_pair(affine), {"x": (3,), "M": (2, 3), "b": (2,)}),
    "linear": (_pair(linear), DENSE),
    "linear, one sample": (_pair(linear), DENSE | {"x": (3,)}),
    "linear, leading axes": (_pair(linear), DENSE | {"x": (2, 2, 3)}),
    "dense": (_pair(dense), DENSE),
    "dense sigmoid": (_pair(dense, **SIGMOID_DENSE), DENSE),
    "scalar_weight": (_pair(scalar_weight), {"x": (5,), "w": ()}),
    "elementwise_map": (_pair(elementwise_map, **SQUARE), {"x": (5,)}),
    "relu": (_pair(relu), {"x": (4, 3)}),
    "relu above e": (_pair(relu, e=0.25), {"x": (4, 3)}),
    "leaky_relu": (_pair(leaky_relu), {"x": (4, 3)}),
    "tanh": (_pair(tanh), {"x": (4, 3)}),
    "sigmoid": (_pair(sigmoid), {"x": (4, 3)}),
    "softmax": (_pair(softmax), {"x": (4, 3)}),
    "simple_rnn": (_pair(simple_rnn), RNN),
    "simple_rnn sequences": (_pair(simple_rnn, return_sequences=True), RNN),
    "simple_rnn backwards": (_pair(simple_rnn, go_backwards=True), RNN),
    "simple_rnn stateful": (_pair(simple_rnn), RNN | {"h0": (2, 4)}),
    "simple_rnn masked": (
        _pair(simple_rnn, {"mask": KEEP}, return_sequences=True, go_backwards=True),
        RNN | {"h0": (2, 4)},
    ),
    "lstm": (_pair(lstm), LSTM),
    "lstm sequences": (_pair(lstm, return_sequences=True), LSTM),
    "lstm stateful": (_pair(lstm, return_state=True), LSTM | {"h0": (2, 4), "c0": (2, 4)}),
    "lstm masked": (
        _pair(lstm, {"mask": KEEP}, return_sequences=True, return_state=True, go_backwards=True),
        LSTM | {"h0": (2, 4), "c0": (2, 4)},
    ),
    "gru": (_pair(gru), GRU),
    "gru sequences": (_pair(gru, return_sequences=True), GRU),
    "gru masked": (
        _pair(gru, {"mask": KEEP}, return_sequences=True, go_backwards=True),
        GRU | {"h0": (2, 4)},
    ),
    "gru reset before": (_pair(gru, reset_after=False), GRU | {"b": (12,)}),
    "gru reset before, masked": (
        _pair(gru, {"mask": KEEP}, reset_after=False, return_sequences=True, go_backwards=True),
        GRU | {"b": (12,), "h0": (2, 4)},
    ),
    "conv1d": (_pair(conv1d), CONV),
    "conv1d same": (_pair(conv1d, padding="same"), CONV),
    "conv1d stride": (_pair(conv1d, stride=2), CONV),
    "conv1d dilation": (_pair(conv1d, dilation=3), CONV),
    "conv1d same stride dilation": (_pair(conv1d, padding="same", stride=2, dilation=2), CONV),
    "embedding": (_pair(embedding, {"index": INDEX}), {"E": (4, 3)}),
    "masked_dense": (_pair(masked_dense, {"mask": WEIGHT_MASK}), DENSE),
    "dropout": (_pair(dropout, {"mask": KEEP}, rate=0.25), {"x": (2, 5)}),
    "dropout at evaluation": (_pair(dropout, {"mask": KEEP}, training=False), {"x": (2, 5)}),
    "sequence_mask": (_pair(sequence_mask, {"mask": KEEP}), {"x": (2, 5, 3)}),
    "padding": (_pair(padding, {"lengths": np.array([2, 0, 3])}), {"x": (5, 2)}),
    "padding before": (
        _pair(padding, {"lengths": np.array([2, 0, 3])}, side="pre", time=4),
        {"x": (5, 2)},
    ),
    "concatenate": (_many(concatenate, ("x1", "x2")), {"x1": (3, 2), "x2": (3, 4)}),
    "shared": (
        _many(shared, ("x1", "x2"), **LINEAR),
        {"x1": (4, 3), "x2": (2, 3), "W": (3, 2), "b": (2,)},
    ),
    "shared_conv_lstm": (_many(shared_conv_lstm, ("x1", "x2")), SHARED),
    "time_distributed": (
        _pair(time_distributed, **LINEAR),
        {"x": (2, 5, 3), "W": (3, 2), "b": (2,)},
    ),
    "time_distributed_gru": (
        _pair(time_distributed_gru, {"mask": KEEP}),
        GRU | {"x": (2, 5, 6), "V": (6, 3), "v": (3,)},
    ),
    "task": (_pair(task), {"x": (4, 3), "w": (4, 26)}),
    "task, two outputs": (_pair(task, outputs=2), {"x": (4, 3), "w": (4, 20)}),
    "lift": (_pair(lift), HYPER),
    "hypernetwork": (_pair(hypernetwork), HYPER),
}


def inputs_of(name, dtype=float, seed=3):
    """Standard normal inputs of a case."""
    rng = np.random.default_rng(seed)
    _, shapes = CASES[name]
    return {key: np.asarray(rng.standard_normal(shape), dtype) for key, shape in shapes.items()}
