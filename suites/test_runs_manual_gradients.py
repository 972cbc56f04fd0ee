"""Runs of document (001) beside torch: scalar descent, SGD, dense layers."""

import random

import numpy as np
import pytest

from reference import philox
from reference.schemes import (
    data,
    dense_sgd,
    descent,
    mlp,
    scalar,
    two_layer,
)
from reference.schemes.stop import Rule
from suites import torch_schemes
from suites.building import HAS_TORCH, torch
from suites.scheme_runs import FLOAT32, FLOAT64, beside, curve, in_torch, losses, table
from tests.golden import value

pytestmark = pytest.mark.skipif(not HAS_TORCH, reason="the runs are compared with torch's")


def test_scalar_descent(section):
    x = np.array([1.0, 2.0])
    held = torch.tensor(x)
    steps = scalar.gradient_descent(x, x)
    ours, far, end = beside(steps, lambda w, _: torch_schemes.scalar(w, held, held), lr=0.1)
    assert far <= FLOAT64
    section(
        "Scalar descent (001)",
        text="Full batch, stops when the weight moves by at most 0.1; w = 1 + 2^-t exactly.",
        table=table(("last weight", 1.0625, float(ours[-1].weights["w"]), float(end["w"]))),
        series=[curve("loss", losses(ours))],
        log=True,
    )


def test_diverging_sgd(section):
    """In float32 torch overflows where ours does: the same finite prefix, bit for bit."""
    x, y = data.line()
    samples = philox.uniform_integers(0, 1999, 42, 30)
    steps = scalar.sgd(x, y, samples, stop="implemented")
    loss = in_torch(torch_schemes.scalar, x, y)
    ours, theirs = [], []
    for step, weights in torch_schemes.run(steps, loss, "SGD", lr=0.001):
        ours.append(step)
        theirs.append(weights["w"].copy())
    np.testing.assert_array_max_ulp(
        np.array([s.weights["w"] for s in ours[:11]]), np.array(theirs[:11]), 4
    )
    assert not np.isfinite(theirs[11])
    printed = value("001.diverge.printed")
    section(
        "Diverging SGD (001)",
        text="1,968 of the 1,999 samples multiply the error by more than one at rate 0.001. The "
        "loss overflows float32 in step 7, the weight in step 12; NaN passes every comparison, so "
        "only the limit of 30 steps ends the run. As intended the run stops, diverged, in step 7.",
        table=table(
            ("weight after step 1", printed[2], float(ours[0].weights["w"]), float(theirs[0])),
            ("weight after step 6", printed[17], float(ours[5].weights["w"]), float(theirs[5])),
            ("loss of step 6", printed[15], float(ours[5].loss), float(ours[5].loss)),
        ),
        series=[curve("loss", [s.loss for s in ours])],
        log=True,
    )


def test_minmax_sgd(section):
    x = data.minmax(data.line()[0])
    samples = philox.uniform_integers(0, 1999, 42, 100, skip=30)
    curves, ends = [], {}
    for word in ("implemented", "intended"):
        steps = scalar.sgd(x, x, samples, lr=0.1, stop=word, rules=scalar.MINMAX_RULES)
        ours, far, end = beside(steps, in_torch(torch_schemes.scalar, x, x), lr=0.1)
        assert far <= FLOAT32
        curves.append(curve(word, losses(ours)))
        ends[word] = float(ours[-1].weights["w"]), float(end["w"]), len(ours)
    section(
        "SGD on min-max data (001)",
        text="The code stops when the loss itself is small (tf.abs(a, b) takes b for a name), in "
        f"step {ends['implemented'][2]}; the rule that was meant, on the loss's change, in step "
        f"{ends['intended'][2]}. The text's own rule, |L - L|, is met at once.",
        table=table(
            ("weight, as implemented", 1.1171395, *ends["implemented"][:2]),
            ("weight, as intended", "not run", *ends["intended"][:2]),
        ),
        series=curves,
        log=True,
    )


def dense(stop, batch):
    stream = np.random.RandomState(42)
    X, y = data.plane(stream)
    W = philox.glorot_uniform((3, 1), random.Random(42))
    pairs = batch > 1 and stop == "implemented"
    rules = dense_sgd.BATCH_RULES if batch > 1 else dense_sgd.SINGLE_RULES
    rows = descent.draw(stream, len(X), batch)
    steps = dense_sgd.sgd(X, y, W, rows, stop=stop, pairs=pairs, rules=rules)
    loss = torch_schemes.pairs if pairs else torch_schemes.dense
    return beside(steps, in_torch(loss, X, y), lr=0.1)


def plane(weights):
    return " ".join(f"{v:.6g}" for v in (*np.ravel(weights["W"]), *weights["b"]))


@pytest.mark.parametrize("batch", [1, 3])
def test_dense_sgd(batch, section):
    rows, curves = [], []
    for word in ("implemented", "intended"):
        ours, far, end = dense(word, batch)
        assert far <= 20 * FLOAT32
        key = f"001.{'dense' if batch == 1 else 'minibatch'}.printed" + ".weights" * (batch == 1)
        told = value(key)[:4] if word == "implemented" else []
        printed = " ".join(f"{v:.6g}" for v in told) or "not run"
        rows.append(
            (f"W, b as {word}, {len(ours)} steps", printed, plane(ours[-1].weights), plane(end))
        )
        curves.append(curve(word, losses(ours)))
    text = (
        "y = 3 x1 + 2 x2 - 7 x3 + 5. The code stops on a small loss of one row, not on its change."
        if batch == 1
        else "The documented run subtracts (3,) from (3, 1): its loss is over all pairs and pulls "
        "the plane towards the batch's mean (expected 0.98, 0.65, -2.29, 4.51). Compared row with "
        "row the same batches give the plane in 17 steps."
    )
    section(
        f"Dense layer, batches of {batch} (001)",
        text=text,
        table=table(*rows),
        series=curves,
        log=True,
    )


def test_two_layers(section):
    X, y = (a.astype(np.float32) for a in data.regression())
    stream = random.Random(42)
    W1, W2 = philox.glorot_uniform((10, 10), stream), philox.glorot_uniform((10, 1), stream)

    def go(stop):
        rows = descent.draw(np.random.RandomState(42), 10, 1)
        return two_layer.train(X, y, W1, W2, rows, stop=stop)

    loss = in_torch(torch_schemes.layers, X, y)
    ours, far, end = beside(go("implemented"), loss, lr=1e-4)
    assert far <= 20 * FLOAT32
    told, seen = value("001.two_layer.predictions")[0], X[4:5]
    theirs = torch_schemes.perceptron(torch_schemes.tensors(end), torch.tensor(seen))
    endless = list(go(Rule(limit=1001)))

    def mse(weights):
        return float(np.mean((mlp.forward(weights, X) - y) ** 2))

    section(
        "Two layers (001)",
        text=f"Stops after {len(ours)} steps because two single-row losses are close; the error is "
        f"then {mse(ours[-1].weights):.4g}. Without the rule 1,001 updates bring it to "
        f"{mse(endless[-1].weights):.2g}.",
        table=table(
            (
                "prediction for row 4",
                told,
                float(mlp.forward(ours[-1].weights, seen)[0, 0]),
                float(theirs),
            ),
        ),
        series=[curve("without stop", losses(endless), 5), curve("documented", losses(ours), 5)],
        log=True,
    )
