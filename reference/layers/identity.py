"""Identity: what comes in goes out, both ways.

Formula
    y = x
    dx = g

Shapes
    x, y (...)

Errors
    ValueError where the cotangent's shape is not x's.

Source
    (003) IdentityLayer, In [5]
"""

from reference.shapes import expect


def forward(x):
    expect(x=(x, "..."))
    return x.copy()


def vjp(cotangent, x):
    expect(x=(x, "..."), cotangent=(cotangent, "..."))
    return {"x": cotangent.copy()}
