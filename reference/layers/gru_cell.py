"""One step of a gated recurrent unit, the reset gate applied after the recurrent product.

Formula
    [ar, az, an] = x W_ih^T + b_ih,  [br, bz, bn] = h W_hh^T + b_hh
    r = s(ar + br);  z = s(az + bz);  n = tanh(an + r bn);  h' = (1 - z) n + z h
    dz = g (h - n) z (1 - z);  dn = g (1 - z) (1 - n^2);  dr = dn bn r (1 - r)
    da = [dr, dz, dn],  db = [dr, dz, r dn];  dh = g z + db W_hh;  dx = da W_ih
    dW_ih = da^T x,  dW_hh = db^T h,  db_ih = sum da,  db_hh = sum db;  s(v) = 1 / (1 + exp(-v))

Shapes
    x (batch, inputs); h, h' (batch, units); W_ih (3 units, inputs); W_hh (3 units, units);
    b_ih, b_hh (3 units)

Errors
    ValueError: shapes that disagree.

Source
    Cho et al. (2014), the reset gate as in torch.nn.GRUCell, whose layout this is.
"""

import numpy as np

from reference.layers.sigmoid import sigmoid
from reference.sequences import by_gate
from reference.shapes import expect, expect_shape, floating


def forward(x, h, W_ih, W_hh, b_ih, b_hh):
    _, z, n, _ = _gates(x, h, W_ih, W_hh, b_ih, b_hh)
    return (1 - z) * n + z * h


def vjp(cotangent, x, h, W_ih, W_hh, b_ih, b_hh):
    r, z, n, bn = _gates(x, h, W_ih, W_hh, b_ih, b_hh)
    expect(h=(h, "..."), cotangent=(cotangent, "..."))
    dz = cotangent * (h - n) * z * (1 - z)
    dn = cotangent * (1 - z) * (1 - n * n)
    dr = dn * bn * r * (1 - r)
    da = np.concatenate([dr, dz, dn], axis=1)
    db = np.concatenate([dr, dz, r * dn], axis=1)
    return {
        "x": da @ W_ih,
        "h": cotangent * z + db @ W_hh,
        "W_ih": da.T @ x,
        "W_hh": db.T @ h,
        "b_ih": np.sum(da, axis=0),
        "b_hh": np.sum(db, axis=0),
    }


def _gates(x, h, W_ih, W_hh, b_ih, b_hh):
    expect(
        x=(x, "batch inputs"),
        h=(h, "batch units"),
        W_ih=(W_ih, "rows inputs"),
        W_hh=(W_hh, "rows units"),
        b_ih=(b_ih, "rows"),
        b_hh=(b_hh, "rows"),
    )
    expect_shape("W_hh", W_hh, (3 * h.shape[1], h.shape[1]), "a matrix for three gates of h")
    ar, az, an = by_gate(floating(x @ W_ih.T + b_ih), 3)
    br, bz, bn = by_gate(floating(h @ W_hh.T + b_hh), 3)
    r = sigmoid(ar + br)
    return r, sigmoid(az + bz), np.tanh(an + r * bn), bn
