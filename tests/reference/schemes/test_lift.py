"""Document (000): the Lift rule, its laws, and the fast loop against the layers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.optimizers import leafwise, rmsprop
from reference.schemes import baseline, data, lift
from reference.schemes.step import last

SEEDS = st.integers(0, 2**31 - 1)


def samples(seed, count=3):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 10, (count, 3)).astype(float)
    return X, X[:, 0] ** 2 + 2 * X[:, 1] * X[:, 2]


def alone(weights, k=0):
    return {name: w[k] for name, w in weights.items()}


@settings(max_examples=30)
@given(SEEDS, st.sampled_from(["outside", "inside"]), st.sampled_from(["rmsprop", "sgd"]))
def test_the_fast_loop_is_the_layers(seed, where, inner):
    """Loss and gradient of every step, and the update by `optimizers.rmsprop`."""
    state = None
    for step in lift.train(*samples(seed), lift.start([seed, 1]), epsilon_at=where, inner=inner):
        before, gradient = alone(step.before), alone(step.gradient)
        loss, expected = lift.loss_and_gradient(before, step.batch.x[None], step.batch.target[:1])
        assert step.loss[0] == pytest.approx(loss, rel=1e-9)
        after, state = leafwise(rmsprop.step)(before, gradient, state, epsilon_at=where)
        for name in before:
            np.testing.assert_allclose(gradient[name], expected[name], rtol=1e-7, atol=1e-13)
            np.testing.assert_allclose(step.weights[name][0], after[name], rtol=1e-12, atol=1e-15)


@settings(max_examples=30)
@given(SEEDS, st.floats(1e-6, 1e-2))
def test_with_sgd_inside_the_target_is_the_true_gradient(seed, eta):
    """The Lift gradient is 2 eta / 26 times that of (f - y)^2 itself."""
    X, y = samples(seed)
    start = lift.start([seed])
    # One step each from the same weights: later ones part, since RMSprop's epsilon sees the scale.
    target = next(lift.train(X, y, start, inner="sgd", lr=eta))
    true = next(lift.train(X, y, start, rule="end_to_end"))
    for name in start:
        np.testing.assert_allclose(
            target.gradient[name], 2 * eta / 26 * true.gradient[name], rtol=1e-10, atol=1e-300
        )


def true_gradient(step):
    """Of (f - y)^2 at the Task's weights w, which is that at Lift's bias c."""
    before = {name: w[None] for name, w in alone(step.before).items()}
    x, y = step.batch.x[None], np.array([step.batch.y])
    return next(lift.train(x, y, before, rule="end_to_end")).gradient["c"][0]


@settings(max_examples=30)
@given(SEEDS, st.sampled_from(["outside", "inside"]))
def test_with_rmsprop_inside_it_is_diagonally_scaled(seed, where):
    """The Lift gradient at w is 2/26 lr g / (sqrt(v) + eps): g on a diagonal that is positive.

    v runs over all samples although the Task's weights are overwritten; so the angle to the true
    gradient is below 90 degrees, and zero only where v is the same for all weights.
    """
    v = np.zeros(26)
    for step in lift.train(*samples(seed, 5), lift.start([seed]), epsilon_at=where):
        g, found = true_gradient(step), step.gradient["c"][0]
        v = 0.9 * v + (1 - 0.9) * g * g
        root = np.sqrt(v) + 1e-7 if where == "outside" else np.sqrt(v + 1e-7)
        np.testing.assert_allclose(found, 2 / 26 * 0.001 * g / root, rtol=1e-9, atol=1e-300)
        assert not g.any() or found @ g > 0


@given(SEEDS)
def test_the_first_target_is_a_fixed_step_away(seed):
    """Lr / sqrt(1 - rho) = 0.0031623 in every weight whose gradient is not zero."""
    X, y = samples(seed, 1)
    step = last(lift.train(X + 1, y + 7, lift.start([seed])))
    moved = np.abs(step.gradient["c"][0]) * 26 / 2
    off = np.minimum(moved, np.abs(moved - 0.001 / np.sqrt(0.1)))
    assert np.all(off < 1e-6)


def test_why_old_and_new_keras_differ():
    """Inside, the outer step of the first sample is SGD-like: v is far below epsilon."""
    X, y = samples(0, 1)
    step = last(lift.train(X + 1, y + 7, lift.start([0])))
    v = 0.1 * np.max(step.gradient["c"]) ** 2
    assert v == pytest.approx(5.9e-9, rel=0.02)
    assert v < 1e-7 / 10


def kinks_between(weights, x, end, count=4001):
    """Where along x .. end a hidden unit of Lift or of the Task changes its side."""
    w = alone(weights)
    s = np.linspace(0, 1, count)[:, None]
    points = x + s * (end - x)
    z = points @ w["A"] + w["a"]
    generated = np.maximum(z, 0) @ w["B"] + w["c"]
    inner = np.einsum("ni,nij->nj", points, generated[:, :15].reshape(-1, 3, 5))
    sides = np.concatenate([z, inner + generated[:, 15:20]], axis=1) > 0
    return np.flatnonzero((sides[1:] != sides[:-1]).any(1)) / (count - 1)


@pytest.mark.parametrize("seed", range(5))
def test_f_is_piecewise_cubic(seed):
    """Along a ray inside one region fourth differences vanish and third ones do not."""
    weights = lift.start([seed])
    x = np.array([7.0, 3.0, 5.0])
    far = kinks_between(weights, 1e-9 * x, 40 * x)
    low = far[-1] + 0.05 if far.size else 0.1
    assert low < 0.9
    points = np.linspace(low, 1.0, 5)[:, None] * 40 * x
    f = lift.predict(weights, points)[0]
    scale = np.abs(f).max()
    assert abs(np.diff(f, 4)[0]) < 1e-10 * scale
    assert abs(np.diff(f, 3)[0]) > 1e-7 * scale


def test_far_out_its_error_grows_with_the_sixth_power():
    """Not because two errors multiply: any network trained by any rule is cubic there."""
    X, y = data.lift(size=300)["train"]
    weights = lift.fit(X, y, lift.start([0]))
    x = np.array([[100.0, 150.0, 120.0]])
    near, far = (lift.predict(weights, s * x)[0, 0] ** 2 for s in (100, 200))
    assert far / near == pytest.approx(2**6, rel=0.1)
    net = baseline.fit(X, y, baseline.start(baseline.TEST2, [0]), np.arange(300)[None]).net.view
    near, far = (baseline.predict(net, s * x)[0, 0] ** 2 for s in (100, 200))
    assert far / near == pytest.approx(2**2, rel=0.1)


def test_networks_under_one_axis_do_not_see_each_other():
    X, y = samples(0, 20)
    together = lift.fit(X, y, lift.start([3, 4, 5]))
    for k, seed in enumerate((3, 4, 5)):
        single = lift.fit(X, y, lift.start([seed]))
        for name in single:
            np.testing.assert_allclose(together[name][k], single[name][0], rtol=1e-12)
    order = np.arange(20)
    orders = np.array([order, order[::-1], order])
    start = baseline.start(baseline.TEST2, [3, 4, 5])
    together = baseline.fit(X, y, start, orders).net.view
    for k in range(3):
        own = {name: w[k : k + 1] for name, w in start.items()}
        single = baseline.fit(X, y, own, orders[k : k + 1]).net.view
        for name in single:
            np.testing.assert_allclose(together[name][k], single[name][0], rtol=1e-12)


@settings(max_examples=20)
@given(SEEDS, st.sampled_from([baseline.TEST1, baseline.TEST2, (3, 4, 4, 4, 1)]))
def test_the_fast_baseline_is_the_layers(seed, sizes):
    X, y = samples(seed)
    state = None
    for step in baseline.train(X, y, baseline.start(sizes, [seed]), np.array([[2, 0, 1]])):
        before = alone(step.before)
        row = step.batch[0]
        loss, gradient = baseline.loss_and_gradient(
            before, X[row : row + 1], y[row : row + 1, None]
        )
        assert step.loss[0] == pytest.approx(loss, rel=1e-12)
        after, state = leafwise(rmsprop.step)(before, gradient, state)
        for name in before:
            np.testing.assert_allclose(
                step.gradient[name][0], gradient[name], rtol=1e-9, atol=1e-12
            )
            np.testing.assert_allclose(step.weights[name][0], after[name], rtol=1e-9)
    assert step.stopped == "limit"


def test_training_without_steps_is_the_same():
    X, y = samples(1, 10)
    end = last(lift.train(X, y, lift.start([0]))).weights
    for name, w in lift.fit(X, y, lift.start([0])).items():
        np.testing.assert_array_equal(w, end[name])


def test_divergence_is_recorded():
    X, y = samples(0, 5)
    with np.errstate(all="ignore"):
        end = last(lift.train(X * 1e200, y, lift.start([0])))
    assert end.stopped == "diverged"


BAD = [
    (lambda: lift.train(np.empty((0, 3)), np.empty(0), lift.start([0])), r"X has shape \(0, 3\)"),
    (lambda: lift.train(np.ones((4, 2)), np.ones(4), lift.start([0])), "X has shape"),
    (lambda: lift.train(np.ones((4, 3)), np.ones((4, 1)), lift.start([0])), "y has shape"),
    (lambda: lift.train(np.ones((4, 3)), np.ones(3), lift.start([0])), "y has shape"),
    (lambda: lift.train(np.ones((4, 3)), np.ones(4), lift.start([0]), lr=-1), "lr is -1"),
    (lambda: lift.train(np.ones((4, 3)), np.ones(4), lift.start([0]), rule="x"), "'x'"),
    (lambda: lift.train(np.ones((4, 3)), np.ones(4), lift.start([0]), inner="adam"), "'adam'"),
    (lambda: lift.train(np.ones((4, 3)), np.ones(4), {"A": np.ones((1, 3, 10))}), "weights are"),
    (lambda: lift.train(np.ones((4, 3)), np.ones(4), lift.start([0]), epsilon_at="x"), "'x'"),
    (lambda: lift.start([]), "seeds is empty"),
    (lambda: baseline.start((3, 0, 1), [0]), "sizes"),
    (lambda: baseline.start((3, 5, 2), [0]), "sizes"),
    (lambda: baseline.orders([0], 10, 0), "epochs is 0"),
    (
        lambda: baseline.train(
            np.ones((4, 3)), np.ones(4), baseline.start(baseline.TEST1, [0]), [[0], [1]]
        ),
        "seeds",
    ),
]


@pytest.mark.parametrize(("call", "said"), BAD)
def test_bad_arguments(call, said):
    with pytest.raises(ValueError, match=said):
        list(call())
