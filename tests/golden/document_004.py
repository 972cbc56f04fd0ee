"""What the library computes for document (004): the tutorial's net, by hand and with PuzzleLib."""

from functools import cache

import numpy as np

from reference.schemes import data, mlp, puzzlelib, tutorial

RUNS = {
    "size5_steps1000_batch100": (5, 100),
    "size100_steps1000_batch100": (100, 100),
    "size5_steps1000_batch10": (5, 10),
}


@cache
def run(size, batch=100, seed=1234):
    return list(tutorial.train(size, batch=batch, seed=seed))


@cache
def library(size, epochs):
    return list(puzzlelib.train(size, epochs=epochs))


def predicted(weights):
    return mlp.forward(weights, data.sine()[0])[:, 0]


def loss(weights):
    """Half the mean squared error on all 1,024 points."""
    return 0.5 * np.mean((data.sine()[1][:, 0] - predicted(weights)) ** 2)


def _run(key, size, batch):
    def steps():
        return run(size, batch)

    found = {
        "starts": lambda: [s.batch[0] for s in steps()[:5]],
        "before": lambda: loss(steps()[0].before),
        "after": lambda: loss(steps()[-1].weights),
        "first_batch": lambda: steps()[0].loss,
        "last_batch": lambda: steps()[-1].loss,
        "mean_last100": lambda: np.mean([s.loss for s in steps()[-100:]]),
        "pred_before": lambda: predicted(steps()[0].before)[[0, 511, 1023]],
        "pred_after": lambda: predicted(steps()[-1].weights)[[0, 511, 1023]],
        "w1_first": lambda: steps()[-1].weights["W1"][0, :3],
        "w2_first": lambda: steps()[-1].weights["W2"][:3, 0],
        "b2": lambda: steps()[-1].weights["b2"],
        "max_abs_after": lambda: np.abs(
            predicted(steps()[-1].weights) - data.sine()[1][:, 0]
        ).max(),
    }
    return {f"004.{key}.{name}": compute for name, compute in found.items()}


def seeds(size, count=20, batch=100, lr=0.01):
    """Minimum, 10th, 25th, 50th, 75th, 90th percentile and maximum over seeds 0 to 19.

    All seeds at once, written out; `test_seeds_are_the_scheme` holds it against the scheme.
    """
    return np.percentile(
        after_training(size, range(count), batch, lr), [0, 10, 25, 50, 75, 90, 100]
    )


def after_training(size, seeds, batch=100, lr=0.01, steps=1000):
    """`loss` after training, one a seed."""
    streams = [np.random.RandomState(seed) for seed in seeds]
    W = np.array([r.randn(1, size) for r in streams])
    V = np.array([r.randn(size, 1) for r in streams])
    b, c = np.zeros((len(W), 1, size)), np.zeros((len(W), 1, 1))
    X, Y = data.sine()
    order = np.array([r.permutation(len(X)) for r in streams])
    starts = np.array([[r.randint(0, 1000 - batch) for _ in range(steps)] for r in streams])
    for k in range(steps):
        rows = order[np.arange(len(W))[:, None], starts[:, k : k + 1] + np.arange(batch)]
        x, y = X[rows], Y[rows].astype(np.float32)
        h = np.maximum(x @ W + b, 0)
        g = (h @ V + c - y) / batch
        d = g @ V.transpose(0, 2, 1) * (h > 0)
        V, c = V - lr * (h.transpose(0, 2, 1) @ g), c - lr * g.sum(1, keepdims=True)
        W, b = W - lr * (x.transpose(0, 2, 1) @ d), b - lr * d.sum(1, keepdims=True)
    error = np.maximum(X @ W + b, 0) @ V + c - Y
    return 0.5 * (error**2).mean((1, 2))


def epochs(size, count):
    steps = library(size, count)
    mean = puzzlelib.epoch_errors(steps)
    middle = predicted(steps[-1].weights)[511]
    return np.array([loss(steps[0].before), loss(steps[-1].weights), mean[0], mean[-1], middle])


def negative_zero():
    """Of data * (data > 0): at -3 and -inf; of maximum: at -inf; of both: at nan."""
    with np.errstate(invalid="ignore"):
        x = np.array([-3.0, -np.inf, np.nan])
        masked, largest = x * (x > 0), np.maximum(x, 0)
    found = masked[0], masked[1], largest[1], masked[2], largest[2]
    return [str(float(v)) for v in found]


COMPUTED = {
    **{k: v for key, sizes in RUNS.items() for k, v in _run(key, *sizes).items()},
    **{f"004.seeds_0_19.{size}": lambda size=size: seeds(size) for size in (5, 100)},
    **{
        f"004.puzzlelib.{size}.{count}": lambda size=size, count=count: epochs(size, count)
        for size in (5, 100)
        for count in (1, 10)
    },
    "004.negative_zero": negative_zero,
}
