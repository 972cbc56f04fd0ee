"""Dense layer: a linear layer on rows and then any activation.

`activation` is a pair (forward, vjp) such as `(tanh.forward, tanh.vjp)`.

Formula
    Z = X W + b
    Y = act(Z)
    dZ = act'(Z) applied to G
    dX = dZ W^T
    dW = X^T dZ
    db = sum of the rows of dZ

Shapes
    x (..., features), W (features, units), b (units,), y (..., units)

Kinks
    those of the activation, at Z

Errors
    ValueError where a shape disagrees.

Source
    (000) Dense; (001) CustomDense
"""

from reference.layers import identity, linear


def forward(x, W, b, *, activation=(identity.forward, identity.vjp)):
    """Y = act(X W + b)."""
    return activation[0](linear.forward(x, W, b))


def vjp(cotangent, x, W, b, *, activation=(identity.forward, identity.vjp)):
    """The activation's pullback at Z, then the linear layer's."""
    z = linear.forward(x, W, b)
    dz = activation[1](cotangent, z)["x"]
    return linear.vjp(dz, x, W, b)
