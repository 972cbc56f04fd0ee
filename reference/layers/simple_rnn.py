"""Simple recurrent layer in Keras' layout, weights [W, U, b], rows are samples.

Torch keeps W^T and U^T and two biases whose sum is b.

Formula
    h_t = tanh(x_t W + h_{t-1} U + b)
    d_t = (dh_t + d_{t+1} U^T) (1 - h_t^2)
    dW = sum over t of x_t^T d_t
    dU = sum over t of h_{t-1}^T d_t
    db = sum over t and rows of d_t
    dx_t = d_t W^T, dh_0 = d_1 U^T
    h_t = h_{t-1} where the mask is off: the state is carried, and the cotangent with it

Shapes
    x (batch, time, features), W (features, units), U (units, units), b (units,);
    h0 (batch, units), zeros by default: a stateful layer is given its last state;
    mask (batch, time) of 0 and 1, and a step of x that it leaves out may hold anything;
    y (batch, units), the last state, or with return_sequences (batch, time, units).
    go_backwards reads the input from its end; outputs stay in the order in which they are made.
    Without any step the last state is h0; before the first step that the mask keeps y is h0 too,
    where Keras has zeros for y and h0 for its state.

Errors
    ValueError: shapes disagree; the mask holds anything but 0 and 1.

Source
    (002) Keras SimpleRNN, weights and BPTT
"""

import numpy as np

from reference.rows import over_rows
from reference.sequences import (
    empty_states,
    in_order,
    initial,
    input_gradient,
    outputs,
    state_cotangents,
)
from reference.shapes import expect


def forward(x, W, U, b, h0=None, mask=None, *, return_sequences=False, go_backwards=False):
    """The last state, or all of them."""
    _check(x, W, U, b, h0, mask)
    xs, keep = in_order(x, mask, go_backwards)
    return outputs(_states(xs, W, U, b, initial(h0, x, U), keep), return_sequences)


def vjp(cotangent, x, W, U, b, h0=None, mask=None, *, return_sequences=False, go_backwards=False):
    """Backpropagation through time; the gradient of h0 where h0 is given."""
    _check(x, W, U, b, h0, mask)
    xs, keep = in_order(x, mask, go_backwards)
    h = _states(xs, W, U, b, initial(h0, x, U), keep)
    dh = state_cotangents(cotangent, h, return_sequences)
    d = np.empty_like(h[1:])
    for t in reversed(range(len(xs))):
        d[t] = np.where(keep[t], dh[t + 1] * (1 + h[t + 1]) * (1 - h[t + 1]), 0)
        dh[t] += np.where(keep[t], d[t] @ U.T, dh[t + 1])
    gradients = {
        "x": input_gradient(d @ W.T, go_backwards),
        "W": over_rows(xs, d),
        "U": over_rows(h[:-1], d),
        "b": d.sum((0, 1)),
    }
    return gradients if h0 is None else gradients | {"h0": dh[0]}


def _check(x, W, U, b, h0, mask):
    expect(
        x=(x, "batch time features"),
        W=(W, "features units"),
        U=(U, "units units"),
        b=(b, "units"),
        h0=(h0, "batch units?"),
        mask=(mask, "batch time?"),
    )


def _states(xs, W, U, b, h0, keep):
    """h_0 .. h_T, time first."""
    h = empty_states(xs, W, U, b)
    h[0] = h0
    z = xs @ W + b
    for t in range(len(xs)):
        h[t + 1] = np.where(keep[t], np.tanh(z[t] + h[t] @ U), h[t])
    return h
