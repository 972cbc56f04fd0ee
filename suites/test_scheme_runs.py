"""Whole runs of the documented schemes beside torch's own, and what each says in the report.

Weights after every step are those of a torch run of the same scheme, within the bound each test
names; where the two differ only by rounding, that bound is what rounding does to this run.
"""

import random
from functools import cache
from itertools import islice

import numpy as np
import pytest

from reference import philox
from reference.schemes import (
    baseline,
    bench,
    data,
    dense_sgd,
    descent,
    lift,
    masked_training,
    mlp,
    nolearn,
    odr,
    puzzlelib,
    relu_demo,
    scalar,
    tutorial,
    two_layer,
)
from reference.schemes.components import Affinity, Network
from reference.schemes.step import last
from reference.schemes.stop import Rule
from suites import torch_schemes
from suites.building import HAS_TORCH, torch
from tests.golden import value

pytestmark = pytest.mark.skipif(not HAS_TORCH, reason="the runs are compared with torch's")

FLOAT64 = 1e-12
FLOAT32 = 2e-6


def beside(steps, loss, optimizer="SGD", **options):
    """(our steps, largest relative distance of torch's weights from ours over the run, its last)."""
    ours, far, end = [], 0.0, None
    for step, end in torch_schemes.run(steps, loss, optimizer, **options):
        ours.append(step)
        far = max(far, torch_schemes.apart(step.weights, end))
    return ours, far, {k: w.copy() for k, w in end.items()}


def table(*rows):
    return {"columns": ["figure", "documented", "ours", "torch"], "rows": [_row(r) for r in rows]}


def _row(row):
    return [cell if isinstance(cell, str) else f"{cell:.8g}" for cell in row]


def curve(name, losses, every=1):
    """Losses by step, finite ones; zero has no place on a logarithmic axis."""
    shown = [(k + 1, float(v)) for k, v in enumerate(losses) if np.isfinite(v) and v > 0][::every]
    return {"name": name, "x": [k for k, _ in shown], "y": [v for _, v in shown]}


def losses(steps):
    return [float(np.mean(s.loss)) for s in steps]


def in_torch(loss, *arrays):
    """loss(weights, rows of the arrays that the step used)."""
    held = [torch.tensor(a) for a in arrays]
    return lambda w, step: loss(w, *(a[step.batch] for a in held))


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
        text="The code stops when the loss itself is small (tf.abs(a, b) takes b for a name), after "
        f"{ends['implemented'][2]} steps; the rule that was meant, on the change of the loss, after "
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
        else "The documented run subtracts (3,) from (3, 1): its loss is over all pairs, which pulls "
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
        "zero": "From zero weights every pre-activation is exactly zero: under convention 0 the net "
        "never leaves its start. 'Rarely exactly zero' does not hold for special values.",
    }[start]
    section(
        f"relu at zero, {start} start (002)", text=text, table=table(*rows), series=curves, log=True
    )


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
    x, target = ours[-1].batch
    before = torch_schemes.tensors(end)
    potential = tested.learning_potential()
    section(
        "Component network on its bench (003)",
        text="In [14]'s affine layer learns the identity; the printed nan, -30.5 and 17.5 came from "
        "other states of the notebook. Rolled back in place, the network and the notebook's name "
        "for it stay one; the documented rollback trains a copy.",
        table=table(
            (
                "learning potential, identity",
                "not replayable",
                potential,
                -float(np.log(ours[-1].loss)),
            ),
            (
                "error left at the last fact",
                "",
                float(ours[-1].loss),
                float(loss(before, ours[-1])),
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
        text="Macro-batches of 1,000 and 24 rows, momentum 0.9 with the rate inside the velocity: at "
        "a constant rate the same as torch's.",
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
        text="Dropout, Nesterov momentum with the rate inside the velocity, linear schedules, unknown "
        "targets masked out of the loss. The answer's label_binarize and softmax are no regression.",
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
        text="The standard errors are zero because the points lie on the line, whatever the sigmas; "
        "sqrt(diag cov) = 2.28, 4.27 are the errors for sigmas as given. 'Non-zero but small' holds "
        "only for exact data: with noise they are 0.091 and 0.169.",
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
    far = 0.0
    for step, theirs in zip(lift.train(X, y, start), torch_run, strict=True):
        ours = {k: w[0] for k, w in step.weights.items()}
        far = max(
            far, torch_schemes.apart(ours, {k: w.detach().numpy() for k, w in theirs.items()})
        )
    assert far <= 1e-9
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
            ]
        )
    far_text = f"torch over 250 samples: within {far:.1e} of ours, relative to each array."
    section(
        "Lift and its baselines after one epoch (000)",
        text=f"Mean squared error on the test rows, ten seeds. {far_text} The same hypernetwork "
        "trained end to end does as well: the gain is the architecture, not the rule.",
        table={
            "columns": ["network", "documented", "ours: median (range)", "out of range"],
            "rows": rows,
        },
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
