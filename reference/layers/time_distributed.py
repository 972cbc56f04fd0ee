"""One layer applied to every time step, with the same weights.

`layer` is a pair (forward, vjp) of one input x, rows being samples, and named parameters.

Formula
    y[n, t] = f(x[n, t]; w)
    dx[n, t] = the pullback of g[n, t]
    dw = sum over n, t of the pullback to w

Shapes
    x (batch, time, ...), y (batch, time, ...)

Kinks
    those of the layer

Errors
    ValueError: x without batch and time; those of the layer.

Source
    (002) "each input goes through a layer first"
"""


def forward(x, *, layer, **parameters):
    """y[n, t] = f(x[n, t]; w)."""
    y = layer[0](_rows(x), **parameters)
    return y.reshape(*x.shape[:2], *y.shape[1:])


def vjp(cotangent, x, *, layer, **parameters):
    """The layer's pullback, time steps being samples."""
    if cotangent.shape[:2] != x.shape[:2]:
        raise ValueError(f"cotangent has shape {cotangent.shape} and x has shape {x.shape}")
    gradients = layer[1](_rows(cotangent), _rows(x), **parameters)
    return gradients | {"x": gradients["x"].reshape(x.shape)}


def _rows(x):
    if x.ndim < 3:
        raise ValueError(f"x has shape {x.shape}: (batch, time, ...) is needed")
    return x.reshape(x.shape[0] * x.shape[1], *x.shape[2:])
