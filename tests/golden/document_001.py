"""What the library computes for document (001): manual gradients."""

import random
from functools import cache

import numpy as np

from reference import philox
from reference.layers import scalar_weight
from reference.schemes import data, dense_sgd, descent, mlp, scalar, two_layer
from reference.schemes.step import last
from reference.schemes.stop import Rule
from tests.golden import value


@cache
def descent_run(dtype=np.float64):
    x = np.array([1, 2], dtype)
    return x, list(scalar.gradient_descent(x, x, stop="implemented"))


def weights(steps, start=None):
    after = [s.weights["w"] for s in steps]
    return np.array(after if start is None else [start, *after])


def losses(steps):
    return np.array([s.loss for s in steps])


def losses_and_the_last():
    x, steps = descent_run()
    return np.append(losses(steps), scalar.loss_and_gradient(steps[-1].weights, x, x)[0])


@cache
def draws():
    return philox.uniform_integers(0, 1999, 42, 230)


@cache
def diverging():
    x, y = data.line()
    return list(scalar.sgd(x, y, draws()[:30], stop="implemented"))


def trace():
    return np.array([[s.loss, s.gradient["w"], s.weights["w"]] for s in diverging()])


@cache
def minmax(stop):
    x = data.minmax(data.line()[0])
    rules = scalar.MINMAX_RULES
    return list(scalar.sgd(x, x, draws()[30:], lr=0.1, stop=stop, rules=rules))


def minmax_printed():
    steps = minmax("implemented")
    return np.array([2.0, steps[-1].weights["w"], steps[0].loss, steps[-1].loss])


@cache
def dense(stop, batch=1, dtype=np.float32):
    stream = np.random.RandomState(42)
    X, y = data.plane(stream, dtype)
    W = philox.glorot_uniform((3, 1), random.Random(42)).astype(dtype)
    batches = descent.draw(stream, len(X), batch)
    options = {"rules": dense_sgd.BATCH_RULES, "pairs": stop == "implemented"} if batch > 1 else {}
    return list(dense_sgd.sgd(X, y, W, batches, stop=stop, **options))


def plane(steps):
    """Kernel and bias after the last step."""
    after = steps[-1].weights
    return np.append(after["W"][:, 0], after["b"])


def batches(steps):
    return [s.batch.tolist() for s in steps]


def data_row():
    X, y = data.plane(np.random.RandomState(42), float)
    return np.append(X[0], y[0])


def pairs_fixed_point():
    """The least-squares solution of the loss over all pairs, over random batches of 3."""
    X, y = data.plane(np.random.RandomState(42), float)
    N, B = len(X), 3
    w = (N - B) / (B * (N - 1)) * np.array([3.0, 2, -7])
    return np.append(w, y.mean() - X.mean(0) @ w)


@cache
def kernels():
    stream = random.Random(42)
    return philox.glorot_uniform((10, 10), stream), philox.glorot_uniform((10, 1), stream)


@cache
def two_layers(dtype=np.float32, stop="implemented"):
    stream = np.random.RandomState(42)
    X, y = (a.astype(dtype) for a in data.regression())
    W1, W2 = (W.astype(dtype) for W in kernels())
    rows = descent.draw(stream, len(X), 1)
    return X, y, stream, list(two_layer.train(X, y, W1, W2, rows, stop=stop))


@cache
def sampled():
    """The ten predictions the document prints, drawn after training: row, prediction, target."""
    X, _, stream, steps = two_layers()
    y = data.regression()[1]
    rows = [int(stream.choice(len(X), size=1, replace=False)[0]) for _ in range(10)]
    predicted = mlp.forward(steps[-1].weights, X[rows])[:, 0]
    return np.column_stack([rows, predicted, y[rows, 0]])


def mse(run):
    X, y, _, steps = run
    return np.mean((mlp.forward(steps[-1].weights, X) - y) ** 2)


@cache
def endless():
    return two_layers(float, Rule(limit=1001))


def seeded(seed, stop):
    """The last step of the two-layer net, weights and rows from RandomState(seed)."""
    X, y = data.regression()
    random = np.random.RandomState(seed)
    W1, W2 = (random.uniform(-1, 1, s) * np.sqrt(6 / sum(s)) for s in ((10, 10), (10, 1)))
    return last(two_layer.train(X, y, W1, W2, descent.draw(random, 10, 1), stop=stop))


@cache
def seeds(stop="implemented", count=40):
    """(steps, mean squared error, what stopped it), one a seed."""
    X, y = data.regression()
    ends = [seeded(seed, stop) for seed in range(count)]
    errors = [np.mean((mlp.forward(end.weights, X) - y) ** 2) for end in ends]
    return [end.number for end in ends], errors, [end.stopped for end in ends]


def one_weight():
    return np.array([scalar_weight.forward(np.array(3.0), np.array(2.0))] * 2)


def _dense(run, stop):
    key = f"001.dense.{run}"
    return {
        f"{key}.steps": lambda: len(dense(stop)),
        f"{key}.indices": lambda: [b[0] for b in batches(dense(stop))],
        f"{key}.W": lambda: plane(dense(stop))[:3],
        f"{key}.b": lambda: plane(dense(stop))[3:],
        f"{key}.losses": lambda: losses(dense(stop)),
        f"{key}.first_loss": lambda: dense(stop)[0].loss,
    }


