"""Every vector of a sequence of any length through one layer f, then through a GRU.

Formula
    u[n, t] = act(x[n, t] V + v), the same V and v at every step
    y = GRU(u; W, U, b), steps that the mask leaves out carry the state

Shapes
    x (batch, time, features), V (features, hidden), v (hidden,);
    W (hidden, 3 units), U (units, 3 units), b (2, 3 units);
    mask (batch, time) of 0 and 1, all kept by default, and a step of x that it leaves out may hold
    anything; y (batch, units)

Kinks
    those of the activation, by default tanh, which has none

Errors
    ValueError: shapes disagree; the mask holds anything but 0 and 1.

Source
    (002) "Recurrent neural net where each input goes through a layer first": what was asked
"""

import numpy as np

from reference.layers import dense, gru, tanh, time_distributed
from reference.shapes import expect, zeros_and_ones


def forward(x, V, v, W, U, b, mask=None, *, activation=(tanh.forward, tanh.vjp)):
    """The GRU's last state over the mapped vectors."""
    x = _kept(x, V, v, W, U, b, mask)
    u = time_distributed.forward(x, **_distributed(V, v, activation))
    return gru.forward(u, W, U, b, mask=mask)


def vjp(cotangent, x, V, v, W, U, b, mask=None, *, activation=(tanh.forward, tanh.vjp)):
    """Back through the GRU, then through the layer at every step."""
    x = _kept(x, V, v, W, U, b, mask, cotangent=(cotangent, "batch units"))
    layer = _distributed(V, v, activation)
    recurrent = gru.vjp(cotangent, time_distributed.forward(x, **layer), W, U, b, mask=mask)
    first = time_distributed.vjp(recurrent.pop("x"), x, **layer)
    return recurrent | {"x": first["x"], "V": first["W"], "v": first["b"]}


def _distributed(V, v, activation):
    def forward(x, W, b):
        return dense.forward(x, W, b, activation=activation)

    def vjp(cotangent, x, W, b):
        return dense.vjp(cotangent, x, W, b, activation=activation)

    return {"layer": (forward, vjp), "W": V, "b": v}


def _kept(x, V, v, W, U, b, mask, **more):
    """The steps of x, zeros where the mask leaves one out."""
    expect(
        x=(x, "batch time features"),
        V=(V, "features hidden"),
        v=(v, "hidden"),
        W=(W, "hidden gates"),
        U=(U, "units gates"),
        b=(b, "2 gates"),
        mask=(mask, "batch time?"),
        **more,
    )
    if mask is None:
        return x
    zeros_and_ones("mask", mask)
    return np.where(mask.astype(bool)[..., None], x, 0)
