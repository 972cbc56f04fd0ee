"""Gated recurrent unit in Keras' layout: gate columns z, r, h, rows are samples.

Two forms: the reset gate acts after the recurrent product (Keras' default, cuDNN, torch) or
before it (Cho et al.). They coincide for instance where U_h is diagonal and its bias 0. Torch has
the first form in the order r, z, n.

Formula
    z = sigmoid(x_t W_z + h_{t-1} U_z + b_z), r likewise
    reset_after: h~ = tanh(x_t W_h + b_h + r * (h_{t-1} U_h + b'_h)), every gate with its b'
    otherwise: h~ = tanh(x_t W_h + (r * h_{t-1}) U_h + b_h)
    h_t = z h_{t-1} + (1 - z) h~
    dz = dh (h_{t-1} - h~) z(1-z), dn = dh (1 - z) (1 - h~^2)
    reset_after: dr = dn (h_{t-1} U_h + b'_h) r(1-r), dh_{t-1} = dh z + [dz dr dn*r] U^T
    otherwise: q = dn U_h^T, dr = q h_{t-1} r(1-r), dh_{t-1} = dh z + [dz dr] U_zr^T + q r
    dW = sum over t of x_t^T [dz dr dn], dx_t = [dz dr dn] W^T
    h_t = h_{t-1} where the mask is off, and its cotangent likewise

Shapes
    x (batch, time, features), W (features, 3 units), U (units, 3 units);
    b (2, 3 units) with reset_after, the input's and the recurrent bias, else (3 units,);
    h0 (batch, units), zeros by default; mask (batch, time) of 0 and 1, and a
    step of x that it leaves out may hold anything;
    y (batch, units), or with return_sequences (batch, time, units). Without any step y = h0,
    and before the first that the mask keeps, where Keras has zeros for y and h0 for its state.

Errors
    ValueError: shapes disagree; the mask holds anything but 0 and 1.

Source
    (002) Keras GRU; Cho et al. (2014)
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
from reference.shapes import expect


def forward(
    x,
    W,
    U,
    b,
    h0=None,
    mask=None,
    *,
    reset_after=True,
    return_sequences=False,
    go_backwards=False,
):
    """The last state, or all of them."""
    h, *_ = _run(x, W, U, b, h0, mask, reset_after, go_backwards)
    return outputs(h, return_sequences)


def vjp(
    cotangent,
    x,
    W,
    U,
    b,
    h0=None,
    mask=None,
    *,
    reset_after=True,
    return_sequences=False,
    go_backwards=False,
):
    """Backpropagation through time; the gradient of h0 where h0 is given."""
    h, gates, xs, keep = _run(x, W, U, b, h0, mask, reset_after, go_backwards)
    dh = state_cotangents(cotangent, h, return_sequences)
    dx, dr_h = np.empty((2, *h[1:].shape[:2], W.shape[1]), h.dtype)
    step_back = _step_back_after if reset_after else _step_back_before
    for t in reversed(range(len(xs))):
        from_x, from_h, before = step_back(dh[t + 1], h[t], gates[t], U)
        dx[t], dr_h[t] = np.where(keep[t], from_x, 0), np.where(keep[t], from_h, 0)
        dh[t] += np.where(keep[t], before, dh[t + 1])
    gradients = {
        "x": input_gradient(dx @ W.T, go_backwards),
        "W": over_rows(xs, dx),
        "U": _recurrent_gradient(h, gates, dr_h, reset_after),
        "b": np.stack([dx.sum((0, 1)), dr_h.sum((0, 1))]) if reset_after else dx.sum((0, 1)),
    }
    return gradients if h0 is None else gradients | {"h0": dh[0]}


def _run(x, W, U, b, h0, mask, reset_after, go_backwards):
    """h_0 .. h_T, the gates of every step, and the steps with their mask."""
    expect(
        x=(x, "batch time features"),
        h0=(h0, "batch units?"),
        mask=(mask, "batch time?"),
        U=(U, "units gates"),
        W=(W, "features gates"),
        b=(b, "2 gates" if reset_after else "gates"),
    )
    if U.shape[1] != 3 * len(U):
        raise ValueError(f"U has shape {U.shape}: (units, 3 units) is needed")
    xs, keep = in_order(x, mask, go_backwards)
    h, gates = empty_states(xs, W, U, b), []
    h[0] = initial(h0, x, U)
    z = xs @ W + (b[0] if reset_after else b)
    for t in range(len(xs)):
        gates.append(_after(z[t], h[t], U, b[1]) if reset_after else _before(z[t], h[t], U))
        update, _, candidate, _ = gates[t]
        h[t + 1] = np.where(keep[t], update * h[t] + (1 - update) * candidate, h[t])
    return h, gates, xs, keep


def _after(x, h, U, recurrent_bias):
    """z, r, h~ and the recurrent product that r multiplies."""
    xz, xr, xh = by_gate(x, 3)
    hz, hr, hh = by_gate(h @ U + recurrent_bias, 3)
    r = sigmoid(xr + hr)
    return sigmoid(xz + hz), r, np.tanh(xh + r * hh), hh


def _before(x, h, U):
    """z, r, h~ and the state that r has multiplied."""
    xz, xr, xh = by_gate(x, 3)
    Uz, Ur, Uh = by_gate(U, 3)
    r = sigmoid(xr + h @ Ur)
    return sigmoid(xz + h @ Uz), r, np.tanh(xh + (r * h) @ Uh), r * h


def _step_back_after(dh, h, gates, U):
    """The cotangents of x W, of h U, and of the state before."""
    z, r, candidate, hh = gates
    dz = dh * (h - candidate) * z * (1 - z)
    dn = dh * (1 - z) * (1 + candidate) * (1 - candidate)
    dr = dn * hh * r * (1 - r)
    from_h = np.concatenate([dz, dr, dn * r], axis=-1)
    return np.concatenate([dz, dr, dn], axis=-1), from_h, dh * z + from_h @ U.T


def _step_back_before(dh, h, gates, U):
    z, r, candidate, _ = gates
    Uz, Ur, Uh = by_gate(U, 3)
    dz = dh * (h - candidate) * z * (1 - z)
    dn = dh * (1 - z) * (1 + candidate) * (1 - candidate)
    q = dn @ Uh.T
    dr = q * h * r * (1 - r)
    both = np.concatenate([dz, dr, dn], axis=-1)
    return both, both, dh * z + dz @ Uz.T + dr @ Ur.T + q * r


def _recurrent_gradient(h, gates, d, reset_after):
    """dU: h_{t-1} met every column of U, but r * h_{t-1} met U_h where r comes before."""
    dU = over_rows(h[:-1], d)
    if not reset_after and gates:
        units = h.shape[2]
        reset_h = np.stack([step[3] for step in gates])
        dU[:, 2 * units :] = over_rows(reset_h, d[..., 2 * units :])
    return dU
