"""One step of a long short-term memory.

Formula
    [i, f, u, o] = x W_ih^T + b_ih + h W_hh^T + b_hh, in this order, before s, s, tanh, s
    c' = f c + i u;  h' = o tanh(c');  s(z) = 1 / (1 + exp(-z))
    With cotangents (gh, gc): dc' = gc + gh o (1 - tanh(c')^2);  dc = dc' f
    da = [dc' u i (1 - i), dc' c f (1 - f), dc' i (1 - u^2), gh tanh(c') o (1 - o)]
    dx = da W_ih,  dh = da W_hh,  dW_ih = da^T x,  dW_hh = da^T h,  db_ih = db_hh = sum da

Shapes
    x (batch, inputs); h, c, h', c' (batch, units); W_ih (4 units, inputs);
    W_hh (4 units, units); b_ih, b_hh (4 units). Returns (h', c').

Errors
    ValueError: shapes that disagree; a cotangent that is no tuple of two.

Source
    Hochreiter and Schmidhuber (1997), with the forget gate of Gers, Schmidhuber and Cummins
    (2000); the layout is torch.nn.LSTMCell's.
"""

import numpy as np

from reference.layers.sigmoid import sigmoid
from reference.sequences import by_gate
from reference.shapes import expect, expect_shape, floating, pieces


def forward(x, h, c, W_ih, W_hh, b_ih, b_hh):
    i, f, u, o = _gates(x, h, c, W_ih, W_hh, b_ih, b_hh)
    new_c = f * c + i * u
    return o * np.tanh(new_c), new_c


def vjp(cotangent, x, h, c, W_ih, W_hh, b_ih, b_hh):
    i, f, u, o = _gates(x, h, c, W_ih, W_hh, b_ih, b_hh)
    gh, gc = pieces("cotangent", cotangent, 2)
    expect(h=(h, "..."), cotangent_h=(gh, "..."), cotangent_c=(gc, "..."))
    t = np.tanh(f * c + i * u)
    dc = gc + gh * o * (1 - t * t)
    da = np.concatenate(
        [dc * u * i * (1 - i), dc * c * f * (1 - f), dc * i * (1 - u * u), gh * t * o * (1 - o)],
        axis=1,
    )
    db = np.sum(da, axis=0)
    return {
        "x": da @ W_ih,
        "h": da @ W_hh,
        "c": dc * f,
        "W_ih": da.T @ x,
        "W_hh": da.T @ h,
        "b_ih": db,
        "b_hh": db.copy(),
    }


def _gates(x, h, c, W_ih, W_hh, b_ih, b_hh):
    expect(
        x=(x, "batch inputs"),
        h=(h, "batch units"),
        c=(c, "batch units"),
        W_ih=(W_ih, "rows inputs"),
        W_hh=(W_hh, "rows units"),
        b_ih=(b_ih, "rows"),
        b_hh=(b_hh, "rows"),
    )
    expect_shape("W_hh", W_hh, (4 * h.shape[1], h.shape[1]), "a matrix for four gates of h")
    i, f, u, o = by_gate(floating(x @ W_ih.T + b_ih + h @ W_hh.T + b_hh), 4)
    return sigmoid(i), sigmoid(f), np.tanh(u), sigmoid(o)
