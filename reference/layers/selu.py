"""Scaled exponential linear unit, which keeps activations at mean 0 and variance 1.

Formula
    y = scale elu(x; alpha),  dx = scale delu(x; alpha)
    alpha = 1.67326..., scale = 1.05070...: the fixed point of the paper's equation (14).

Shapes
    x, y: any, the same.

Kinks
    x = 0: the left slope scale alpha.

Errors
    ValueError: cotangent not of x's shape.

Source
    Klambauer, Unterthiner, Mayr and Hochreiter (2017); torch.nn.functional.selu.
"""

from reference.layers import elu

ALPHA = 1.6732632423543772
SCALE = 1.0507009873554805


def forward(x):
    return SCALE * elu.forward(x, alpha=ALPHA)


def vjp(cotangent, x):
    return {"x": SCALE * elu.vjp(cotangent, x, alpha=ALPHA)["x"]}
