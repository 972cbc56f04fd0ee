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

from reference.shapes import real_numbers


def forward(x, *, layer, **parameters):
    """y[n, t] = f(x[n, t]; w)."""
    y = layer[0](_rows(x), **parameters)
    return y.reshape(*x.shape[:2], *y.shape[1:])


def vjp(cotangent, x, *, layer, **parameters):
    """The layer's pullback, time steps being samples."""
    rows = _rows(x)
    real_numbers("cotangent", cotangent)
    if cotangent.shape[:2] != x.shape[:2]:
        raise ValueError(f"cotangent has shape {cotangent.shape} and x has shape {x.shape}")
    gradients = layer[1](_together(cotangent), rows, **parameters)
    return gradients | {"x": gradients["x"].reshape(x.shape)}


def _rows(x):
    real_numbers("x", x)
    if x.ndim < 3:
        raise ValueError(f"x has shape {x.shape}: (batch, time, ...) is needed")
    return _together(x)


def _together(array):
    """Batch and time as one axis; a layer may leave no other, as `norm` does."""
    batch, time, *rest = array.shape
    return array.reshape(batch * time, *rest)
