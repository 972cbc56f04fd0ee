"""Long short-term memory in Keras' layout: gate columns i, f, c, o, rows are samples.

Torch has the gates in the same order, transposed weights, two biases and no forget bias.

Formula
    [i f c~ o] = x_t W + h_{t-1} U + b, then sigmoid for i, f, o and tanh for c~
    c_t = f c_{t-1} + i c~
    h_t = o tanh(c_t)
    dc_t += dh_t o (1 - tanh(c_t)^2), dc_{t-1} = f dc_t
    dz = [dc c~ i(1-i), dc c_{t-1} f(1-f), dc i (1-c~^2), dh tanh(c) o(1-o)]
    dW = sum over t of x_t^T dz_t, dU = sum over t of h_{t-1}^T dz_t, db = sum of dz_t
    dx_t = dz_t W^T, dh_{t-1} += dz_t U^T
    h_t = h_{t-1} and c_t = c_{t-1} where the mask is off, and their cotangents likewise

Shapes
    x (batch, time, features), W (features, 4 units), U (units, 4 units), b (4 units,);
    h0, c0 (batch, units), zeros by default; mask (batch, time) of 0 and 1, and a
    step of x that it leaves out may hold anything;
    y (batch, units), or with return_sequences (batch, time, units); with return_state the tuple
    (y, h_T, c_T), which a stateful layer hands to its next call. Without any step h_T = h0;
    before the first that the mask keeps y is h0 too, where Keras has zeros for y.

Errors
    ValueError: shapes disagree; the mask holds anything but 0 and 1; with return_state, a cotangent
    that is no tuple of three.

Source
    (002) Keras LSTM(10); Hochreiter and Schmidhuber (1997), Gers et al. (2000)
"""

import numpy as np

from reference.layers.sigmoid import sigmoid
from reference.rows import over_rows
from reference.sequences import (
    by_gate,
    empty_states,
    in_order,
    initial,
    input_gradient,
    outputs,
    state_cotangents,
)
from reference.shapes import expect, expect_shape, pieces


def initial_bias(units, dtype=float):
    """The bias that Keras starts with: 1 for the forget gate, 0 elsewhere."""
    return np.repeat([0, 1, 0, 0], units).astype(dtype)


def forward(
    x,
    W,
    U,
    b,
    h0=None,
    c0=None,
    mask=None,
    *,
    return_sequences=False,
    return_state=False,
    go_backwards=False,
):
    """The last state, or all of them; with return_state also the last h and c."""
    h, c, *_ = _run(x, W, U, b, h0, c0, mask, go_backwards)
    y = outputs(h, return_sequences)
    return (y, h[-1].copy(), c[-1].copy()) if return_state else y


def vjp(
    cotangent,
    x,
    W,
    U,
    b,
    h0=None,
    c0=None,
    mask=None,
    *,
    return_sequences=False,
    return_state=False,
    go_backwards=False,
):
    """Backpropagation through time; the gradients of h0 and c0 where they are given."""
    h, c, gates, xs, keep = _run(x, W, U, b, h0, c0, mask, go_backwards)
    zeros = np.zeros_like(c[0])
    dy, dlast, dc = pieces("cotangent", cotangent, 3) if return_state else (cotangent, zeros, zeros)
    expect_shape("cotangent of h_T", dlast, zeros.shape, "h_T")
    expect_shape("cotangent of c_T", dc, zeros.shape, "c_T")
    dh = state_cotangents(dy, h, return_sequences)
    dh[-1] += dlast
    dz = np.empty((*h[1:].shape[:2], W.shape[1]), h.dtype)
    for t in reversed(range(len(xs))):
        step, before = _step_back(dh[t + 1], dc, gates[t], c[t], c[t + 1])
        dz[t] = np.where(keep[t], step, 0)
        dh[t] += np.where(keep[t], dz[t] @ U.T, dh[t + 1])
        dc = np.where(keep[t], before, dc)
    gradients = {
        "x": input_gradient(dz @ W.T, go_backwards),
        "W": over_rows(xs, dz),
        "U": over_rows(h[:-1], dz),
        "b": dz.sum((0, 1)),
    }
    given = {"h0": (h0, dh[0]), "c0": (c0, dc)}
    return gradients | {name: d.copy() for name, (value, d) in given.items() if value is not None}


def _run(x, W, U, b, h0, c0, mask, go_backwards):
    """h_0 .. h_T, c_0 .. c_T, the gates of every step, and the steps with their mask."""
    expect(
        x=(x, "batch time features"),
        h0=(h0, "batch units?"),
        c0=(c0, "batch units?"),
        mask=(mask, "batch time?"),
        U=(U, "units gates"),
        W=(W, "features gates"),
        b=(b, "gates"),
    )
    if U.shape[1] != 4 * len(U):
        raise ValueError(f"U has shape {U.shape}: (units, 4 units) is needed")
    xs, keep = in_order(x, mask, go_backwards)
    h = empty_states(xs, W, U, b)
    c, gates, z = np.empty_like(h), [], xs @ W + b
    h[0], c[0] = initial(h0, x, U), initial(c0, x, U)
    for t in range(len(xs)):
        i, f, candidate, o = _gates(z[t] + h[t] @ U)
        c[t + 1] = np.where(keep[t], f * c[t] + i * candidate, c[t])
        h[t + 1] = np.where(keep[t], o * np.tanh(c[t + 1]), h[t])
        gates.append((i, f, candidate, o))
    return h, c, gates, xs, keep


def _gates(z):
    i, f, candidate, o = by_gate(z, 4)
    return sigmoid(i), sigmoid(f), np.tanh(candidate), sigmoid(o)


def _step_back(dh, dc, gates, c_before, c):
    """The cotangents of one step's z and of the c before it."""
    i, f, candidate, o = gates
    tanh_c = np.tanh(c)
    dc = dc + dh * o * (1 + tanh_c) * (1 - tanh_c)
    dz = (
        dc * candidate * i * (1 - i),
        dc * c_before * f * (1 - f),
        dc * i * (1 + candidate) * (1 - candidate),
        dh * tanh_c * o * (1 - o),
    )
    return np.concatenate(dz, axis=-1), dc * f
