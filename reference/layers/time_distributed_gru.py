"""Every vector of a sequence of any length through one layer f, then through a GRU.

Formula
    u[n, t] = act(x[n, t] V + v), the same V and v at every step
    y = GRU(u; W, U, b), steps that the mask leaves out carry the state

Shapes
    x (batch, time, features), V (features, hidden), v (hidden,);
    W (hidden, 3 units), U (units, 3 units), b (2, 3 units);
    mask (batch, time) of 0 and 1, all kept by default; y (batch, units)

Kinks
    those of the activation, by default tanh, which has none

Errors
    ValueError: shapes disagree; the mask holds anything but 0 and 1.

Source
    (002) "Recurrent neural net where each input goes through a layer first": what was asked
"""

from reference.layers import dense, gru, tanh, time_distributed


def forward(x, V, v, W, U, b, mask=None, *, activation=(tanh.forward, tanh.vjp)):
    """The GRU's last state over the mapped vectors."""
    u = time_distributed.forward(x, **_distributed(V, v, activation))
    return gru.forward(u, W, U, b, mask=mask)


def vjp(cotangent, x, V, v, W, U, b, mask=None, *, activation=(tanh.forward, tanh.vjp)):
    """Back through the GRU, then through the layer at every step."""
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
