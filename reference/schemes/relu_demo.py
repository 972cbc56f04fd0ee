"""Full-batch descent of a relu net with a choice of relu'(0). Source: (002), after a torch example.

h = x w1 (the last column of x is the bias), p = relu(h) w2, L = sum (p - y)^2.
dw2 = relu(h)^T g, dw1 = x^T (g w2^T * relu'(h)), g = 2 (p - y); w <- w - 0.002 dw.

From random weights h is never exactly zero and the convention changes nothing, as the answer
says. From w1 = 0, the most common special start, h is zero everywhere: under convention 0 the net
never leaves it, under 1/2 and 1 it learns.
"""

import numpy as np

from reference import shapes
from reference.layers import relu
from reference.losses import mse
from reference.schemes import descent
from reference.schemes.stop import Rule


def loss_and_gradient(weights, x, y, at_zero=1.0):
    """Loss and gradient at {"w1": (features, hidden), "w2": (hidden, outputs)}.

    x "rows features", y "rows outputs"; at_zero: 1 is the live line of the document (`h < 0`).
    """
    w1, w2 = weights["w1"], weights["w2"]
    shapes.expect(
        x=(x, "rows features"),
        w1=(w1, "features hidden"),
        w2=(w2, "hidden outputs"),
        y=(y, "rows outputs"),
    )
    h = x @ w1
    p = relu.forward(h) @ w2
    g = mse.vjp(1.0, p, y, form="sum")["prediction"]
    dh = relu.vjp(g @ w2.T, h, at_zero=at_zero)["x"]
    return mse.forward(p, y, form="sum"), {"w1": x.T @ dh, "w2": relu.forward(h).T @ g}


def train(x, y, w1, w2, *, lr=0.002, steps=200, at_zero=1.0):
    """`steps` steps from `w1`, `w2`; stops early, "diverged", where a number is not finite."""
    descent.rows("x", x)
    rule = Rule(limit=steps, watchful=True)
    return descent.descend(
        lambda weights, _: loss_and_gradient(weights, x, y, at_zero),
        {"w1": np.asarray(w1, float), "w2": np.asarray(w2, float)},
        range(steps),
        rule,
        lr=lr,
    )


def zeros_at(weights, x):
    """How many hidden pre-activations are exactly zero."""
    return int(np.count_nonzero(x @ weights["w1"] == 0))
