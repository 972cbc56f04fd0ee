"""One step of a plain recurrent network.

Formula
    h' = tanh(a),  a = x W_ih^T + b_ih + h W_hh^T + b_hh
    da = g (1 - h'^2);  dx = da W_ih,  dh = da W_hh
    dW_ih = da^T x,  dW_hh = da^T h,  db_ih = db_hh = sum da over the batch

Shapes
    x (batch, inputs); h, h' (batch, units); W_ih (units, inputs); W_hh (units, units);
    b_ih, b_hh (units)

Errors
    ValueError: shapes that disagree.

Source
    Elman (1990); the layout is torch.nn.RNNCell's.
"""

import numpy as np

from reference.shapes import expect


def forward(x, h, W_ih, W_hh, b_ih, b_hh):
    expect(
        x=(x, "batch inputs"),
        h=(h, "batch units"),
        W_ih=(W_ih, "units inputs"),
        W_hh=(W_hh, "units units"),
        b_ih=(b_ih, "units"),
        b_hh=(b_hh, "units"),
    )
    return np.tanh(x @ W_ih.T + b_ih + h @ W_hh.T + b_hh)


def vjp(cotangent, x, h, W_ih, W_hh, b_ih, b_hh):
    new = forward(x, h, W_ih, W_hh, b_ih, b_hh)
    expect(h=(h, "..."), cotangent=(cotangent, "..."))
    da = cotangent * (1 - new * new)
    db = np.sum(da, axis=0)
    return {
        "x": da @ W_ih,
        "h": da @ W_hh,
        "W_ih": da.T @ x,
        "W_hh": da.T @ h,
        "b_ih": db,
        "b_hh": db.copy(),
    }
