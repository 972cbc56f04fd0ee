"""Training steps with planted faults; the loss they return is what judges them."""

import numpy as np
import pytest

from gradcheck import UsageError, check_training

RNG = np.random.default_rng(3)
X, Y = RNG.standard_normal((6, 3)), RNG.standard_normal((6, 2))
START = {"W": RNG.standard_normal((3, 2)), "b": RNG.standard_normal(2)}
LR = 0.05


def loss_of(w, x=X, y=Y):
    return np.mean((np.tanh(x @ w["W"] + w["b"]) - y) ** 2)


def gradient_of(w, x=X, y=Y):
    p = np.tanh(x @ w["W"] + w["b"])
    dz = 2 * (p - y) / y.size * (1 - p * p)
    return {"W": x.T @ dz, "b": dz.sum(0)}


def train(w):
    g = gradient_of(w)
    return {k: w[k] - LR * g[k] for k in w}, loss_of(w)


def climbing(w):
    g = gradient_of(w)
    return {k: w[k] + LR * g[k] for k in w}, loss_of(w)


def doubled(w):
    g = gradient_of(w)
    return {k: w[k] - 2 * LR * g[k] for k in w}, loss_of(w)


def frozen_bias(w):
    g = gradient_of(w)
    return {"W": w["W"] - LR * g["W"], "b": w["b"]}, loss_of(w)


def one_after_the_other(w):
    """Updates W first and takes the bias's gradient at the new W."""
    w = dict(w)
    value = loss_of(w)
    for name in w:
        w[name] = w[name] - LR * gradient_of(w)[name]
    return w, value


class Accumulating:
    """Adds every gradient to the last ones, as a loop without zero_grad does."""

    def __init__(self):
        self.total = dict.fromkeys(START, 0.0)

    def __call__(self, w):
        g = gradient_of(w)
        self.total = {k: self.total[k] + g[k] for k in w}
        return {k: w[k] - LR * self.total[k] for k in w}, loss_of(w)


class Momentum:
    """Heavy ball, the rate inside the velocity."""

    def __init__(self, mu=0.9):
        self.mu, self.v = mu, dict.fromkeys(START, 0.0)

    def __call__(self, w):
        g = gradient_of(w)
        self.v = {k: self.mu * self.v[k] - LR * g[k] for k in w}
        return {k: w[k] + self.v[k] for k in w}, loss_of(w)


def heavy_ball(w, g, v=None, *, lr):
    v = (0 if v is None else 0.9 * v) - lr * g
    return w + v, v


def faults(report):
    return [(f.input, f.fault) for f in report.findings]


def test_a_right_step_passes():
    report = check_training(train, START, lr=LR, steps=4)
    assert report.passed, str(report)
    assert report.detectable["W"] < 1e-6


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (climbing, [("W", "sign flipped"), ("b", "sign flipped")]),
        (doubled, [("W", "scaled by 2"), ("b", "scaled by 2")]),
        (frozen_bias, [("b", "never updated")]),
        (Accumulating(), [("W", "gradient not zeroed"), ("b", "gradient not zeroed")]),
        (one_after_the_other, [("b", None)]),
    ],
    ids=["climbing", "doubled", "frozen bias", "accumulating", "one after the other"],
)
def test_a_planted_fault_is_named(step, expected):
    assert faults(check_training(step, START, lr=LR)) == expected


def test_momentum_is_held_to_momentum():
    assert check_training(Momentum(), START, lr=LR, like=heavy_ball, steps=4).passed
    assert not check_training(Momentum(), START, lr=LR, steps=4).passed
    assert not check_training(Momentum(0.8), START, lr=LR, like=heavy_ball, steps=4).passed


def test_the_wrong_rate_is_a_factor():
    report = check_training(train, START, lr=2 * LR)
    assert {f.fault for f in report.findings} == {"scaled by 0.5"}


def test_batches_and_a_bare_array():
    def step(w, batch):
        x, y = batch
        error = x @ w - y
        return w - LR * 2 * x.T @ error / len(y), np.mean(error**2)

    batches = [(X[:3], Y[:3, 0]), (X[3:], Y[3:, 0])]
    report = check_training(step, np.zeros(3), lr=LR, batches=batches)
    assert report.passed, str(report)
    assert report.examples == 2


def test_a_silent_broadcast_is_not_the_gradient_of_the_loss_it_should_have():
    """(n, 1) against (n,): the step descends the loss over pairs; the true loss is told apart."""

    def step(w):
        error = X @ w - Y[:, 0]
        return w - LR * 2 / error.size * X.T @ error.sum(1, keepdims=True), np.mean(error**2)

    def loss(w):
        return np.mean((X @ w - Y[:, :1]) ** 2)

    start = START["W"][:, :1]
    assert check_training(step, start, lr=LR).passed
    report = check_training(step, start, lr=LR, loss=loss)
    assert report.findings[0].check == "loss"


def test_a_loss_after_the_update_is_named():
    def late(w):
        after, _ = train(w)
        return after, loss_of(after)

    report = check_training(late, START, lr=LR, loss=loss_of)
    assert report.findings[0].fault == "loss after the update"


def test_a_noisy_loss_is_nondeterministic():
    noise = np.random.default_rng(0)

    def noisy(w):
        after, value = train(w)
        return after, value + 1e-3 * noise.standard_normal()

    assert check_training(noisy, START, lr=LR).verdict == "nondeterministic"
    assert check_training(noisy, START, lr=LR, loss=loss_of).verdict == "wrong"


def test_divergence_is_nonfinite():
    def step(w):
        with np.errstate(all="ignore"):
            return w - LR * 2 * w * 1e200, np.float64(np.sum(w * w)) * np.float64(1e200) ** 2

    report = check_training(step, np.full(2, 1e200), lr=LR)
    assert report.verdict == "nonfinite"


def test_a_large_array_is_sampled():
    target = RNG.standard_normal((40, 30))

    def step(w, wrong=0.0):
        g = w - target
        g[:30] *= 1 + wrong
        return w - LR * g, 0.5 * np.sum((w - target) ** 2)

    assert check_training(step, np.zeros((40, 30)), lr=LR, steps=1, seed=0).passed
    bad = check_training(lambda w: step(w, 1e-3), np.zeros((40, 30)), lr=LR, steps=1, seed=0)
    assert not bad.passed


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: check_training(train, START, lr=-1.0), "lr=-1.0"),
        (lambda: check_training(train, START, lr=LR, steps=0), "no step"),
        (lambda: check_training(lambda w: w, START, lr=LR), "weights, loss"),
        (lambda: check_training(lambda w: (w["W"], 0.0), START, lr=LR), "names or shapes"),
        (lambda: check_training(lambda w: (w, np.zeros(2)), START, lr=LR), "one number"),
    ],
)
def test_bad_arguments(call, said):
    with pytest.raises(UsageError, match=said):
        call()
