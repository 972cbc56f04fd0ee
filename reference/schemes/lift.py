"""A network that learns the weights of another: Lift 3-10(relu)-26 over Task 3-5(relu)-1. (000).

For each sample, in data order: w = Lift(x) are the Task's weights; one RMSprop step of the Task on
(f - y)^2 gives t, with a running mean square that lives on although the weights are overwritten;
t, held constant, is the target of one RMSprop step of Lift on the mean over 26 of (Lift(x) - t)^2.

Laws: w - t is lr g for an inner SGD, so the Lift gradient is 2 lr / 26 times the true gradient of
the hypernetwork; for an inner RMSprop it is a diagonally scaled one. f is piecewise cubic in x, so
far outside the data its squared error grows with the sixth power of the scale.

`rule="end_to_end"` trains the same hypernetwork on (f - y)^2 itself: the control that shows what
the documented rule adds.
"""

from typing import Any, NamedTuple

import numpy as np

from reference import shapes
from reference.layers import lift as lift_layer
from reference.losses import mse
from reference.schemes import descent
from reference.schemes.flat import Parameters, RMSprop, glorot
from reference.schemes.step import Step

LAYOUT = {"A": (3, 10), "a": (10,), "B": (10, 26), "c": (26,)}
RULES = "target", "end_to_end"


class Sample(NamedTuple):
    """What a step saw: x (3,), y, the target weights t (seeds, 26), the Task's loss (seeds,)."""

    x: Any
    y: Any
    target: Any
    task_loss: Any


def start(seeds):
    """Glorot kernels and zero biases, (seeds, ...) each, from RandomState(seed)."""
    return glorot(LAYOUT, seeds)


def loss_and_gradient(weights, x, target):
    """Lift's loss mean (w - t)^2 and gradient at {"A", "a", "B", "c"}, the target held constant.

    x (batch, 3), target (batch, 26). Written with the layers; `train` is the same in place.
    """
    w = lift_layer.forward(x, **weights)
    dw = mse.vjp(1.0, w, target)["prediction"]
    pulled = lift_layer.vjp(dw, x, **weights)
    return mse.forward(w, target), {name: pulled[name] for name in weights}


def train(X, y, weights, **options):
    """Steps over the samples in order, one network a seed. Options as for `Learner`.

    X (samples, 3), y (samples,); weights (seeds, ...) as from `start`. The loss of a step is
    (seeds,), its arrays (seeds, ...). Ends with "limit" at the last sample, or "diverged".
    """
    X, y = _data(X, y)
    learner = Learner(weights, **options)
    lift, gradient = learner.lift, learner.gradient
    before = lift.views(lift.vector.copy())
    for number, (x, target) in enumerate(zip(X, y, strict=True), 1):
        loss, sample = learner.learn(x, target)
        after = lift.views(lift.vector.copy())
        stopped = "limit" if number == len(X) else None
        stopped = stopped if np.isfinite(loss).all() else "diverged"
        moved = lift.views(gradient.vector.copy())
        yield Step(number, before, moved, loss, after, sample, stopped)
        if stopped:
            return
        before = after


def fit(X, y, weights, **options):
    """The weights after one pass over the samples, without a Step for each. As `train`."""
    X, y = _data(X, y)
    learner = Learner(weights, **options)
    for x, target in zip(X, y, strict=True):
        learner.learn(x, target)
    return learner.lift.view


def predict(weights, X):
    """Predictions f (seeds, samples) for X (samples, 3): Task(Lift(x))(x)."""
    dtype = weights["A"].dtype
    X = np.asarray(X, dtype=dtype)
    h = np.maximum(X @ weights["A"] + weights["a"][:, None], 0)
    w = h @ weights["B"] + weights["c"][:, None]
    W1 = w[..., :15].reshape(*w.shape[:-1], 3, 5)
    hidden = np.maximum((X[:, None] @ W1)[..., 0, :] + w[..., 15:20], 0)
    return (hidden * w[..., 20:25]).sum(-1) + w[..., 25]


class Learner:
    """Lift networks and the running means of both optimizers; `learn` takes one sample."""

    def __init__(
        self, weights, *, rule="target", inner="rmsprop", lr=0.001, dtype=float, **rmsprop
    ):
        """rule: "target" as documented, or "end_to_end". inner: "rmsprop" or "sgd", the Task's
        step. rmsprop: rho, epsilon and epsilon_at of both optimizers. dtype: of everything."""
        shapes.one_of("rule", rule, RULES)
        shapes.one_of("inner", inner, ("rmsprop", "sgd"))
        self.rule, self.inner = rule, inner
        self.lift = Parameters(LAYOUT, weights, dtype)
        self.gradient = Parameters(LAYOUT, weights, dtype)
        self.outer_step = RMSprop(self.lift.vector, lr, **rmsprop)
        self.g = np.zeros_like(self.lift.view["c"])
        self.inner_step = RMSprop(self.g, lr, **rmsprop)
        self.scale = self.g.dtype.type(2 / self.g.shape[-1])

    def learn(self, x, y):
        """One sample, x (3,) and a number y. Returns (loss (seeds,), Sample)."""
        view = self.lift.view
        x = x.astype(self.g.dtype, copy=False)
        h = np.maximum(x @ view["A"] + view["a"], 0)
        w = (h[:, None] @ view["B"])[:, 0] + view["c"]
        task_loss = self._task_gradient(x, y, w)
        step = self._inner_move()
        loss, u = self._outer_signal(step, task_loss)
        self._pull(x, h, u)
        self.lift.vector -= self.outer_step.move(self.gradient.vector)
        return loss, Sample(x, y, w - step, task_loss)

    def _task_gradient(self, x, y, w):
        """Fill g with the gradient of (f - y)^2 at the Task's weights w; return that loss."""
        g, W2 = self.g, w[:, 20:25]
        hidden = np.maximum(x @ w[:, :15].reshape(-1, 3, 5) + w[:, 15:20], 0)
        error = (hidden * W2).sum(-1) + w[:, 25] - y
        e = 2 * error[:, None]
        g[:, 25:] = e
        np.multiply(e, hidden, out=g[:, 20:25])
        dz = np.multiply(e * W2, hidden > 0, out=g[:, 15:20])
        np.multiply(x[:, None], dz[:, None], out=g[:, :15].reshape(-1, 3, 5))
        return error * error

    def _inner_move(self):
        """The difference w - t: what the Task's own step takes off its weights."""
        if self.inner == "sgd":
            return self.inner_step.lr * self.g
        return self.inner_step.move(self.g)

    def _outer_signal(self, step, task_loss):
        """Lift's loss and its gradient at w."""
        if self.rule == "end_to_end":
            return task_loss, self.g
        return (step * step).mean(-1), self.scale * step

    def _pull(self, x, h, u):
        """Fill the gradient vector from the gradient u at w."""
        to = self.gradient.view
        np.multiply(h[:, :, None], u[:, None], out=to["B"])
        to["c"][...] = u
        back = (self.lift.view["B"] @ u[:, :, None])[:, :, 0]
        dz = np.multiply(back, h > 0, out=to["a"])
        np.multiply(x[:, None], dz[:, None], out=to["A"])


def _data(X, y):
    X, y = descent.rows("X", X), np.asarray(y)
    shapes.expect(X=(X, "samples 3"), y=(y, "samples"))
    return X, y
