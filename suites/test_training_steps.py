"""Every scheme's own steps, replayed: loss and update against numerical gradients and torch.optim.

`check_training` differentiates a scheme's loss numerically at the weights of each step, and asks
torch's optimizer, or the reference's where torch has no such form, what it makes of that.
"""

from functools import partial
from itertools import islice

import numpy as np
import pytest

from gradcheck import check_training
from gradcheck.pytest_plugin import session_of
from reference.optimizers import nesterov, rmsprop
from reference.schemes import (
    baseline,
    data,
    dense_sgd,
    descent,
    lift,
    masked_training,
    nolearn,
    puzzlelib,
    relu_demo,
    scalar,
    tutorial,
    two_layer,
)
from reference.schemes.components import Affinity, Map, Network
from reference.schemes.stop import Rule
from suites.building import HAS_TORCH, torch

pytestmark = pytest.mark.skipif(not HAS_TORCH, reason="torch.optim is what updates are held to")

TAKEN = 12
ENDLESS = Rule()
RNG = np.random.default_rng(5)
X, Y = RNG.standard_normal((12, 3)), RNG.standard_normal((12, 1))
V = X[:, 0]
W1, W2 = RNG.standard_normal((3, 4)), RNG.standard_normal((4, 1))
TARGET = RNG.standard_normal((12, 4))
MASK = np.array([[0, 1, 1, 0], [1, 0, 1, 1], [0, 1, 0, 1]])
FACTS = list(zip(X, RNG.standard_normal((12, 2)), strict=True))
KNOWN = RNG.random((12, 1)) < 0.8
DROP = (0.25,)


def rows(batch):
    return descent.draw(np.random.RandomState(0), 12, batch)


def optim(name, **options):
    return partial(getattr(torch.optim, name), **options)


def scalar_descent():
    steps = scalar.gradient_descent(V, V, stop=ENDLESS)
    return steps, lambda w, _: scalar.loss_and_gradient(w, V, V)[0], 0.1, optim("SGD")


def scalar_sgd():
    steps = scalar.sgd(V, V, range(12), lr=0.05, stop=ENDLESS)
    return (
        steps,
        lambda w, i: scalar.loss_and_gradient(w, V[i : i + 1], V[i : i + 1])[0],
        0.05,
        optim("SGD"),
    )


def dense(batch, pairs):
    steps = dense_sgd.sgd(X, Y, W1[:, :1], rows(batch), stop=ENDLESS, pairs=pairs)
    return (
        steps,
        lambda w, at: dense_sgd.loss_and_gradient(w, X[at], Y[at], pairs)[0],
        0.1,
        optim("SGD"),
    )


def two_layers():
    steps = two_layer.train(X, Y, W1, W2, rows(1), lr=1e-3, stop=ENDLESS)
    return steps, lambda w, at: two_layer.loss_and_gradient(w, X[at], Y[at])[0], 1e-3, optim("SGD")


def demo():
    steps = relu_demo.train(X, Y, W1, W2)
    return steps, lambda w, _: relu_demo.loss_and_gradient(w, X, Y)[0], 0.002, optim("SGD")


def masked():
    steps = masked_training.train(X, TARGET, MASK, W1, np.zeros(4), decay=0.1)
    return (
        steps,
        lambda w, _: masked_training.loss_and_gradient(w, X, TARGET, MASK)[0],
        0.1,
        optim("SGD", weight_decay=0.1),
    )


def cascade():
    tanh = Map(np.tanh, lambda x: (1 + np.tanh(x)) * (1 - np.tanh(x)))
    random = np.random.RandomState(0)
    return Network([Affinity.drawn(3, 4, random), tanh, Affinity.drawn(4, 2, random)])


def components():
    def loss(weights, fact):
        net = cascade()
        for name, value in weights.items():
            net.layers[int(name[1:]) - 1].weights[name[0]][...] = value
        return net.loss_and_gradient(*fact)[0]

    return cascade().learn(FACTS), loss, 0.1, optim("SGD")


def sine(dtype):
    """The tutorial's rows in the order of its seed."""
    random = np.random.RandomState(1234)
    tutorial.start(random, 4, dtype)
    inputs, targets = data.sine()
    order = random.permutation(len(inputs))
    return inputs[order], targets[order].astype(np.float32)


def tutorial_net():
    inputs, targets = sine(float)

    def loss(w, window):
        at = slice(*window)
        return tutorial.loss_and_gradient(w, inputs[at], targets[at])[0]

    return tutorial.train(4, batch=10), loss, 0.01, optim("SGD")


def puzzlelib_net():
    inputs, targets = sine(np.float32)

    def loss(w, batch):
        return tutorial.loss_and_gradient(w, inputs[batch[1]], targets[batch[1]])[0]

    return puzzlelib.train(4), loss, 0.01, optim("SGD", momentum=0.9)


