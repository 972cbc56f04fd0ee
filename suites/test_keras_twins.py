"""The recurrent layers against Keras' own, on its torch backend, with the same weights.

On this backend Keras multiplies matrices in float32, whatever the layer's dtype: the comparison
is to that rounding. Keras is imported when the first test needs it. Its backend is chosen once a
process, so these tests are skipped where it is missing or already runs on another one.
"""

import importlib.util
import os

import numpy as np
import pytest

from reference.layers import (
    conv1d,
    dense,
    gru,
    lstm,
    shared_conv_lstm,
    simple_rnn,
    softmax,
    time_distributed_gru,
)
from suites.test_networks import several

BATCH, TIME, FEATURES, UNITS = 3, 5, 4, 3
ALL, BACK, STATE = {"return_sequences": True}, {"go_backwards": True}, {"return_state": True}
KEEP = np.array([[1, 1, 1, 0, 0], [0, 1, 0, 1, 1], [1, 1, 1, 1, 1]], bool)
# name: (reference, Keras class, options of both, shapes of the weights, states, mask)
GRU_WEIGHTS = ((FEATURES, 3 * UNITS), (UNITS, 3 * UNITS), (2, 3 * UNITS))
BEFORE_WEIGHTS = (*GRU_WEIGHTS[:2], (3 * UNITS,))
LSTM_WEIGHTS = ((FEATURES, 4 * UNITS), (UNITS, 4 * UNITS), (4 * UNITS,))
RNN_WEIGHTS = ((FEATURES, UNITS), (UNITS, UNITS), (UNITS,))
BEFORE = {"reset_after": False}
CASES = {
    "simple rnn": (simple_rnn, "SimpleRNN", {}, RNN_WEIGHTS, (), None),
    "simple rnn sequences": (simple_rnn, "SimpleRNN", ALL, RNN_WEIGHTS, (), None),
    "simple rnn backwards": (simple_rnn, "SimpleRNN", ALL | BACK, RNN_WEIGHTS, (), None),
    "simple rnn stateful": (simple_rnn, "SimpleRNN", {}, RNN_WEIGHTS, ("h0",), None),
    "simple rnn masked": (simple_rnn, "SimpleRNN", ALL, RNN_WEIGHTS, (), KEEP),
    "simple rnn masked, backwards": (simple_rnn, "SimpleRNN", ALL | BACK, RNN_WEIGHTS, (), KEEP),
    "lstm": (lstm, "LSTM", {}, LSTM_WEIGHTS, (), None),
    "lstm sequences backwards": (lstm, "LSTM", ALL | BACK, LSTM_WEIGHTS, (), None),
    "lstm stateful": (lstm, "LSTM", STATE, LSTM_WEIGHTS, ("h0", "c0"), None),
    "lstm masked": (lstm, "LSTM", {}, LSTM_WEIGHTS, (), KEEP),
    "lstm masked, sequences backwards": (lstm, "LSTM", ALL | BACK, LSTM_WEIGHTS, (), KEEP),
    "gru": (gru, "GRU", {}, GRU_WEIGHTS, (), None),
    "gru sequences backwards": (gru, "GRU", ALL | BACK, GRU_WEIGHTS, (), None),
    "gru masked": (gru, "GRU", ALL, GRU_WEIGHTS, (), KEEP),
    "gru masked, backwards": (gru, "GRU", ALL | BACK, GRU_WEIGHTS, (), KEEP),
    "gru reset before": (gru, "GRU", BEFORE, BEFORE_WEIGHTS, (), None),
    "gru reset before, stateful": (gru, "GRU", ALL | BEFORE, BEFORE_WEIGHTS, ("h0",), None),
    "gru reset before, masked backwards": (
        gru,
        "GRU",
        BEFORE | BACK,
        BEFORE_WEIGHTS,
        (),
        KEEP,
    ),
}


@pytest.fixture(scope="module")
def keras():
    """Keras on its torch backend."""
    for needed in ("keras", "torch"):
        if importlib.util.find_spec(needed) is None:
            pytest.skip(f"{needed} is not installed")
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras

    if keras.backend.backend() != "torch":
        pytest.skip(f"keras already runs on {keras.backend.backend()} in this process")
    return keras


def tensors(arrays):
    """The arrays as torch tensors that collect a gradient."""
    import torch

    return {name: torch.tensor(array, requires_grad=True) for name, array in arrays.items()}


