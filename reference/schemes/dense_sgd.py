"""One dense layer with a linear unit, SGD on single rows or mini-batches. Source: (001).

p = X W + b, L = mean (p - y)^2, W and b updated from the same gradient.

The document's mini-batch run subtracts targets of shape (B,) from predictions of shape (B, 1), so
its loss is the mean over all B^2 pairs: var p + var t + (mean p - mean t)^2, the true loss plus
2 cov(p, t), with dL/dp_i = 2/B (p_i - mean t). It pulls every prediction towards the batch's mean
target. Drawing B of N rows without replacement, the expected slope is (N - B) / (B (N - 1)) times
the true one. `pairs=True` is that loss; the default compares each row with its own target.
"""

import numpy as np

from reference import shapes
from reference.layers import linear
from reference.losses import mse
from reference.schemes import descent
from reference.schemes import stop as stops
from reference.schemes.stop import Rule

SINGLE_RULES = {
    "written": Rule(stops.loss_against_itself, 0.01),
    "implemented": Rule(stops.loss_itself, 0.01),
    "intended": Rule(stops.loss_change, 0.01, watchful=True),
}
BATCH_RULES = {
    "written": Rule(stops.loss_against_itself, 0.01),
    "implemented": Rule(stops.loss_change, 0.1),
    "intended": Rule(stops.loss_change, 0.1, watchful=True),
}


def loss_and_gradient(weights, X, y, pairs=False):
    """Loss and gradient at {"W": (features, 1), "b": (1,)} for X "rows features", y "rows 1".

    pairs: the documented loss over all pairs of a prediction and a target. Raises ValueError on
    unlike shapes, y of shape (rows,) among them, and on no rows.
    """
    W, b = weights["W"], weights["b"]
    shapes.expect(X=(X, "rows features"), y=(y, "rows 1"))
    p = linear.forward(X, W, b)
    if pairs:
        shapes.some_elements("y", y)
        loss, dp = np.mean((p - y.T) ** 2), 2 * (p - np.mean(y)) / len(y)
    else:
        loss, dp = mse.forward(p, y), mse.vjp(1.0, p, y)["prediction"]
    pulled = linear.vjp(dp, X, W, b)
    return loss, {"W": pulled["W"], "b": pulled["b"]}


def sgd(X, y, W, batches, *, lr=0.1, stop="intended", pairs=False, rules=SINGLE_RULES):
    """Steps from kernel `W` and bias 0 over `batches`, index arrays into the rows.

    Single rows: `batches=descent.draw(random, len(X), 1)`. For mini-batches pass
    `rules=BATCH_RULES`, whose margin is the document's 0.1.
    """
    descent.rows("X", X)
    shapes.expect(X=(X, "rows features"), y=(y, "rows 1"))
    weights = {"W": W, "b": np.zeros(1, dtype=W.dtype)}

    def objective(weights, rows):
        return loss_and_gradient(weights, X[rows], y[rows], pairs)

    return descent.descend(objective, weights, batches, stops.pick(stop, rules), lr=lr)
