"""Runs of documents (003) and (004) beside torch: component network, tutorial, PuzzleLib."""

import numpy as np
import pytest

from reference.schemes import (
    bench,
    data,
    mlp,
    puzzlelib,
    tutorial,
)
from reference.schemes.components import Affinity, Network
from suites import torch_schemes
from suites.building import HAS_TORCH, torch
from suites.scheme_runs import FLOAT64, beside, curve, losses, table

pytestmark = pytest.mark.skipif(not HAS_TORCH, reason="the runs are compared with torch's")


def test_component_network(section):
    parameters = (
        [[-0.21533062, 0.28402263], [-0.28379346, -1.35249073]],
        [0.61141609, -1.15769416],
    )
    tested = bench.Bench(Network([Affinity(*parameters)]))

    def loss(w, step):
        x, target = (torch.tensor(a) for a in step.batch)
        e = w["M1"] @ x + w["b1"] - target
        return e @ e / 2

    ours, far, end = beside(tested.learn(100), loss, lr=0.1)
    assert far <= FLOAT64
    tested.rollback()
    potential = tested.learning_potential()
    section(
        "Component network on its bench (003)",
        text="In [14]'s affine layer learns the identity; the printed nan, -30.5 and 17.5 came "
        "from other states of the notebook. Rolled back in place, network and notebook stay one;"
        " the documented rollback trains a copy.",
        table=table(
            (
                "learning potential, identity",
                "not replayable",
                potential,
                -float(np.log(ours[-1].loss)),
            ),
            (
                "M[0, 0] after 100 facts",
                "",
                float(ours[-1].weights["M1"][0, 0]),
                float(end["M1"][0, 0]),
            ),
        ),
        series=[curve(f"alpha = {a:g}", tested.curve(alpha=a)) for a in (0.01, 0.1, 0.3)]
        + [curve("alpha = 0.1, smoothed", tested.curve(alpha=0.1, smooth=3))],
        log=True,
    )


def sine_loss(weights):
    X, Y = data.sine()
    return float(0.5 * np.mean((mlp.forward(weights, X) - Y) ** 2))


def test_tutorial(section):
    rows, curves, fits = [], [], []
    X, Y = data.sine()
    for size in (5, 100):
        order = np.random.RandomState(1234)
        tutorial.start(order, size)
        shuffled = X[order.permutation(len(X))]
        y = (2 * np.sin(shuffled.astype(float)) + 5).astype(np.float32)
        held = torch.tensor(shuffled.astype(float)), torch.tensor(y.astype(float))

        def loss(w, step, held=held):
            return torch_schemes.half(w, *(a[slice(*step.batch)] for a in held))

        ours, far, end = beside(tutorial.train(size, batch=100), loss, lr=0.01)
        assert far <= 1e-9
        rows.append(
            (
                f"half mean square, {size} units",
                "plot only",
                sine_loss(ours[-1].weights),
                sine_loss(end),
            )
        )
        curves.append(curve(f"{size} units", losses(ours), 5))
        fits.append(_fit(f"{size} units", ours[-1].weights, X))
    section(
        "Tutorial net (004)",
        text="Random contiguous batches of 100; 25 of 1,024 rows are never drawn.",
        table=table(*rows),
        series=curves,
        log=True,
    )
    target = {"name": "2 sin x + 5", "x": X[::16, 0].tolist(), "y": Y[::16, 0].tolist()}
    section("Tutorial net: the fit (004)", text="After 1,000 steps.", series=[target, *fits])


def _fit(name, weights, X):
    return {"name": name, "x": X[::16, 0].tolist(), "y": mlp.forward(weights, X)[::16, 0].tolist()}


def test_puzzlelib(section):
    order = np.random.RandomState(1234)
    tutorial.start(order, 5)
    X, Y = data.sine()
    rows = order.permutation(len(X))
    held = (
        torch.tensor(X[rows].astype(float)),
        torch.tensor(Y[rows].astype(np.float32).astype(float)),
    )

    def loss(w, step):
        return torch_schemes.half(w, *(a[step.batch[1]] for a in held))

    ours, far, end = beside(puzzlelib.train(5, epochs=3), loss, lr=0.01, momentum=0.9)
    assert far <= 1e-9
    errors = puzzlelib.epoch_errors(puzzlelib.train(5, epochs=10))
    section(
        "PuzzleLib's trainer (004)",
        text="Macro-batches of 1,000 and 24 rows, momentum 0.9 with the rate inside the velocity: "
        "at a constant rate the same as torch's.",
        table=table(
            (
                "half mean square after 3 epochs",
                "plot only",
                sine_loss(ours[-1].weights),
                sine_loss(end),
            )
        ),
        series=[curve("mean error of the epoch", errors)],
        log=True,
    )