def of_keras(layer, inputs, weights, call):
    """Outputs, the inputs' gradients and the weights', with all cotangents 1, 2, 3, ..."""
    import torch

    layer.set_weights(list(weights))
    given = tensors(inputs)
    outputs = call(given)
    outputs = tuple(outputs) if isinstance(outputs, tuple | list) else (outputs,)
    sum((y * torch.tensor(ramp(y.shape))).sum() for y in outputs).backward()
    by_weight = [variable.value.grad.numpy() for variable in layer.trainable_weights]
    by_input = {name: tensor.grad.numpy() for name, tensor in given.items()}
    return [y.detach().numpy() for y in outputs], by_input, by_weight


def assert_close(mine, theirs):
    """Equal to 64 units in the last place of float32 at the largest entry."""
    assert mine.shape == theirs.shape
    assert np.abs(mine - theirs).max() <= 64 * np.finfo(np.float32).eps * np.abs(theirs).max()


def ramp(shape):
    """A cotangent whose entries all differ."""
    return np.arange(1.0, 1 + np.prod(shape)).reshape(shape)


@pytest.mark.parametrize("name", CASES)
def test_recurrent_layer_is_keras_own(keras, name):
    """Outputs and every gradient."""
    import torch

    module, kind, options, shapes, states, mask = CASES[name]
    rng = np.random.default_rng(0)
    weights = dict(zip("WUb", map(rng.standard_normal, shapes), strict=True))
    inputs = {"x": rng.standard_normal((BATCH, TIME, FEATURES))}
    inputs |= {state: rng.standard_normal((BATCH, UNITS)) for state in states}
    layer = getattr(keras.layers, kind)(UNITS, dtype="float64", **options)
    layer.build((BATCH, TIME, FEATURES))

    def call(given):
        initial = [given[state] for state in states] or None
        keep = None if mask is None else torch.tensor(mask)
        return layer(given["x"], initial_state=initial, mask=keep)

    outputs, by_input, by_weight = of_keras(layer, inputs, weights.values(), call)
    own = module.forward(**inputs, **weights, mask=mask, **options)
    own = own if isinstance(own, tuple) else (own,)
    for mine, theirs in zip(own, outputs, strict=True):
        assert_close(mine, theirs)
    cotangent = tuple(ramp(y.shape) for y in own)
    cotangent = cotangent if len(own) > 1 else cotangent[0]
    gradients = module.vjp(cotangent, **inputs, **weights, mask=mask, **options)
    for key, theirs in [*by_input.items(), *zip("WUb", by_weight, strict=True)]:
        assert_close(gradients[key], theirs)


@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU"])
def test_before_the_first_kept_step_keras_has_zeros_and_the_reference_h0(keras, name):
    """The one departure: a state that nothing has changed is an output here, as it is a state."""
    import torch

    module = {"SimpleRNN": simple_rnn, "LSTM": lstm, "GRU": gru}[name]
    rng = np.random.default_rng(0)
    x, keep = rng.standard_normal((1, TIME, FEATURES)), np.arange(TIME)[None] > 1
    states = [rng.standard_normal((1, UNITS)) for _ in range(2 if name == "LSTM" else 1)]
    layer = getattr(keras.layers, name)(UNITS, dtype="float64", return_sequences=True)
    layer.build(x.shape)
    y = layer(
        torch.tensor(x), initial_state=[torch.tensor(s) for s in states], mask=torch.tensor(keep)
    )
    own = module.forward(x, *layer.get_weights(), *states, mask=keep, return_sequences=True)
    assert_close(own[:, 2:], y.detach().numpy()[:, 2:])
    np.testing.assert_array_equal(own[0, :2], np.repeat(states[0], 2, axis=0))
    np.testing.assert_array_equal(y.detach().numpy()[0, :2], 0)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"strides": 2},
        {"dilation_rate": 2},
        {"padding": "same"},
        {"padding": "same", "strides": 3},
    ],
)
def test_conv1d_is_keras_own(keras, options):
    """Valid and same, with Keras' zeros."""
    words = {"strides": "stride", "dilation_rate": "dilation", "padding": "padding"}
    own = {words[key]: value for key, value in options.items()}
    rng = np.random.default_rng(0)
    x, K, b = (rng.standard_normal(shape) for shape in ((2, 10, 3), (4, 3, 5), 5))
    layer = keras.layers.Conv1D(5, 4, dtype="float64", **options)
    layer.build(x.shape)
    (y,), by_input, by_weight = of_keras(layer, {"x": x}, (K, b), lambda given: layer(given["x"]))
    assert_close(conv1d.forward(x, K, b, **own), y)
    gradients = conv1d.vjp(ramp(y.shape), x, K, b, **own)
    for key, theirs in [*by_input.items(), *zip("Kb", by_weight, strict=True)]:
        assert_close(gradients[key], theirs)


