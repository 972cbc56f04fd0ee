"""The tutorial's NumPy net: 1-size(relu)-1 on a sine, random contiguous batches. Source: (004).

p = relu(X W1 + b1) W2 + b2, L = mean (p - y)^2 / 2 over all elements, dp = (p - y) / elements.
All layers go backward before any is updated.

The rows are shuffled once; each step takes `batch` consecutive ones from a start drawn below
1000 - batch. The 1000 is fixed while there are 1,024 rows, and the bound is exclusive: 25 rows are
never seen. `rows_drawn=None` draws from all of them.
"""

import numpy as np

from reference import shapes
from reference.losses import mse
from reference.schemes import data, descent, mlp
from reference.schemes.stop import Rule


def loss_and_gradient(weights, X, y):
    """Loss and gradient at {"W1", "b1", "W2", "b2"} for X "rows inputs", y "rows outputs"."""
    shapes.expect(X=(X, "rows inputs"), y=(y, "rows outputs"))
    z = mlp.trace(weights, X)
    dp = mse.vjp(1.0, z[-1], y, form="half mean")["prediction"]
    return mse.forward(z[-1], y, form="half mean"), mlp.vjp(dp, weights, X, z)


def start(random, size, dtype=float):
    """N(0, 1) kernels and zero biases, drawn in the document's order."""
    shapes.at_least("size", size, 1)
    W1, W2 = random.randn(1, size).astype(dtype), random.randn(size, 1).astype(dtype)
    return {"W1": W1, "b1": np.zeros(size), "W2": W2, "b2": np.zeros(1)}


def train(size, *, steps=1000, batch=10, lr=0.01, seed=1234, rows_drawn=1000):
    """Steps on the sine of `data.sine`; a step's batch is (start, stop) in the shuffled rows."""
    random = np.random.RandomState(seed)
    weights = start(random, size)
    X = data.sine()[0]
    X = X[random.permutation(len(X))]
    y = (2 * np.sin(X.astype(float)) + 5).astype(np.float32)
    windows = contiguous(random, len(X), batch, rows_drawn)

    def objective(weights, window):
        rows = slice(*window)
        return loss_and_gradient(weights, X[rows], y[rows])

    rule = Rule(limit=steps, watchful=True)
    return descent.descend(objective, weights, windows, rule, lr=lr)


def contiguous(random, size, batch, rows_drawn=1000):
    """Endless (start, stop) windows of `batch` rows. Raises ValueError where it does not fit."""
    bound = size - batch + 1 if rows_drawn is None else rows_drawn - batch
    if batch < 1 or bound < 1 or bound - 1 + batch > size:
        raise ValueError(f"batch is {batch}: it does not fit {rows_drawn or size} of {size} rows")
    while True:
        first = int(random.randint(0, bound))
        yield first, first + batch