def regressor(lr, like):
    """Batches of 3 of the 9 rows that are not held out: 3 steps an epoch."""
    settings = nolearn.Settings(batch=3, epochs=4, drop=DROP, momentum=(0.8, 0.8), lr=lr)
    start = {"W1": W1, "b1": np.zeros(4), "W2": W2, "b2": np.zeros(1)}

    def loss(w, batch):
        _, at, kept = batch
        return nolearn.loss_and_gradient(w, X[at], Y[at], KNOWN[at], kept, DROP)[0]

    rates = np.repeat([rate for rate, _ in settings.rates()], 3)
    return nolearn.train(X, Y, start, settings, known=KNOWN), loss, rates, like


def lift_net(where, like):
    table = data.lift(size=TAKEN + 1)["train"]
    steps = lift.train(*table, lift.start([0]), epsilon_at=where)

    def loss(w, sample):
        return lift.loss_and_gradient(w, sample.x[None], sample.target)[0]

    return steps, loss, 0.001, like


def baseline_net():
    inputs, targets = data.lift(size=TAKEN)["train"]
    start = baseline.start(baseline.TEST2, [0])
    steps = baseline.train(inputs, targets, start, np.arange(TAKEN)[None])

    def loss(w, at):
        return baseline.loss_and_gradient(w, inputs[at], targets[at, None])[0]

    return steps, loss, 0.001, optim("RMSprop", alpha=0.9, eps=1e-7)


# name: (a run and what it is held to, the name of that)
SCHEMES = {
    "scalar descent (001)": (scalar_descent, "SGD"),
    "scalar SGD (001)": (scalar_sgd, "SGD"),
    "dense SGD (001)": (partial(dense, 1, False), "SGD"),
    "mini-batches over pairs (001)": (partial(dense, 3, True), "SGD"),
    "mini-batches (001)": (partial(dense, 3, False), "SGD"),
    "two layers (001)": (two_layers, "SGD"),
    "relu demo (002)": (demo, "SGD"),
    "masked weights, decay (002)": (masked, "SGD, weight decay"),
    "component network (003)": (components, "SGD"),
    "tutorial net (004)": (tutorial_net, "SGD"),
    "PuzzleLib trainer (004)": (puzzlelib_net, "SGD, momentum"),
    "nolearn, constant rate (002)": (
        lambda: regressor((0.02, 0.02), optim("SGD", momentum=0.8, nesterov=True)),
        "SGD, Nesterov",
    ),
    "nolearn, linear rate (002)": (
        lambda: regressor((0.05, 0.001), partial(nesterov.step, momentum=0.8)),
        "reference nesterov",
    ),
    "Lift (000)": (
        lambda: lift_net("outside", optim("RMSprop", alpha=0.9, eps=1e-7)),
        "RMSprop",
    ),
    "Lift as in Keras 3 (000)": (
        lambda: lift_net("inside", partial(rmsprop.step, epsilon_at="inside")),
        "reference rmsprop",
    ),
    "baseline test2 (000)": (baseline_net, "RMSprop"),
}


def single(arrays):
    """One network's, of those under a leading axis."""
    return {name: array[0] for name, array in arrays.items()}


def replayed(steps):
    """(a step that is taken from the run, its first weights, its batches)."""
    taken = list(islice(steps, TAKEN))
    many = np.ndim(taken[0].loss) == 1
    recorded = [
        (single(s.before), single(s.weights), s.loss[0]) if many else (s.before, s.weights, s.loss)
        for s in taken
    ]
    following = iter(recorded)

    def step(weights, _):
        before, after, loss = next(following)
        for name, array in before.items():
            np.testing.assert_array_equal(weights[name], array)
        return after, loss

    return step, recorded[0][0], [s.batch for s in taken]


@pytest.fixture
def seed(request):
    """The seed of the run: it draws the entries that later steps are judged at."""
    return session_of(request.config).seed


def verify(name, seed, faster=1.0):
    """The report of a replay; held to rates that are `faster` times its own."""
    steps, loss, lr, like = SCHEMES[name][0]()
    step, start, batches = replayed(steps)
    rates = np.full(len(batches), lr) * faster
    few = 1 if sum(a.size for a in start.values()) > 100 else 3  # the cost is the entries' number
    return check_training(
        step,
        start,
        lr=rates,
        like=like,
        loss=loss,
        batches=batches,
        steps=few,
        seed=seed,
        name=name,
    )


def test_the_steps_of_every_scheme(section, seed):
    table = []
    for name, (_, held) in SCHEMES.items():
        report = verify(name, seed)
        report.raise_if_failed()
        seen = min(report.detectable.values())
        table.append([name, held, report.verdict, f"{seen:.0e}"])
    section(
        "Steps of every scheme",
        text="Loss and update of each scheme's own steps; the gradient is numerical, the update "
        "what the optimizer makes of it. Three steps entry by entry (one of the larger nets), nine "
        "more at a few entries.",
        table={"columns": ["scheme", "update held to", "verdict", "detectable"], "rows": table},
    )


@pytest.mark.parametrize("name", SCHEMES)
def test_a_wrong_rate_would_be_seen(name, seed):
    """The same replay, held to one part in a million more."""
    assert not verify(name, seed, 1 + 1e-6).passed