def _minibatch(run, stop):
    key = f"001.minibatch.{run}"
    return {
        f"{key}.steps": lambda: len(dense(stop, 3)),
        f"{key}.first_batches": lambda: batches(dense(stop, 3)[:3]),
        f"{key}.weights": lambda: plane(dense(stop, 3)),
        f"{key}.losses": lambda: losses(dense(stop, 3))[[0, -1]],
        f"{key}.float64.steps": lambda: len(dense(stop, 3, float)),
        f"{key}.float64": lambda: np.append(
            plane(dense(stop, 3, float)), dense(stop, 3, float)[-1].loss
        ),
    }


def _bad(values):
    return int(np.argmin(np.isfinite(values)))


COMPUTED = {
    "001.scalar.weights": lambda: weights(descent_run()[1], 2.0),
    "001.scalar.weights_float32": lambda: weights(descent_run(np.float32)[1], 2.0),
    "001.scalar.losses_numpy_and_tf_loop": losses_and_the_last,
    "001.scalar.losses_tape_and_model_loops": lambda: losses(descent_run()[1]),
    "001.scalar.gradients": lambda: np.array([s.gradient["w"] for s in descent_run()[1]]),
    "001.simple_model": one_weight,
    "001.diverge.indices": lambda: draws()[:30],
    "001.diverge.samples": lambda: [int(data.line()[0][s.batch]) for s in diverging()],
    "001.diverge.printed": lambda: trace()[:7].ravel()[: len(value("001.diverge.printed"))],
    "001.diverge.trace": trace,
    "001.diverge.first_infinite_loss": lambda: _bad(trace()[:, 0]),
    "001.diverge.first_nonfinite_weight": lambda: _bad(trace()[:, 2]),
    "001.diverge.samples_that_diverge": lambda: int((data.line()[0] ** 2 > 1000).sum()),
    "001.minmax.indices": lambda: draws()[30 : 30 + len(minmax("implemented"))],
    "001.minmax.steps": lambda: len(minmax("implemented")),
    "001.minmax.printed": minmax_printed,
    "001.minmax.weights": lambda: weights(minmax("implemented")),
    "001.minmax.losses": lambda: losses(minmax("implemented")),
    "001.minmax.intended.steps": lambda: len(minmax("intended")),
    "001.minmax.intended.final": lambda: np.array(
        [minmax("intended")[-1].weights["w"], minmax("intended")[-1].loss]
    ),
    "001.dense.start": lambda: dense("implemented")[0].before["W"][:, 0],
    "001.dense.data_row": data_row,
    **_dense("as_run", "implemented"),
    **_dense("intended", "intended"),
    "001.dense.printed.weights": lambda: np.append(
        plane(dense("implemented")), dense("implemented")[0].loss
    ),
    "001.dense.printed.last_loss": lambda: dense("implemented")[-1].loss,
    **_minibatch("as_run", "implemented"),
    **_minibatch("intended", "intended"),
    "001.minibatch.printed": lambda: np.append(
        plane(dense("implemented", 3)), losses(dense("implemented", 3))[[0, -1]]
    ),
    "001.minibatch.fixed_point": pairs_fixed_point,
    "001.two_layer.W1": lambda: kernels()[0],
    "001.two_layer.W2": lambda: kernels()[1][:, 0],
    "001.two_layer.steps": lambda: len(two_layers()[3]),
    "001.two_layer.stopped": lambda: two_layers()[3][-1].stopped,
    "001.two_layer.indices": lambda: [b[0] for b in batches(two_layers()[3])],
    "001.two_layer.first_loss": lambda: two_layers()[3][0].loss,
    "001.two_layer.last_losses": lambda: losses(two_layers()[3])[-2:],
    "001.two_layer.predictions": lambda: sampled()[:, 1],
    "001.two_layer.replayed": sampled,
    "001.two_layer.float64.W2": lambda: two_layers(float)[3][-1].weights["W2"][:, 0],
    "001.two_layer.float64.b2": lambda: two_layers(float)[3][-1].weights["b2"],
    "001.two_layer.float64.mse": lambda: mse(two_layers(float)),
    "001.two_layer.without_stop.steps": lambda: len(endless()[3]),
    "001.two_layer.without_stop.mse": lambda: mse(endless()),
    "001.two_layer.seeds.by_margin": lambda: seeds()[2].count("margin"),
    "001.two_layer.seeds.steps": lambda: np.median(seeds()[0]),
    "001.two_layer.seeds.mse": lambda: np.median(seeds()[1]),
    "001.two_layer.seeds.mse_without_stop": lambda: np.median(seeds(Rule(limit=1001), 10)[1]),
    "001.two_layer.variance": lambda: np.var(data.regression()[1]),
    "philox.first12": lambda: draws()[:12],
    "philox.glorot": lambda: philox.glorot_uniform((3, 1), random.Random(42))[:, 0],
    "philox.python_seeds": lambda: [random.Random(42).randint(1, 10**9), second_seed()],
}


def second_seed():
    stream = random.Random(42)
    stream.randint(1, 10**9)
    return stream.randint(1, 10**9)
