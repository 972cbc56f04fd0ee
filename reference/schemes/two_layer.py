"""Two dense layers, 10-10(relu)-1, one row a step, all four updated from one point. Source: (001).

h = relu(X W1 + b1), p = h W2 + b2, L = mean (p - y)^2; relu'(0) = 0.

The loop stops when two losses of consecutive single rows differ by at most 0.1, which says little
about convergence, or when a counter tested before it is raised reaches 1,000: up to 1,001 updates.
"""

import numpy as np

from reference import shapes
from reference.losses import mse
from reference.schemes import descent, mlp
from reference.schemes import stop as stops
from reference.schemes.stop import Rule

RULES = {
    "written": Rule(stops.loss_against_itself, 0.1, limit=1000),
    "implemented": Rule(stops.loss_change, 0.1, limit=1001),
    "intended": Rule(stops.loss_change, 0.1, limit=1000, watchful=True),
}


def loss_and_gradient(weights, X, y):
    """Loss and gradient at {"W1", "b1", "W2", "b2"} for X "rows features", y "rows outputs"."""
    shapes.expect(X=(X, "rows features"), y=(y, "rows outputs"))
    z = mlp.trace(weights, X)
    dp = mse.vjp(1.0, z[-1], y)["prediction"]
    return mse.forward(z[-1], y), mlp.vjp(dp, weights, X, z)


def train(X, y, W1, W2, batches, *, lr=1e-4, stop="intended"):
    """Steps from kernels `W1`, `W2` and zero biases; `batches` are index arrays into the rows."""
    descent.rows("X", X)
    shapes.expect(
        X=(X, "rows features"),
        W1=(W1, "features hidden"),
        W2=(W2, "hidden outputs"),
        y=(y, "rows outputs"),
    )
    zeros = {f"b{k}": np.zeros(W.shape[1], W.dtype) for k, W in enumerate((W1, W2), 1)}
    weights = {"W1": W1, "W2": W2, **zeros}

    def objective(weights, rows):
        return loss_and_gradient(weights, X[rows], y[rows])

    return descent.descend(objective, weights, batches, stops.pick(stop, RULES), lr=lr)
