"""Mistakes in recurrent cells."""

import numpy as np

from suites.test_cells import SUBJECTS
from tests.faults.users.planted import Planter

plant = Planter(SUBJECTS)


def at_the_output(right, g, x, **others):
    """1 - tanh(h')^2 in place of 1 - h'^2."""
    new = right.forward(x=x, **others)
    factor = (1 - np.tanh(new) ** 2) / (1 - new**2)
    return {"x": right.vjp(g * factor, x=x, **others)["x"]}


def times_the_transpose(right, g, W_hh, **others):
    new = right.forward(W_hh=W_hh, **others)
    return {"h": (g * (1 - new**2)) @ W_hh.T}


def one_bias(right, g, **inputs):
    """Two biases, and the second forgotten."""
    return {"b_hh": np.zeros_like(inputs["b_hh"])}


def no_path_through_h(right, g, **inputs):
    """The new cell state without what comes back through the output."""
    gh, gc = g
    return {"c": right.vjp((np.zeros_like(gh), gc), **inputs)["c"]}


def gates_in_another_order(right, g, **inputs):
    i, f, u, o = np.split(right.vjp(g, **inputs)["W_ih"], 4)
    return {"W_ih": np.concatenate([f, i, u, o])}


def reset_forgotten(right, g, **inputs):
    gradients = right.vjp(g, **inputs)
    return {"b_hh": gradients["b_ih"].copy()}


def no_direct_path(right, g, **inputs):
    """Dh without g z, what passes by the update gate."""
    x, h, W_ih, W_hh, b_ih, b_hh = (inputs[k] for k in ("x", "h", "W_ih", "W_hh", "b_ih", "b_hh"))
    rows = slice(h.shape[1], 2 * h.shape[1])
    z = 1 / (1 + np.exp(-(x @ W_ih[rows].T + b_ih[rows] + h @ W_hh[rows].T + b_hh[rows])))
    return {"h": right.vjp(g, **inputs)["h"] - g * z}


FAULTS = [
    plant("rnn_cell: derivative at the output", "rnn_cell", "x", at_the_output, "at the output"),
    plant("rnn_cell: W_hh transposed in dh", "rnn_cell", "h", times_the_transpose, "transpose"),
    plant("rnn_cell: second bias forgotten", "rnn_cell", "b_hh", one_bias, "always zero"),
    plant("lstm_cell: no path through h", "lstm_cell", "c", no_path_through_h, "path", "output 0"),
    plant("lstm_cell: gates in another order", "lstm_cell", "W_ih", gates_in_another_order),
    plant("gru_cell: reset gate forgotten", "gru_cell", "b_hh", reset_forgotten, "`b_ih`"),
    plant("gru_cell: no direct path", "gru_cell", "h", no_direct_path),
]
