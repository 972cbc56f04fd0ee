"""Linear layer on rows: every row of x is a sample.

Formula
    Y = X W + b
    dX = G W^T
    dW = X^T G
    db = sum of the rows of G

Shapes
    x (..., features), W (features, units), b (units,), y (..., units)

Errors
    ValueError where a shape disagrees.

Source
    (004) Linear; (000) and (001) Dense without activation
"""

from reference.rows import over_rows
from reference.shapes import expect


def forward(x, W, b):
    """Y = X W + b."""
    expect(x=(x, "... features"), W=(W, "features units"), b=(b, "units"))
    return x @ W + b


def vjp(cotangent, x, W, b):
    expect(
        x=(x, "... features"),
        W=(W, "features units"),
        b=(b, "units"),
        cotangent=(cotangent, "... units"),
    )
    return {
        "x": cotangent @ W.T,
        "W": over_rows(x, cotangent),
        "b": cotangent.sum(tuple(range(x.ndim - 1))),
    }
