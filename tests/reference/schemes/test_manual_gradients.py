"""Document (001): scalar descent, dense SGD, mini-batches, the two-layer net."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from reference.schemes import data, dense_sgd, descent, scalar, two_layer
from reference.schemes.step import last
from reference.schemes.stop import Rule

SAMPLES = arrays(float, st.integers(1, 6), elements=st.floats(-2, 2))
SEEDS = st.integers(0, 2**32 - 1)


def normal(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape)


@given(SAMPLES, st.floats(-3, 3), st.floats(0, 0.2))
def test_product_law_of_scalar_sgd(x, w, lr):
    """w_T - 1 = (w_0 - 1) prod (1 - 2 lr x_t^2) where y = x."""
    run = list(scalar.sgd(x, x, list(range(len(x))), w, lr=lr, stop=Rule()))
    assert len(run) == len(x)
    law = (w - 1) * np.cumprod(1 - 2 * lr * x * x)
    np.testing.assert_allclose([s.weights["w"] - 1 for s in run], law, atol=1e-12)


@given(SAMPLES.filter(lambda x: np.any(np.abs(x) > 0.1)), st.floats(-3, 3), st.floats(0.01, 0.2))
def test_product_law_of_scalar_descent(x, w, lr):
    run = list(scalar.gradient_descent(x, x, w, lr=lr, stop=Rule(limit=5)))
    law = (w - 1) * (1 - 2 * lr * np.mean(x * x)) ** np.arange(1, 6)
    np.testing.assert_allclose([s.weights["w"] - 1 for s in run], law, atol=1e-12)


def test_the_three_stop_rules_of_scalar_sgd():
    x = data.minmax(data.line()[0])
    samples = np.random.default_rng(0).integers(0, len(x), 500)
    ends = {}
    for word in ("written", "implemented", "intended"):
        ends[word] = run = list(
            scalar.sgd(x, x, samples, lr=0.1, stop=word, rules=scalar.MINMAX_RULES)
        )
        assert run[-1].stopped == "margin"
    assert len(ends["written"]) == 1
    losses = [float(s.loss) for s in ends["implemented"]]
    assert losses[-1] <= 1e-4
    assert min(losses[1:-1]) > 1e-4
    losses = [float(s.loss) for s in ends["intended"]]
    assert abs(losses[-1] - losses[-2]) <= 1e-4


def test_the_diverging_run_is_recorded_as_such():
    x, y = data.line()
    samples = np.full(30, 1000)
    meant = last(scalar.sgd(x, y, samples))
    assert meant.stopped == "diverged"
    as_run = list(scalar.sgd(x, y, samples, stop="implemented"))
    assert len(as_run) == 30
    assert as_run[-1].stopped == "limit"
    assert not as_run[-1].finite()


def test_two_calls_are_the_same_run():
    """The document's function trains the model it is given: a second call starts at 1.0625."""
    x = np.array([1.0, 2.0])
    first, second = (list(scalar.gradient_descent(x, x)) for _ in range(2))
    assert [s.loss for s in first] == [s.loss for s in second]
    assert scalar.loss_and_gradient({"w": np.float64(2)}, x, x)[0] == 2.5
    assert last(scalar.gradient_descent(x, x, lr=0.05)).weights["w"] != 1.0625


@given(SEEDS, st.integers(1, 8), st.integers(1, 4))
def test_loss_over_pairs_is_the_true_loss_plus_twice_the_covariance(seed, rows, features):
    X, y = normal(seed, rows, features), normal(seed + 1, rows, 1)
    weights = {"W": normal(seed + 2, features, 1), "b": normal(seed + 3, 1)}
    pairs, gradient = dense_sgd.loss_and_gradient(weights, X, y, pairs=True)
    true, _ = dense_sgd.loss_and_gradient(weights, X, y)
    p = X @ weights["W"] + weights["b"]
    covariance = np.mean((p - p.mean()) * (y - y.mean()))
    assert pairs == pytest.approx(true + 2 * covariance, abs=1e-12)
    assert pairs == pytest.approx(p.var() + y.var() + (p.mean() - y.mean()) ** 2, abs=1e-12)
    silent = np.mean((p - y[:, 0]) ** 2)
    assert pairs == pytest.approx(silent, abs=1e-12)
    np.testing.assert_allclose(gradient["b"], np.sum(2 / rows * (p - y.mean())), atol=1e-12)


def test_pairs_pull_towards_the_batch_mean():
    """Trained to its end the documented loss shrinks the slope by (N - B) / (B (N - 1))."""
    stream = np.random.RandomState(42)
    X, y = data.plane(stream, float)
    N, B = len(X), 3
    batches = np.array([stream.choice(N, B, replace=False) for _ in range(20000)])
    A = np.concatenate([X, np.ones((N, 1))], axis=1)[batches]
    targets = np.broadcast_to(y[batches].mean(1, keepdims=True), (len(batches), B, 1))
    solved = np.linalg.lstsq(A.reshape(-1, 4), targets.reshape(-1), rcond=None)[0]
    shrunk = (N - B) / (B * (N - 1)) * np.array([3.0, 2.0, -7.0])
    np.testing.assert_allclose(solved[:3], shrunk, atol=0.08)


