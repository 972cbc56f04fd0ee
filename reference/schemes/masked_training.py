"""Descent of a layer whose weights are multiplied by a fixed mask of 0 and 1. Source: (002).

y = relu(x (m * W) + b), L = mean (y - t)^2; dW = m * (the dense gradient). Under SGD the layer
behaves as if the masked connections were removed: hidden weights stay where they are. Coupled
weight decay still shrinks them, which changes nothing that can be seen.
"""

import numpy as np

from reference import shapes
from reference.layers import masked_dense
from reference.losses import mse
from reference.optimizers import sgd, weight_decay
from reference.schemes import descent
from reference.schemes.stop import Rule


def loss_and_gradient(weights, x, target, mask):
    """Loss and gradient at {"W": (features, units), "b": (units,)}.

    x "rows features", target "rows units", mask "features units".
    """
    y = masked_dense.forward(x, weights["W"], weights["b"], mask)
    dy = mse.vjp(1.0, y, target)["prediction"]
    pulled = masked_dense.vjp(dy, x, weights["W"], weights["b"], mask)
    return mse.forward(y, target), {"W": pulled["W"], "b": pulled["b"]}


def train(x, target, mask, W, b, *, lr=0.1, steps=100, decay=0.0):
    """`steps` full-batch steps; decay is coupled. Ends with "limit" or "diverged"."""
    descent.rows("x", x)
    shapes.at_least("steps", steps, 1)
    weights = {"W": np.array(W, dtype=float), "b": np.array(b, dtype=float)}

    def objective(weights, _):
        return loss_and_gradient(weights, x, target, mask)

    rule = Rule(watchful=True)
    update = weight_decay.coupled(sgd.step, decay)
    return descent.descend(objective, weights, range(steps), rule, lr=lr, update=update)
