"""Runs of document (002) beside torch and odrpack: relu at zero, masks, nolearn, ODR."""

from functools import cache

import numpy as np
import pytest

from reference.schemes import (
    masked_training,
    nolearn,
    odr,
    relu_demo,
)
from reference.schemes.step import last
from suites import torch_schemes
from suites.building import HAS_TORCH, torch
from suites.scheme_runs import FLOAT64, beside, curve, losses, table
from tests.golden import value

pytestmark = pytest.mark.skipif(not HAS_TORCH, reason="the runs are compared with torch's")


@cache
def demo_data():
    r = np.random.RandomState(1)
    x = np.column_stack([r.randn(4, 2), np.ones(4)])
    return x, r.randn(4, 1), r.randn(3, 30), r.randn(30, 1)


@pytest.mark.parametrize("start", ["random", "zero"])
def test_relu_conventions(start, section):
    x, y, w1, w2 = demo_data()
    w1 = w1 if start == "random" else np.zeros_like(w1)
    held = torch.tensor(x), torch.tensor(y)
    rows, curves = [], []
    for c in (0.0, 0.5, 1.0):
        loss = torch_schemes.demo(c)
        steps = relu_demo.train(x, y, w1, w2, at_zero=c)
        ours, far, end = beside(steps, lambda w, _, loss=loss: loss(w, *held), lr=0.002)
        assert far <= 1e-9
        theirs = float(loss(torch_schemes.tensors(end), *held))
        mine = float(relu_demo.loss_and_gradient(ours[-1].weights, x, y, c)[0])
        zeros = sum(relu_demo.zeros_at(s.before, x) for s in ours)
        rows.append((f"loss after 200 steps, relu'(0) = {c:g}", "not printed", mine, theirs))
        rows.append((f"pre-activations at exactly 0, {c:g}", "rarely", str(zeros), str(zeros)))
        curves.append(curve(f"relu'(0) = {c:g}", losses(ours)))
    text = {
        "random": "From random weights no pre-activation is ever exactly zero: the convention "
        "changes nothing, as the answer says.",
        "zero": "From zero weights every pre-activation is exactly zero: under convention 0 the "
        "net never leaves its start. 'Rarely exactly zero' does not hold for special values.",
    }[start]
    section(
        f"relu at zero, {start} start (002)", text=text, table=table(*rows), series=curves, log=True
    )


def test_relu_at_zero_in_torch():
    """What torch's own forms give at zero, as documented."""
    forms = {
        "relu": torch.relu,
        "clamp(min=0)": lambda v: v.clamp(min=0),
        "maximum(v,0)": lambda v: torch.maximum(v, torch.zeros_like(v)),
        "v*(v>0)": lambda v: v * (v > 0),
        "0.5*(v+|v|)": lambda v: 0.5 * (v + v.abs()),
        "leaky(.01)": lambda v: torch.nn.functional.leaky_relu(v, 0.01),
        "where(v>0,v,0)": lambda v: torch.where(v > 0, v, torch.zeros_like(v)),
        "where(v>=0,v,0)": lambda v: torch.where(v >= 0, v, torch.zeros_like(v)),
        "max over stacked dim": lambda v: torch.stack([v, torch.zeros_like(v)]).max(0).values,
        "amax": lambda v: torch.stack([v, torch.zeros_like(v)]).amax(0),
    }
    told = value("torch.relu_at_zero")
    assert forms.keys() == told.keys()
    for name, form in forms.items():
        v = torch.zeros((), dtype=torch.float64, requires_grad=True)
        form(v).backward()
        assert float(v.grad) == told[name], name


def test_masked_training(section):
    rng = np.random.default_rng(0)
    x, target = rng.random((5, 3)), np.ones((5, 2))
    m = np.array([[0, 1], [1, 0], [0, 1]])
    W, b = rng.standard_normal((3, 2)), np.zeros(2)
    held = torch.tensor(x), torch.tensor(target), torch.tensor(m)
    steps = masked_training.train(x, target, m, W, b)
    ours, far, end = beside(steps, lambda w, _: torch_schemes.masked(w, *held), lr=0.1)
    assert far <= FLOAT64
    section(
        "Masked weights (002)",
        text="Gradients are masked with the weights; hidden weights never move under SGD.",
        table=table(
            (
                "ratio of the printed gradient's entries",
                1.1578785,
                value("002.masked.ratio"),
                "x0 / x2",
            ),
            (
                "hidden weight W[0, 0], moved by",
                "",
                float(ours[-1].weights["W"][0, 0] - W[0, 0]),
                float(end["W"][0, 0] - W[0, 0]),
            ),
        ),
        series=[curve("loss", losses(ours))],
        log=True,
    )


