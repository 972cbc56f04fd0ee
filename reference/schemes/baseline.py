"""Small relu networks trained with RMSprop on one sample at a time: what (000) compares Lift with.

test1 is 3-5-1 (26 parameters), test2 is 3-10-10-1 (161). L = (p - y)^2, relu'(0) = 0; the samples
are visited in a new random order every epoch, as Keras's fit does.
"""

from itertools import pairwise

import numpy as np

from reference import shapes
from reference.losses import mse
from reference.schemes import descent, mlp
from reference.schemes.flat import Parameters, RMSprop, glorot
from reference.schemes.step import Step

TEST1 = 3, 5, 1
TEST2 = 3, 10, 10, 1


def layout(sizes):
    """Shapes by name, W1 (inputs, hidden), b1 (hidden,), ... for layer sizes of one output."""
    if len(sizes) < 2 or min(sizes) < 1 or sizes[-1] != 1:
        raise ValueError(f"sizes are {sizes}: at least two, each at least 1, the last one 1")
    shape = {}
    for k, pair in enumerate(pairwise(sizes), 1):
        shape |= {f"W{k}": pair, f"b{k}": pair[1:]}
    return shape


def start(sizes, seeds):
    """Glorot kernels and zero biases, (seeds, ...) each, from RandomState(seed)."""
    return glorot(layout(sizes), seeds)


def loss_and_gradient(weights, X, y):
    """Loss and gradient of one network at {"W1", "b1", ...} for X "rows features", y "rows 1".

    Written with the layers; `train` is the same in place.
    """
    z = mlp.trace(weights, X)
    dp = mse.vjp(1.0, z[-1], y)["prediction"]
    return mse.forward(z[-1], y), mlp.vjp(dp, weights, X, z)


def orders(seeds, size, epochs):
    """Visiting orders (epochs, seeds, size), from RandomState(seed + 1000) for each seed."""
    shapes.at_least("epochs", epochs, 1)
    streams = [np.random.RandomState(seed + 1000) for seed in seeds]
    return np.array([[s.permutation(size) for s in streams] for _ in range(epochs)])


def train(X, y, weights, order, **options):
    """Steps, one a sample, every network at its own one. Options as for `Learner`.

    X (samples, features), y (samples,); weights (seeds, ...); order (seeds, steps) of indices.
    """
    learner = Learner(weights, **options)
    net, gradient = learner.net, learner.gradient
    before = net.views(net.vector.copy())
    columns = _columns(X, y, order, net)
    for number, (x, target, rows) in enumerate(columns, 1):
        loss = learner.learn(x, target)
        after = net.views(net.vector.copy())
        stopped = "limit" if number == np.shape(order)[1] else None
        stopped = stopped if np.isfinite(loss).all() else "diverged"
        moved = net.views(gradient.vector.copy())
        yield Step(number, before, moved, loss, after, rows, stopped)
        if stopped:
            return
        before = after


def fit(X, y, weights, order, learner=None, **options):
    """The learner after the samples of `order`, without a Step for each; a given one goes on."""
    learner = learner or Learner(weights, **options)
    for x, target, _ in _columns(X, y, order, learner.net):
        learner.learn(x, target)
    return learner


def predict(weights, X):
    """Predictions (seeds, samples) for X (samples, features)."""
    h = np.asarray(X, dtype=weights["W1"].dtype)
    for k in range(1, mlp.depth(weights) + 1):
        h = (np.maximum(h, 0) if k > 1 else h) @ weights[f"W{k}"] + weights[f"b{k}"][:, None]
    return h[..., 0]


class Learner:
    """Networks and the running means of their optimizer; `learn` takes a sample for each."""

    def __init__(self, weights, *, dtype=float, **rmsprop):
        """weights: (seeds, ...) by name. rmsprop: lr, rho, epsilon, epsilon_at."""
        shape = {name: np.shape(w)[1:] for name, w in weights.items()}
        self.depth = mlp.depth(weights)
        self.net = Parameters(shape, weights, dtype)
        self.gradient = Parameters(shape, weights, dtype)
        self.step = RMSprop(self.net.vector, **rmsprop)

    def learn(self, x, y):
        """One sample for each network: x (seeds, features), y (seeds,).

        Returns the losses (seeds,) before the update.
        """
        view, to = self.net.view, self.gradient.view
        inputs = []
        h = x[:, None]
        for k in range(1, self.depth + 1):
            inputs.append(h)
            z = h @ view[f"W{k}"]
            z += view[f"b{k}"][:, None]
            h = np.maximum(z, 0)
        error = z[:, 0, 0] - y
        d = 2 * error[:, None, None]
        for k in range(self.depth, 0, -1):
            np.multiply(inputs[k - 1].transpose(0, 2, 1), d, out=to[f"W{k}"])
            to[f"b{k}"][...] = d[:, 0]
            if k > 1:
                d = (d @ view[f"W{k}"].transpose(0, 2, 1)) * (inputs[k - 1] > 0)
        self.net.vector -= self.step.move(self.gradient.vector)
        return error * error


def _columns(X, y, order, net):
    X, y, order = descent.rows("X", X), np.asarray(y), np.asarray(order)
    shapes.expect(
        X=(X, "samples features"),
        y=(y, "samples"),
        W1=(net.view["W1"], "seeds features hidden"),
        order=(order, "seeds steps"),
    )
    dtype = net.vector.dtype
    X, y = X.astype(dtype), y.astype(dtype)
    for rows in order.T:
        yield X[rows], y[rows], rows
