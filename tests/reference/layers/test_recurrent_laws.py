"""Laws of the recurrent layers, in Keras' conventions."""

from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from reference.layers import gru, lstm, simple_rnn

BATCH, TIME, FEATURES, UNITS = 4, 6, 3, 5
# forward, vjp, gates a unit, shape of the bias
LAYERS = {
    "simple_rnn": (simple_rnn.forward, simple_rnn.vjp, 1, (UNITS,)),
    "lstm": (lstm.forward, lstm.vjp, 4, (4 * UNITS,)),
    "gru": (gru.forward, gru.vjp, 3, (2, 3 * UNITS)),
    "gru before": (
        partial(gru.forward, reset_after=False),
        partial(gru.vjp, reset_after=False),
        3,
        (3 * UNITS,),
    ),
}
every_layer = pytest.mark.parametrize("name", LAYERS)


def drawn(name, seed=0):
    """forward, vjp, x and the weights of a layer."""
    forward, vjp, gates, bias = LAYERS[name]
    rng = np.random.default_rng(seed)
    weights = {
        "W": rng.standard_normal((FEATURES, gates * UNITS)),
        "U": rng.standard_normal((UNITS, gates * UNITS)),
        "b": rng.standard_normal(bias),
    }
    return forward, vjp, rng.standard_normal((BATCH, TIME, FEATURES)), weights


@every_layer
def test_gradients_of_a_batch_add_up(name):
    _, vjp, x, weights = drawn(name)
    g = np.random.default_rng(1).standard_normal((BATCH, UNITS))
    whole = vjp(g, x, **weights)
    single = [vjp(g[n : n + 1], x[n : n + 1], **weights) for n in range(BATCH)]
    for key in weights:
        assert_allclose(whole[key], sum(one[key] for one in single), atol=1e-14)
    assert_allclose(whole["x"], np.concatenate([one["x"] for one in single]), atol=1e-14)


@every_layer
def test_order_of_the_batch_does_not_matter(name):
    forward, _, x, weights = drawn(name)
    order = np.array([2, 0, 3, 1])
    assert_allclose(forward(x[order], **weights), forward(x, **weights)[order], atol=1e-15)


@every_layer
def test_hidden_units_may_be_renumbered(name):
    forward, _, x, weights = drawn(name)
    q = np.array([3, 0, 4, 1, 2])
    gates = weights["W"].shape[1] // UNITS
    columns = np.concatenate([q + UNITS * gate for gate in range(gates)])
    renumbered = {
        "W": weights["W"][:, columns],
        "U": weights["U"][q][:, columns],
        "b": weights["b"][..., columns],
    }
    assert_allclose(forward(x, **renumbered), forward(x, **weights)[:, q], atol=1e-14)


@every_layer
def test_going_backwards_is_reading_the_reversed_input(name):
    forward, vjp, x, weights = drawn(name)
    g = np.random.default_rng(1).standard_normal((BATCH, TIME, UNITS))
    options = {"return_sequences": True}
    backwards = forward(x, **weights, **options, go_backwards=True)
    assert_array_equal(backwards, forward(x[:, ::-1], **weights, **options))
    dx = vjp(g, x, **weights, **options, go_backwards=True)["x"]
    assert_array_equal(dx, vjp(g, x[:, ::-1], **weights, **options)["x"][:, ::-1])


@pytest.mark.parametrize("name", ["simple_rnn", "gru", "gru before"])
def test_a_stateful_layer_goes_on_where_it_stopped(name):
    forward, vjp, x, weights = drawn(name)
    g = np.random.default_rng(1).standard_normal((BATCH, UNITS))
    half = forward(x[:, :2], **weights)
    assert_allclose(forward(x[:, 2:], **weights, h0=half), forward(x, **weights), atol=1e-15)
    second = vjp(g, x[:, 2:], **weights, h0=half)
    first = vjp(second["h0"], x[:, :2], **weights)
    assert_allclose(first["W"] + second["W"], vjp(g, x, **weights)["W"], atol=1e-13)