def test_nolearn(section):
    """At constant rate and momentum torch's Nesterov; under the schedules by how much it is not."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((120, 4))
    T = np.column_stack([X.sum(1), np.sin(2 * X[:, 0]), X[:, 1] * X[:, 2]])
    known = rng.random(T.shape) < 0.7
    drop = (0.25, 0.1)
    start = {}
    for k, (i, o) in enumerate(((4, 16), (16, 8), (8, 3)), 1):
        start |= {f"W{k}": rng.uniform(-1, 1, (i, o)) * np.sqrt(6 / (i + o)), f"b{k}": np.zeros(o)}
    loss_of = torch_schemes.dropped(drop)
    held = [torch.tensor(a) for a in (X, T, known)]

    def loss(w, step):
        _, rows, kept = step.batch
        masks = {f"kept{k}": torch.tensor(m) for k, m in enumerate(kept, 1)}
        return loss_of(w, *(a[rows] for a in held), **masks)

    gaps, curves = {}, []
    for name, lr, mu in (
        ("constant", (0.02, 0.02), (0.8, 0.8)),
        ("scheduled", (0.02, 1e-4), (0.8, 0.99)),
    ):
        settings = nolearn.Settings(batch=32, epochs=12, lr=lr, momentum=mu, drop=drop)
        steps = nolearn.train(X, T, start, settings, known=known)
        ours, gaps[name], _ = beside(steps, loss, lr=0.02, momentum=0.8, nesterov=True)
        curves.append(curve(f"{name} rates", losses(ours)))
    assert gaps["constant"] <= 1e-9
    assert gaps["scheduled"] > 1e-3
    section(
        "nolearn regressor with unknown targets (002)",
        text="Dropout, Nesterov momentum with the rate inside the velocity, linear schedules, "
        "unknown targets masked out of the loss. The answer's label_binarize and softmax are no "
        "regression.",
        table=table(
            ("distance from torch, constant rates", "", gaps["constant"], 0.0),
            ("distance from torch at its first rate, scheduled", "", gaps["scheduled"], 0.0),
            (
                "rate in epochs 1, 2, 3 as implemented",
                "",
                " ".join(f"{v:.6g}" for v in (0.1, 0.1, value("002.nolearn.lr")[2])),
                "0.1 each",
            ),
        ),
        series=curves,
        log=True,
    )


def odr_fit(y):
    x = np.arange(4.0)
    steps = list(odr.solve(x, y, 1, 5))
    return steps, odr.summary(steps[-1].weights, x, y, 1, 5)


def test_odr_beside_odrpack(section):
    odrpack = pytest.importorskip("odrpack", reason="odrpack is the other solver")
    rng = np.random.default_rng(0)
    for _ in range(6):
        x = rng.standard_normal(9)
        sx, sy = rng.uniform(0.1, 0.5, (2, 9))
        start = rng.uniform(0.5, 3, 2)
        y = start[0] * x + start[1] + 0.1 * rng.standard_normal(9)
        ours = odr.summary(last(odr.solve(x, y, sx, sy, start)).weights, x, y, sx, sy, start)
        theirs = odrpack.odr_fit(
            lambda x, b: b[0] * x + b[1],
            x,
            y,
            start,
            weight_x=sx**-2,
            weight_y=sy**-2,
            diff_scheme="central",
            sstol=1e-15,
        )
        assert ours.sum_square == pytest.approx(theirs.sum_square, rel=1e-9)
        np.testing.assert_allclose(ours.beta, theirs.beta, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(ours.cov, theirs.cov_beta, rtol=1e-3, atol=1e-8)
        np.testing.assert_allclose(ours.sd_beta, theirs.sd_beta, rtol=1e-4)
        assert ours.inv_condnum == pytest.approx(theirs.inv_condnum, rel=1e-4)
    steps, fit = odr_fit(np.array([0.1, 0.9, 2.2, 2.8]))
    _, perfect = odr_fit(np.arange(4.0))
    section(
        "Orthogonal distance regression (002)",
        text="The standard errors are zero because the points lie on the line, whatever the "
        "sigmas; sqrt(diag cov) = 2.28, 4.27 are the errors for sigmas as given. 'Non-zero but "
        "small' holds only for exact data: with noise they are 0.091 and 0.169.",
        table={
            "columns": ["figure", "documented", "ours", "odrpack"],
            "rows": [
                ["cov[0, 0]", "5.20000039", f"{perfect.cov[0, 0]:.9g}", "5.2000004"],
                [
                    "inverse condition",
                    "0.0315397386692",
                    f"{perfect.inv_condnum:.12g}",
                    "0.0315397387",
                ],
                ["sd of the slope, noisy", "not run", f"{fit.sd_beta[0]:.6g}", "0.0905557"],
            ],
        },
        series=[curve("sum of squares, noisy", losses(steps))],
        log=True,
    )
