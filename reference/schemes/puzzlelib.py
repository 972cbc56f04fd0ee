"""The tutorial's library version: whole epochs, momentum, macro-batches on the host. Source: (004).

The net and the loss of `tutorial`. Weights are drawn as float32 and the update is classical
momentum with the rate inside the velocity, v <- 0.9 v - lr g, w <- w + v.

An epoch takes macro-batches of 1,000 rows (1,000 and 24) in random order, and within each its
mini-batches in random order; the last mini-batch of the smaller one has 4 rows. PuzzleLib's own
cost returns the negative gradient and its optimizers add, which is the same step.
"""

import numpy as np

from reference import shapes
from reference.optimizers import momentum
from reference.schemes import data, descent, tutorial
from reference.schemes.stop import Rule


def train(size, *, epochs=1, batch=10, lr=0.01, macro=1000, seed=1234):
    """Steps on the sine of `data.sine`, in float64; a step's batch is (epoch, rows).

    Raises ValueError on sizes below 1, and on a batch that no macro-batch fills.
    """
    for name, value in (("epochs", epochs), ("batch", batch), ("macro", macro)):
        shapes.at_least(name, value, 1)
    most = min(macro, len(data.sine()[0]))
    if batch > most:
        raise ValueError(f"batch is {batch} and a macro-batch has {most} rows: it must not be more")
    random = np.random.RandomState(seed)
    weights = {k: w.astype(float) for k, w in tutorial.start(random, size, np.float32).items()}
    X, Y = data.sine()
    order = random.permutation(len(X))
    X, y = X[order], Y[order].astype(np.float32)

    def objective(weights, batch):
        _, rows = batch
        return tutorial.loss_and_gradient(weights, X[rows], y[rows])

    batches = list(_epochs(random, len(X), epochs, batch, macro))
    rule = Rule(watchful=True)
    return descent.descend(objective, weights, batches, rule, lr=lr, update=momentum.step)


def _epochs(random, size, epochs, batch, macro):
    for epoch in range(1, epochs + 1):
        for first in random.permutation(-(-size // macro)) * macro:
            rows = np.arange(first, min(first + macro, size))
            for n in random.permutation(-(-len(rows) // batch)):
                yield epoch, rows[n * batch : (n + 1) * batch]


def epoch_errors(steps):
    """The mean loss of each epoch, weighted by the rows of its mini-batches."""
    sums = {}
    for step in steps:
        epoch, rows = step.batch
        total, count = sums.get(epoch, (0.0, 0))
        sums[epoch] = total + float(step.loss) * len(rows), count + len(rows)
    return [total / count for total, count in sums.values()]
