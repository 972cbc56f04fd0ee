"""Document (002): masked weights, the nolearn regressor, orthogonal distance regression."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from reference.optimizers.early_stopping import EarlyStopping
from reference.schemes import masked_training, nolearn, odr
from reference.schemes.step import last

SEEDS = st.integers(0, 2**31 - 1)
MASK = np.array([[0, 1], [1, 0], [0, 1]])


def layer(seed, rows=5):
    rng = np.random.default_rng(seed)
    return (
        rng.random((rows, 3)),
        np.ones((rows, 2)),
        MASK,
        rng.standard_normal((3, 2)),
        np.zeros(2),
    )


@given(SEEDS)
def test_masked_weights_behave_as_removed(seed):
    """The hidden weights never move, and whatever they are makes no difference."""
    x, t, mask, W, b = layer(seed)
    one = list(masked_training.train(x, t, mask, W, b, steps=10))
    other = list(masked_training.train(x, t, mask, W + 5 * (1 - mask), b, steps=10))
    for s, o in zip(one, other, strict=True):
        assert s.loss == o.loss
        np.testing.assert_array_equal(s.weights["W"][mask == 0], W[mask == 0])
        np.testing.assert_array_equal(s.weights["W"] * mask, o.weights["W"] * mask)


def test_coupled_decay_moves_what_is_hidden_and_nothing_shows():
    x, t, mask, W, b = layer(0)
    plain = list(masked_training.train(x, t, mask, W, b, steps=10, decay=0.1))
    hidden = plain[-1].weights["W"][mask == 0]
    np.testing.assert_allclose(hidden, W[mask == 0] * (1 - 0.1 * 0.1) ** 10)
    other = list(masked_training.train(x, t, mask, W * mask, b, steps=10, decay=0.1))
    assert [s.loss for s in plain] == [s.loss for s in other]


def start(seed, *sizes):
    rng = np.random.default_rng(seed)
    weights = {}
    for k, (i, o) in enumerate(pairwise(sizes), 1):
        weights |= {f"W{k}": rng.uniform(-1, 1, (i, o)) / np.sqrt(i), f"b{k}": np.zeros(o)}
    return weights


X = np.random.default_rng(0).standard_normal((53, 3))
T = np.column_stack([X.sum(1), np.sin(X[:, 0])])
SETTINGS = nolearn.Settings(batch=16, epochs=6, drop=(0.25, 0.1), patience=50)


def test_lasagnes_nesterov_with_changing_rate_and_momentum():
    v, rates = 0.0, list(SETTINGS.rates())
    for step in nolearn.train(X, T, start(0, 3, 8, 5, 2), SETTINGS):
        epoch, _, _ = step.batch
        lr, mu = rates[epoch - 1]
        v = mu * v - lr * step.gradient["W2"]
        expected = step.before["W2"] + mu * v - lr * step.gradient["W2"]
        np.testing.assert_allclose(step.weights["W2"], expected, rtol=1e-12, atol=1e-15)
    assert step.stopped == "limit"
    assert epoch == 6


def test_the_documented_schedule_runs_two_epochs_at_its_start():
    late = list(replace(SETTINGS, schedule="implemented").rates())
    assert late[0] == late[1] == (0.1, 0.8)
    assert late[-1] != (0.001, 0.999)
    meant = list(SETTINGS.rates())
    assert meant[0] == (0.1, 0.8)
    assert meant[1] != meant[0]
    assert meant[-1] == (0.001, 0.999)


def test_the_first_fold_is_held_out():
    rows, held = nolearn.split(53)
    np.testing.assert_array_equal(held, np.arange(11))
    np.testing.assert_array_equal(rows, np.arange(11, 53))
    used = [s.batch[1] for s in nolearn.train(X, T, start(0, 3, 8, 5, 2), SETTINGS)]
    np.testing.assert_array_equal(np.unique(np.concatenate(used)), rows)


def test_unknown_targets_may_be_anything():
    known = np.random.default_rng(1).random(T.shape) < 0.6
    hidden = np.where(known, T, np.nan)
    runs = [
        list(nolearn.train(X, t, start(0, 3, 8, 5, 2), SETTINGS, known=known)) for t in (T, hidden)
    ]
    assert [s.loss for s in runs[0]] == [s.loss for s in runs[1]]
    assert np.isfinite(runs[1][-1].loss)


def test_dropped_units_get_no_gradient():
    step = next(nolearn.train(X, T, start(0, 3, 8, 5, 2), SETTINGS))
    kept = step.batch[2]
    assert 0.5 < kept[0].mean() < 0.95
    all_dropped = [np.zeros_like(k) for k in kept]
    _, gradient = nolearn.loss_and_gradient(
        step.before, X[:16], T[:16], np.ones((16, 2)), all_dropped, SETTINGS.drop
    )
    assert not any(gradient[name].any() for name in ("W1", "b1", "W2", "b2", "W3"))
    assert gradient["b3"].any()


def test_patience_ends_the_run_and_keeps_the_best_weights():
    """Targets without relation to the inputs: the held-out loss soon gets worse."""
    noise = np.random.default_rng(2).standard_normal(T.shape)
    early = EarlyStopping(3)
    eager = replace(SETTINGS, epochs=200, patience=3, drop=(0.0, 0.0))
    run = list(nolearn.train(X, noise, start(0, 3, 8, 5, 2), eager, early=early))
    assert run[-1].stopped == "patience"
    last_epoch = run[-1].batch[0]
    assert last_epoch == early.best_epoch + 4
    best = [s for s in run if s.batch[0] == early.best_epoch][-1]
    np.testing.assert_array_equal(early.best_weights["W1"], best.weights["W1"])


def test_the_best_weights_are_restored():
    noise = np.random.default_rng(2).standard_normal(T.shape)
    eager = replace(SETTINGS, epochs=200, patience=3, drop=(0.0, 0.0))
    kept, end = nolearn.fit(X, noise, start(0, 3, 8, 5, 2), eager)
    held = nolearn.split(len(X))[1]

    def loss(weights):
        return np.mean((nolearn.predict(weights, X[held]) - noise[held]) ** 2)

    assert end.stopped == "patience"
    ends = {s.batch[0]: s for s in nolearn.train(X, noise, start(0, 3, 8, 5, 2), eager)}
    assert loss(kept) == min(loss(s.weights) for s in ends.values()) < loss(end.weights)
    with pytest.raises(ValueError, match="the run diverged in step 2"):
        nolearn.fit(X, T, start(0, 3, 8, 5, 2), replace(SETTINGS, lr=(1e100, 1e100)))


def test_one_output_takes_a_flat_target():
    weights = start(0, 3, 8, 5, 1)
    flat = list(nolearn.train(X, T[:, 0], weights, SETTINGS))
    column = list(nolearn.train(X, T[:, :1], weights, SETTINGS))
    assert [s.loss for s in flat] == [s.loss for s in column]


def test_divergence_is_recorded():
    wild = replace(SETTINGS, lr=(1e100, 1e100))
    assert last(nolearn.train(X, T, start(0, 3, 8, 5, 2), wild)).stopped == "diverged"


POINTS = arrays(float, 6, elements=st.floats(-5, 5), unique=True).filter(lambda x: np.ptp(x) > 1)


@settings(max_examples=50)
@given(POINTS, SEEDS, st.floats(0.1, 10), st.floats(0.1, 10))
def test_deming_is_odr(x, seed, sx, sy):
    rng = np.random.default_rng(seed)
    y = rng.uniform(-2, 2) * x + rng.uniform(-1, 1) + 0.05 * rng.standard_normal(6)
    beta = odr.deming(x, y, sx, sy)
    end = last(odr.solve(x, y, sx, sy, beta + 0.01, limit=500))
    assert end.stopped == "converged"
    np.testing.assert_allclose(end.weights["beta"], beta, rtol=1e-4, atol=1e-5)
    delta = end.weights["delta"]
    r = beta[0] * x + beta[1] - y
    law = -beta[0] * r * sx**2 / (sy**2 + beta[0] ** 2 * sx**2)
    np.testing.assert_allclose(delta, law, rtol=1e-3, atol=1e-4)
    assert end.loss == pytest.approx(np.sum(r**2) / (sy**2 + beta[0] ** 2 * sx**2), rel=1e-6)


def test_without_errors_in_x_it_is_least_squares():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal(8), rng.standard_normal(8)
    end = last(odr.solve(x, y, 1e-6, 1.0))
    np.testing.assert_allclose(end.weights["beta"], np.polyfit(x, y, 1), rtol=1e-8)


def test_the_sum_of_squares_never_grows():
    rng = np.random.default_rng(1)
    x = rng.standard_normal(10)
    y = -3 * x + rng.standard_normal(10)
    run = list(odr.solve(x, y, 1.0, 1.0, (5.0, -5.0)))
    assert np.all(np.diff([s.loss for s in run]) <= 0)
    assert np.abs(run[-1].gradient["beta"]).max() < 1e-4 * np.abs(run[0].gradient["beta"]).max()


def test_weights_matter_for_the_covariance_not_for_a_perfect_fit():
    x = np.arange(4.0)
    one, other = (
        odr.summary(last(odr.solve(x, x, s, 5 * s)).weights, x, x, s, 5 * s) for s in (1, 2)
    )
    np.testing.assert_array_equal(one.beta, other.beta)
    np.testing.assert_array_equal(one.sd_beta, [0, 0])
    np.testing.assert_allclose(other.cov, 4 * one.cov)
    np.testing.assert_allclose(np.sqrt(np.diag(one.cov)), [2.28, 4.27], atol=5e-3)


def test_full_and_profile_covariance_agree():
    """(J^T J)^-1 of beta is (X^T D X)^-1 at the perfect fit, for unequal sigmas too."""
    rng = np.random.default_rng(2)
    x, sx, sy = np.arange(5.0), rng.uniform(0.5, 2, 5), rng.uniform(0.5, 2, 5)
    fit = odr.summary(
        last(odr.solve(x, 2 * x + 1, sx, sy, (2.0, 1.0))).weights, x, 2 * x + 1, sx, sy
    )
    A = np.column_stack([x, np.ones(5)])
    D = 1 / (sy**2 + 4 * sx**2)
    np.testing.assert_allclose(fit.cov, np.linalg.inv(A.T @ (D[:, None] * A)), rtol=1e-10)


def test_the_condition_estimate_is_a_bound_that_is_close():
    rng = np.random.default_rng(3)
    for _ in range(50):
        J = rng.standard_normal((6, rng.integers(1, 5))) * 10 ** rng.uniform(-3, 3)
        R = np.linalg.qr(J)[1]
        exact = 1 / np.linalg.cond(R, 1)
        assert 0.05 * exact < odr.inverse_condition(J) < 20 * exact
    assert odr.inverse_condition(np.zeros((3, 2))) == 0.0


BAD = [
    (lambda: masked_training.train(*layer(0), steps=0), "steps is 0"),
    (lambda: masked_training.train(*layer(0), lr=-1), "lr is -1"),
    (lambda: masked_training.train(np.ones((5, 3)), np.ones(5), *layer(0)[2:]), "target has shape"),
    (lambda: masked_training.train(*layer(0)[:2], MASK.T, *layer(0)[3:]), "mask has shape"),
    (lambda: nolearn.train(X, T[:, 0], start(0, 3, 8, 5, 2), SETTINGS), "outputs"),
    (lambda: nolearn.train(X, T, start(0, 3, 8, 5, 2), replace(SETTINGS, batch=43)), "batch is 43"),
    (
        lambda: nolearn.train(X, T, start(0, 3, 8, 5, 2), replace(SETTINGS, drop=(0.5,))),
        "rates|zip",
    ),
    (
        lambda: nolearn.train(X, T, start(0, 3, 8, 5, 2), replace(SETTINGS, lr=(-1, 0))),
        "start is -1",
    ),
    (lambda: nolearn.train(X, T, start(0, 3, 8, 5, 2), replace(SETTINGS, schedule="x")), "'x'"),
    (lambda: nolearn.train(X[:3], T[:3], start(0, 3, 8, 5, 2), SETTINGS), "3 rows"),
    (lambda: odr.solve([1.0], [1.0], 1, 1), "number of points is 1"),
    (lambda: odr.solve(np.ones(3), np.ones((3, 1)), 1, 1), "y has shape"),
    (lambda: odr.solve(np.arange(3), np.arange(3), 0, 1), "sx holds 0"),
    (lambda: odr.solve(np.arange(3), np.arange(3), 1, np.nan), "sy holds nan"),
    (lambda: odr.solve([0, 1, np.inf], np.arange(3), 1, 1), "x holds inf"),
    (lambda: odr.deming([0.0, 1, 0, 1], [0.0, 0, 1, 1], 1.0, 1.0), "uncorrelated"),
]


@pytest.mark.parametrize(("call", "said"), BAD)
def test_bad_arguments(call, said):
    with pytest.raises(ValueError, match=said):
        list(call())