def test_a_stateful_lstm_hands_on_both_states():
    forward, vjp, x, weights = drawn("lstm")
    g = np.random.default_rng(1).standard_normal((BATCH, UNITS))
    _, h, c = forward(x[:, :2], **weights, return_state=True)
    assert_allclose(forward(x[:, 2:], **weights, h0=h, c0=c), forward(x, **weights), atol=1e-15)
    second = vjp(g, x[:, 2:], **weights, h0=h, c0=c)
    states = (np.zeros((BATCH, UNITS)), second["h0"], second["c0"])
    first = vjp(states, x[:, :2], **weights, return_state=True)
    assert_allclose(first["U"] + second["U"], vjp(g, x, **weights)["U"], atol=1e-13)


@every_layer
def test_masked_steps_are_as_if_they_were_not_there(name):
    forward, vjp, x, weights = drawn(name)
    keep = np.array([True, False, True, True, False, False])
    mask = np.broadcast_to(keep, (BATCH, TIME))
    g = np.random.default_rng(1).standard_normal((BATCH, UNITS))
    assert_allclose(forward(x, **weights, mask=mask), forward(x[:, keep], **weights), atol=1e-15)
    masked, short = vjp(g, x, **weights, mask=mask), vjp(g, x[:, keep], **weights)
    for key in weights:
        assert_allclose(masked[key], short[key], atol=1e-13)
    assert_array_equal(masked["x"][:, ~keep], 0)


@every_layer
def test_without_any_step_the_state_is_returned(name):
    forward, vjp, x, weights = drawn(name)
    h0 = np.random.default_rng(1).standard_normal((BATCH, UNITS))
    assert_array_equal(forward(x[:, :0], **weights, h0=h0), h0)
    gradients = vjp(h0, x[:, :0], **weights, h0=h0)
    assert_array_equal(gradients["h0"], h0)
    assert not gradients["W"].any()
    assert forward(x[:, :0], **weights, return_sequences=True).shape == (BATCH, 0, UNITS)


@every_layer
def test_an_empty_batch_gives_empty_states_and_zero_gradients(name):
    forward, vjp, x, weights = drawn(name)
    assert forward(x[:0], **weights).shape == (0, UNITS)
    gradients = vjp(np.empty((0, UNITS)), x[:0], **weights)
    assert {key: gradients[key].any() for key in weights} == dict.fromkeys(weights, False)


def test_simple_rnn_is_odd_without_bias():
    forward, _, x, weights = drawn("simple_rnn")
    weights["b"][:] = 0
    assert_array_equal(forward(-x, **weights), -forward(x, **weights))


def test_zero_padding_is_neutral_only_before_and_without_bias():
    forward, _, x, weights = drawn("simple_rnn")
    zeros = np.zeros((BATCH, 2, FEATURES))
    before, after = np.concatenate([zeros, x], axis=1), np.concatenate([x, zeros], axis=1)
    assert np.abs(forward(before, **weights) - forward(x, **weights)).max() > 1e-3
    weights["b"][:] = 0
    assert_allclose(forward(before, **weights), forward(x, **weights), atol=1e-15)
    assert np.abs(forward(after, **weights) - forward(x, **weights)).max() > 0.1


def test_the_two_gru_forms_meet_where_u_h_is_diagonal_and_its_bias_zero():
    forward, _, x, weights = drawn("gru")
    before, after = weights | {"b": weights["b"][0]}, weights | {"b": weights["b"] * [[1], [0]]}
    difference = forward(x, **after) - forward(x, **before, reset_after=False)
    assert np.abs(difference).max() > 0.01
    after["U"][:, 2 * UNITS :] = before["U"][:, 2 * UNITS :] = np.diag(np.arange(1.0, UNITS + 1))
    difference = forward(x, **after) - forward(x, **before, reset_after=False)
    assert_allclose(difference, 0, atol=1e-14)


def test_the_forget_gate_starts_open():
    assert_array_equal(lstm.initial_bias(2), [0, 0, 1, 1, 0, 0, 0, 0])


def test_the_lstm_gates_stand_in_the_order_i_f_c_o():
    rng = np.random.default_rng(0)
    c0, U = rng.standard_normal((1, 1)), np.zeros((1, 4))
    x, W = np.ones((1, 1, 1)), np.array([[-50.0, 50.0, 3.0, 50.0]])
    _, h, c = lstm.forward(x, W, U, np.zeros(4), c0=c0, return_state=True)
    assert_allclose(c, c0, atol=1e-15)  # nothing in, everything kept
    assert_allclose(h, np.tanh(c0), atol=1e-15)  # everything out