def test_corrected_mini_batches_find_the_plane():
    stream = np.random.RandomState(0)
    X, y = data.plane(stream, float)
    batches = descent.draw(stream, len(X), 3)
    end = last(dense_sgd.sgd(X, y, np.zeros((3, 1)), batches, lr=0.05, stop=Rule(limit=3000)))
    np.testing.assert_allclose(end.weights["W"][:, 0], [3, 2, -7], atol=1e-6)
    np.testing.assert_allclose(end.weights["b"], [5], atol=1e-6)


@settings(max_examples=20)
@given(SEEDS, st.integers(1, 4))
def test_each_dense_step_is_its_gradient(seed, batch):
    X, y = normal(seed, 6, 2), normal(seed + 1, 6, 1)
    batches = [np.random.default_rng(seed + k).permutation(6)[:batch] for k in range(3)]
    for step in dense_sgd.sgd(X, y, normal(seed + 2, 2, 1), batches, lr=0.1, stop=Rule()):
        loss, gradient = dense_sgd.loss_and_gradient(step.before, X[step.batch], y[step.batch])
        assert loss == step.loss
        for name in gradient:
            np.testing.assert_array_equal(gradient[name], step.gradient[name])
            np.testing.assert_array_equal(
                step.weights[name], step.before[name] - 0.1 * gradient[name]
            )


def test_the_two_layer_limit_counts_one_too_many():
    """The counter is tested before it is raised: 1,001 updates where 1,000 are meant."""
    assert two_layer.RULES["implemented"].limit == 1001
    assert two_layer.RULES["intended"].limit == 1000
    X, y = data.regression()
    rng = np.random.default_rng(0)
    W1, W2 = 0.3 * rng.standard_normal((10, 10)), 0.3 * rng.standard_normal((10, 1))
    rule = Rule(two_layer.RULES["implemented"].measure, 0.0, limit=1001)
    run = list(
        two_layer.train(X, y, W1, W2, descent.draw(np.random.RandomState(0), 10, 1), stop=rule)
    )
    assert len(run) == 1001
    assert run[-1].stopped == "limit"


def test_stopping_by_two_losses_says_little():
    """The documented rule stops far from the fit that the same run reaches without it."""
    X, y = data.regression()
    rng = np.random.default_rng(1)
    W1, W2 = 0.3 * rng.standard_normal((10, 10)), 0.3 * rng.standard_normal((10, 1))

    def after(stop):
        rows = descent.draw(np.random.RandomState(0), 10, 1)
        end = last(two_layer.train(X, y, W1, W2, rows, stop=stop))
        return two_layer.loss_and_gradient(end.weights, X, y)[0]

    assert after("implemented") > 20 * after(Rule(limit=1001))


BAD = [
    (lambda: scalar.gradient_descent(np.empty(0), np.empty(0)), "no|nothing|shape"),
    (lambda: scalar.gradient_descent(np.ones(2), np.ones(3)), "y has shape"),
    (lambda: scalar.gradient_descent(np.ones(2), np.ones((2, 1))), "y has shape"),
    (lambda: scalar.gradient_descent(np.ones(2), np.ones(2), lr=-1), "lr is -1"),
    (lambda: scalar.sgd(np.empty(0), np.empty(0), [0]), r"x has shape \(0,\)"),
    (lambda: scalar.sgd(np.ones(2), np.ones(2), []), "batches is empty"),
    (lambda: data.minmax(np.ones(3)), "all 1.0"),
    (lambda: data.minmax(np.empty(0)), r"shape \(0,\)"),
    (
        lambda: dense_sgd.sgd(np.ones((4, 3)), np.ones(4), np.ones((3, 1)), [[0]]),
        r"y has shape \(4,\)",
    ),
    (lambda: dense_sgd.sgd(np.ones((4, 3)), np.ones((3, 1)), np.ones((3, 1)), [[0]]), "rows"),
    (lambda: dense_sgd.sgd(np.ones((4, 3)), np.ones((4, 1)), np.ones((2, 1)), [[0]]), "features"),
    (
        lambda: dense_sgd.sgd(np.empty((0, 3)), np.empty((0, 1)), np.ones((3, 1)), [[0]]),
        "X has shape",
    ),
    (
        lambda: two_layer.train(
            np.ones((2, 3)), np.ones(2), np.ones((3, 2)), np.ones((2, 1)), [[0]]
        ),
        "y has shape",
    ),
]


@pytest.mark.parametrize(("call", "said"), BAD)
def test_bad_arguments(call, said):
    with pytest.raises(ValueError, match=said):
        list(call())