def test_dense_softmax_is_keras_own(keras):
    """Rows are samples, the softmax over the last axis."""
    rng = np.random.default_rng(0)
    x, W, b = (rng.standard_normal(shape) for shape in ((4, 3), (3, 2), 2))
    layer = keras.layers.Dense(2, activation="softmax", dtype="float64")
    layer.build(x.shape)
    (y,), by_input, by_weight = of_keras(layer, {"x": x}, (W, b), lambda given: layer(given["x"]))
    activation = (softmax.forward, softmax.vjp)
    assert_close(dense.forward(x, W, b, activation=activation), y)
    gradients = dense.vjp(ramp(y.shape), x, W, b, activation=activation)
    for key, theirs in [*by_input.items(), *zip("Wb", by_weight, strict=True)]:
        assert_close(gradients[key], theirs)


def test_the_shared_network_is_keras_own(keras):
    """(002) the network of the answer, 762 parameters, as a Keras model."""
    rng = np.random.default_rng(0)
    lengths = (50, 40, 30, 20, 10)
    given = [keras.Input((length, 1), dtype="float64") for length in lengths]
    conv = keras.layers.Conv1D(5, 3, activation="relu", dtype="float64")
    recurrent = keras.layers.LSTM(10, dtype="float64")
    last = keras.layers.Dense(2, activation="softmax", dtype="float64")
    joined = keras.layers.Concatenate(dtype="float64")([recurrent(conv(x)) for x in given])
    model = keras.Model(given, last(joined))
    assert model.count_params() == 762
    weights = [rng.standard_normal(w.shape) / 3 for w in model.trainable_weights]
    named = dict(zip(("K", "k", "W", "U", "b", "V", "v"), weights, strict=True))
    inputs = {f"x{k}": rng.standard_normal((2, n, 1)) for k, n in enumerate(lengths, 1)}

    def call(tensors):
        return model(list(tensors.values()))

    (y,), by_input, by_weight = of_keras(model, inputs, weights, call)
    forward, vjp = several(shared_conv_lstm, 5)
    assert_close(forward(**inputs, **named), y)
    gradients = vjp(ramp(y.shape), **inputs, **named)
    for key, theirs in [*by_input.items(), *zip(named, by_weight, strict=True)]:
        assert_close(gradients[key], theirs)


def test_a_layer_at_every_step_before_a_gru_is_keras_own(keras):
    """(002) TimeDistributed(f) and a GRU over n vectors, n by a mask: what was asked."""
    import torch

    rng = np.random.default_rng(0)
    x, keep = keras.Input((TIME, FEATURES), dtype="float64"), keras.Input((TIME,), dtype="bool")
    every = keras.layers.TimeDistributed(
        keras.layers.Dense(6, activation="tanh", dtype="float64"), dtype="float64"
    )
    recurrent = keras.layers.GRU(UNITS, dtype="float64")
    model = keras.Model([x, keep], recurrent(every(x), mask=keep))
    weights = [rng.standard_normal(w.shape) for w in model.trainable_weights]
    named = dict(zip(("V", "v", "W", "U", "b"), weights, strict=True))
    inputs = {"x": rng.standard_normal((BATCH, TIME, FEATURES))}

    def call(given):
        return model([given["x"], torch.tensor(KEEP)])

    (y,), by_input, by_weight = of_keras(model, inputs, weights, call)
    assert_close(time_distributed_gru.forward(**inputs, **named, mask=KEEP), y)
    gradients = time_distributed_gru.vjp(ramp(y.shape), **inputs, **named, mask=KEEP)
    for key, theirs in [*by_input.items(), *zip(named, by_weight, strict=True)]:
        assert_close(gradients[key], theirs)


def test_the_lstm_s_first_bias_is_keras_own(keras):
    """The forget gate starts at 1."""
    layer = keras.layers.LSTM(UNITS)
    layer.build((BATCH, TIME, FEATURES))
    assert_close(lstm.initial_bias(UNITS), layer.get_weights()[2])
