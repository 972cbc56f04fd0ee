"""Runs of document (000) beside torch: Lift, its baselines, and what explains its figures."""

from functools import cache
from itertools import islice

import numpy as np
import pytest

from reference.schemes import (
    baseline,
    data,
    lift,
)
from suites import torch_schemes
from suites.building import HAS_TORCH, torch
from suites.scheme_runs import beside, losses, table

pytestmark = pytest.mark.skipif(not HAS_TORCH, reason="the runs are compared with torch's")


@cache
def lifts():
    """Ten Lift networks and the two baselines after one epoch; errors in and out of range."""
    tables, seeds = data.lift(), range(10)
    X, y = tables["train"]
    order = baseline.orders(seeds, len(X), 1)[0]
    made = {"Lift": (lift.predict, lift.fit(X, y, lift.start(seeds)))}
    made["end to end"] = lift.predict, lift.fit(X, y, lift.start(seeds), rule="end_to_end")
    for name, sizes in (
        ("test1", baseline.TEST1),
        ("test2", baseline.TEST2),
        ("335 weights", (3, 16, 15, 1)),
    ):
        net = baseline.fit(X, y, baseline.start(sizes, seeds), order).net.view
        made[name] = baseline.predict, net

    def errors(name, where):
        predict, weights = made[name]
        X, y = tables[where]
        return ((predict(weights, X) - y) ** 2).mean(-1)

    return made, errors


def test_lift_beside_torch(section):
    """250 samples in eager torch with the same start; then what one epoch of ten seeds says."""
    X, y = (a[:250] for a in data.lift()["train"])
    start = lift.start([0])
    torch_run = torch_schemes.lift_run(X, y, {k: w[0] for k, w in start.items()})
    far, step, theirs = 0.0, None, None
    for step, theirs in zip(lift.train(X, y, start), torch_run, strict=True):
        ours = {k: w[0] for k, w in step.weights.items()}
        far = max(
            far, torch_schemes.apart(ours, {k: w.detach().numpy() for k, w in theirs.items()})
        )
    assert far <= 1e-9
    end = {k: w.detach().numpy()[None] for k, w in theirs.items()}
    seen, targets = data.lift()["test"]
    short = [float(np.mean((lift.predict(w, seen)[0] - targets) ** 2)) for w in (step.weights, end)]
    _, errors = lifts()
    told = {"Lift": 11.751248024717423, "test1": 577.8288923440286, "test2": 299.96931042965923}
    rows = []
    for name in ("Lift", "test1", "test2", "335 weights", "end to end"):
        found = np.sort(errors(name, "test"))
        low, middle, high = found[0], np.median(found), found[-1]
        printed = f"{told[name]:.6g}" if name in told else "not run"
        rows.append(
            [
                name,
                printed,
                f"{middle:.4g} ({low:.4g} to {high:.4g})",
                f"{np.median(errors(name, 'far')):.3g}",
                "",
            ]
        )
    rows.append(
        ["Lift after 250 samples, one seed", "not run", f"{short[0]:.6g}", "", f"{short[1]:.6g}"]
    )
    far_text = f"Over 250 samples torch's weights stay within {far:.1e} of ours, relative to each."
    section(
        "Lift and its baselines after one epoch (000)",
        text=f"Mean squared error on the test rows, ten seeds. {far_text} The same hypernetwork "
        "trained end to end does as well: the gain is the architecture, not the rule.",
        table={
            "columns": ["network", "documented", "ours: median (range)", "out of range", "torch"],
            "rows": rows,
        },
    )


def beside_torch(sizes, samples):
    """One baseline over the first samples: (our steps, the largest distance, torch's weights)."""
    X, y = (a[:samples] for a in data.lift()["train"])
    order = baseline.orders([0], samples, 1)[0]
    steps = baseline.train(X, y, baseline.start(sizes, [0]), order)
    held = torch.tensor(X), torch.tensor(y)[:, None]

    def loss(weights, step):
        return torch_schemes.layers(
            {k: w[0] for k, w in weights.items()}, *(a[step.batch] for a in held)
        )

    return beside(steps, loss, "RMSprop", lr=0.001, alpha=0.9, eps=1e-7)


def test_baselines_beside_torch(section):
    """1,000 samples of test1 and test2 in eager torch, in the same random order."""
    X, y = data.lift()["test"]
    rows, curves = [], []
    for name, sizes, told in (
        ("test1", baseline.TEST1, 577.8288923440286),
        ("test2", baseline.TEST2, 299.96931042965923),
    ):
        ours, far, end = beside_torch(sizes, 1000)
        assert far <= 1e-9
        found = [
            float(np.mean((baseline.predict(w, X)[0] - y) ** 2)) for w in (ours[-1].weights, end)
        ]
        rows.append((f"{name}, error after 1,000 samples", f"{told:.6g} after 10,000", *found))
        blocks = np.array(losses(ours)).reshape(50, 20).mean(1)
        at = np.arange(20, 1001, 20).tolist()
        curves.append({"name": name, "x": at, "y": blocks.tolist()})
    section(
        "Baselines of Lift (000)",
        text="test1 is 3-5-1, test2 3-10-10-1, each trained on single samples with RMSprop. "
        "Squared error before each update, mean of 20.",
        table=table(*rows),
        series=curves,
        log=True,
    )


def test_lift_true_function_against_the_fit(section):
    """Cubic out of range: the fit leaves the quadratic, the relu nets go on in straight lines."""
    made, _ = lifts()
    for title, low, high in (("in range", 0, 10), ("out of range", 100, 200)):
        s = np.linspace(low, high, 60)
        points = np.column_stack([s, s, s])
        shown = [{"name": "x^2 + 2 y z", "x": s.tolist(), "y": (3 * s * s).tolist()}]
        for name in ("Lift", "test1", "test2"):
            predict, weights = made[name]
            middle = np.median(predict(weights, points), axis=0)
            shown.append({"name": name, "x": s.tolist(), "y": middle.tolist()})
        section(
            f"Lift against the true function, {title} (000)",
            text="Along x = y = z, the median of ten seeds after one epoch.",
            series=shown,
        )
    predict, weights = made["Lift"]
    s = np.linspace(400, 800, 5)[:, None] * np.ones(3)
    fourth = np.abs(np.diff(predict(weights, s), 4)) / np.abs(predict(weights, s)).max(
        -1, keepdims=True
    )
    assert np.median(fourth) < 1e-9


def test_lift_learning_curve(section):
    X, y = data.lift()["train"]
    steps = islice(lift.train(X, y, lift.start([0])), 10000)
    seen = np.array([float(s.batch.task_loss[0]) for s in steps])
    blocks = seen.reshape(100, 100).mean(1)
    assert blocks[-10:].mean() < 0.1 * blocks[:10].mean()
    at = np.arange(100, 10001, 100)
    section(
        "Lift: learning curve (000)",
        text="Squared error before each sample's update, mean of 100.",
        series=[{"name": "squared error", "x": at.tolist(), "y": blocks.tolist()}],
        log=True,
    )
