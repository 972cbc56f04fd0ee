"""A regressor of several outputs with dropout, as nolearn trains it. Source: (002).

Hidden layers with Lasagne's rectifier (x + |x|) / 2, so relu'(0) = 1/2, each followed by inverted
dropout; a linear output; L = mean (p - t)^2 over all elements, or over the known ones. Nesterov
momentum with the rate inside the velocity; rate and momentum move linearly from epoch to epoch;
the first fifth of the rows is held out, and training stops when its loss has not improved for
`patience` epochs, with the best weights kept.

For targets of which only some are known the answer's label_binarize and softmax are no regression:
the outputs stay linear and unknown targets are masked out of the loss. A 1-D target is one output.
"""

from dataclasses import dataclass

import numpy as np

from reference import shapes
from reference.layers import dropout, linear, relu
from reference.losses import masked_mse
from reference.optimizers import leafwise, nesterov, schedules
from reference.optimizers.early_stopping import EarlyStopping
from reference.schemes import descent, mlp
from reference.schemes.step import Step, last

AT_ZERO = 0.5


@dataclass(frozen=True)
class Settings:
    """batch: rows a step. epochs: at most. lr, momentum: (first, last) of the linear schedules,
    from epoch to epoch; schedule "implemented" is nolearn's AdjustVariable, whose epochs 1 and 2
    are alike. patience: epochs. drop: the probability to drop after each hidden layer.
    """

    batch: int = 128
    epochs: int = 1000
    lr: tuple = (0.1, 0.001)
    momentum: tuple = (0.8, 0.999)
    schedule: str = "intended"
    patience: int = 200
    drop: tuple = (0.25, 0.25, 0.25, 0.1)

    def rates(self):
        """Pairs (rate, momentum), one an epoch."""
        shapes.one_of("schedule", self.schedule, ("implemented", "intended"))
        line = schedules.linear if self.schedule == "intended" else schedules.adjust_variable
        return zip(line(*self.lr, self.epochs), line(*self.momentum, self.epochs), strict=True)


def loss_and_gradient(weights, X, target, known, kept=(), drop=()):
    """Loss over the known targets and its gradient at {"W1", "b1", ...}.

    X "rows features", target and known "rows outputs"; kept: a mask (rows, hidden) of 0 and 1 for
    each hidden layer, drop: its probabilities; without them dropout is off.
    """
    h, z = _forward(weights, X, kept, drop)
    g = masked_mse.vjp(1.0, z[-1], target, known)["prediction"]
    gradient = {}
    for k in range(len(z), 0, -1):
        pulled = linear.vjp(g, h[k - 1], weights[f"W{k}"], weights[f"b{k}"])
        gradient |= {f"W{k}": pulled["W"], f"b{k}": pulled["b"]}
        if k > 1:
            g = pulled["x"]
            if kept:
                g = dropout.vjp(g, np.maximum(z[k - 2], 0), kept[k - 2], rate=drop[k - 2])["x"]
            g = relu.vjp(g, z[k - 2], at_zero=AT_ZERO)["x"]
    return masked_mse.forward(z[-1], target, known), gradient


def _forward(weights, X, kept=(), drop=()):
    """The layers' inputs and pre-activations."""
    count = mlp.depth(weights)
    if kept and not len(kept) == len(drop) == count - 1:
        raise ValueError(f"{len(kept)} masks and {len(drop)} rates for {count - 1} hidden layers")
    inputs, z = [X], []
    for k in range(1, count + 1):
        z.append(linear.forward(inputs[-1], weights[f"W{k}"], weights[f"b{k}"]))
        h = relu.forward(z[-1])
        inputs.append(dropout.forward(h, kept[k - 1], rate=drop[k - 1]) if kept[k - 1 :] else h)
    return inputs[:-1], z


def predict(weights, X):
    """Predictions p (rows, outputs), dropout off."""
    return mlp.forward(weights, X)


def split(rows, share=0.2):
    """(training, validation) indices: the first of 1 / share unshuffled folds is held out."""
    folds = round(1 / share)
    if rows < folds:
        raise ValueError(f"there are {rows} rows: at least {folds} are needed to hold one out")
    held = rows // folds + (rows % folds > 0)
    return np.arange(held, rows), np.arange(held)


def train(X, target, weights, settings, *, known=None, seed=0, early=None):
    """Steps, one a mini-batch in order; a step's batch is (epoch, rows, dropout masks).

    X (rows, features); target (rows, outputs) or (rows,) for one output; known: a mask of the
    target's shape. The last step says "patience", "limit" or "diverged", the last where the loss
    on the held-out rows is not finite either; early.best_weights are the weights to keep, for an
    `early` passed in: `fit` returns those.
    """
    X = descent.rows("X", X)
    target, known = _columns(target, known)
    outputs = weights[f"W{mlp.depth(weights)}"]
    shapes.expect(
        X=(X, "rows features"),
        W=(outputs, "hidden outputs"),
        target=(target, "rows outputs"),
        known=(known, "rows outputs"),
    )
    rows, held = split(len(X))
    if not 1 <= settings.batch <= len(rows):
        raise ValueError(f"batch is {settings.batch} and there are {len(rows)} rows to train on")
    early = EarlyStopping(settings.patience) if early is None else early
    return _run(X, target, known, weights, settings, np.random.RandomState(seed), early, rows, held)


def fit(X, target, weights, settings, **options):
    """(the best epoch's weights, restored as nolearn does; the last step). Options as for `train`.

    Raises ValueError where the run diverged before an epoch ended: there is nothing to restore.
    """
    early = EarlyStopping(settings.patience)
    end = last(train(X, target, weights, settings, early=early, **options))
    if early.best_weights is None:
        raise ValueError(f"the run {end.stopped} in step {end.number}: no epoch had a finite loss")
    return early.best_weights, end


def _run(X, target, known, weights, settings, random, early, rows, held):
    state, number = None, 0
    for epoch, (lr, momentum) in enumerate(settings.rates(), 1):
        batches = [rows[i : i + settings.batch] for i in range(0, len(rows), settings.batch)]
        for batch in batches:
            number += 1
            kept = _masks(random, weights, settings.drop, len(batch))
            with np.errstate(over="ignore", invalid="ignore"):
                loss, gradient = loss_and_gradient(
                    weights, X[batch], target[batch], known[batch], kept, settings.drop
                )
                after, state = leafwise(nesterov.step)(
                    weights, gradient, state, lr=lr, momentum=momentum
                )
            step = Step(number, weights, gradient, loss, after, (epoch, batch, kept))
            weights = after
            stopped = None if step.finite() else "diverged"
            if batch is batches[-1] and not stopped:
                valid = masked_mse.forward(predict(weights, X[held]), target[held], known[held])
                impatient = early.observe(epoch, valid, weights)
                stopped = _verdict(impatient, epoch, settings) if np.isfinite(valid) else "diverged"
            yield Step(number, step.before, gradient, loss, after, step.batch, stopped)
            if stopped:
                return


def _verdict(impatient, epoch, settings):
    if impatient:
        return "patience"
    return "limit" if epoch == settings.epochs else None


def _masks(random, weights, drop, rows):
    widths = [weights[f"b{k}"].size for k in range(1, mlp.depth(weights))]
    return [random.random_sample((rows, w)) >= p for w, p in zip(widths, drop, strict=True)]


def _columns(target, known):
    target = np.asarray(target, dtype=float)
    target = target[:, None] if target.ndim == 1 else target
    known = np.ones(target.shape, bool) if known is None else np.asarray(known)
    return target, known[:, None] if known.ndim == 1 else known
