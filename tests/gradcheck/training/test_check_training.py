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


class Stale:
    """Moves along the gradient of the step before."""

    def __init__(self):
        self.last = None

    def __call__(self, w):
        g = gradient_of(w)
        use, self.last = self.last or g, g
        return {k: w[k] - LR * use[k] for k in w}, loss_of(w)


def decaying(w):
    g = gradient_of(w)
    return {k: w[k] - LR * (g[k] + 0.1 * w[k]) for k in w}, loss_of(w)


def clipping(w):
    g = gradient_of(w)
    bounds = {k: np.sort(np.abs(v).ravel())[-2] / 2 for k, v in g.items()}
    return {k: w[k] - LR * np.clip(g[k], -bounds[k], bounds[k]) for k in w}, loss_of(w)


def single(w):
    g = gradient_of(w)
    return {k: w[k] - LR * g[k].astype(np.float32) for k in w}, loss_of(w)


class Late:
    """Right for five steps, then with half the rate."""

    def __init__(self):
        self.taken = 0

    def __call__(self, w):
        self.taken += 1
        g, rate = gradient_of(w), LR if self.taken <= 5 else LR / 2
        return {k: w[k] - rate * g[k] for k in w}, loss_of(w)


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
        (one_after_the_other, [("b", "updated too early")]),
        (Stale(), [("W", "stale gradient"), ("b", "stale gradient")]),
        (Momentum(), [("W", "momentum"), ("b", "momentum")]),
        (decaying, [("W", "weight decay"), ("b", "weight decay")]),
        (clipping, [("W", "gradient clipped"), ("b", "gradient clipped")]),
        (single, [("W", "precision lost"), ("b", "precision lost")]),
    ],
    ids=[
        "climbing",
        "doubled",
        "frozen bias",
        "accumulating",
        "one after the other",
        "stale",
        "momentum",
        "decaying",
        "clipping",
        "single",
    ],
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


def test_later_steps_are_looked_at_too():
    report = check_training(Late(), START, lr=LR)
    assert report.findings[0].fault == "scaled by 0.5"
    assert "step 6" in report.findings[0].message


class Scheduled:
    """Takes its own rate from a list; `late` by so many steps."""

    def __init__(self, rates, late=0):
        self.rates, self.taken = rates, late

    def __call__(self, w):
        self.taken += 1
        g, rate = gradient_of(w), self.rates[self.taken - 1]
        return {k: w[k] - rate * g[k] for k in w}, loss_of(w)


RATES = [0.1, 0.08, 0.04, 0.02, 0.01, 0.01, 0.01]


@pytest.mark.parametrize("lr", [RATES[:6], np.array(RATES[:6]), lambda number: RATES[number - 1]])
def test_a_rate_that_changes(lr):
    options = {"lr": lr, "loss": lambda w, _: loss_of(w), "batches": [()] * 6}

    def with_batch(step):
        return lambda w, _: step(w)

    assert check_training(with_batch(Scheduled(RATES)), START, **options).passed
    report = check_training(with_batch(Scheduled(RATES, late=1)), START, **options)
    assert {f.fault for f in report.findings} == {"schedule off by one"}
    kept = check_training(with_batch(Scheduled([0.1] * 7)), START, **options)
    assert not kept.passed


def test_a_list_of_arrays():
    def step(weights):
        w = dict(zip("Wb", weights, strict=True))
        after, value = train(w)
        return [after["W"], after["b"]], value

    assert check_training(step, [START["W"], START["b"]], lr=LR).passed
    report = check_training(lambda w: ([w[0], step(w)[0][1]], step(w)[1]), [*START.values()], lr=LR)
    assert faults(report) == [("weights[0]", "never updated")]


def clip_all(weights, gradients, state=None, *, lr):
    """Descent with the gradients of all arrays scaled to a common norm of 0.1."""
    norm = np.sqrt(sum(float(np.sum(g * g)) for g in gradients.values()))
    return {k: w - lr * gradients[k] * min(1, 0.1 / norm) for k, w in weights.items()}, state


def test_an_optimizer_that_sees_all_arrays_together():
    def step(w, limit=0.1):
        g = gradient_of(w)
        norm = np.sqrt(sum(float(np.sum(v * v)) for v in g.values()))
        return {k: w[k] - LR * g[k] * min(1, limit / norm) for k in w}, loss_of(w)

    assert check_training(step, START, lr=LR, like=clip_all).passed
    assert not check_training(lambda w: step(w, 0.2), START, lr=LR, like=clip_all).passed
    big = {"w": np.ones(400)}
    with pytest.raises(UsageError, match="cannot be sampled"):
        check_training(lambda w: (w, np.sum(w["w"] ** 2)), big, lr=LR, like=clip_all)


def rows_step(factor):
    def step(w, batch):
        x, y = batch
        error = x @ w - y
        return w - LR * factor * 2 * x.T @ error / len(y), np.mean(error**2)

    return step


BATCHES = [(X[k : k + 4], Y[k : k + 4, 0]) for k in (0, 1, 2)]


def test_a_sum_where_the_loss_takes_a_mean_is_named():
    report = check_training(rows_step(4), np.zeros(3), lr=LR, batches=BATCHES)
    assert report.findings[0].fault == "scaled by 4"
    assert "the number of rows of the batch" in report.findings[0].message
    report = check_training(rows_step(0.25), np.zeros(3), lr=LR, batches=BATCHES)
    assert report.findings[0].fault == "scaled by 1/4"


def test_the_gradient_of_another_batch_is_named():
    def step(w, batch):
        other = BATCHES[1] if batch is BATCHES[0] else BATCHES[0]
        return rows_step(1)(w, other)[0], rows_step(1)(w, batch)[1]

    report = check_training(step, np.ones(3), lr=LR, batches=BATCHES)
    assert report.findings[0].fault == "another batch"


def test_a_step_that_raises_later_is_broken_and_at_once_is_refused():
    calls = []

    def fragile(w):
        calls.append(1)
        if len(calls) == 2:
            raise ValueError("unlike shapes")
        return train(w)

    report = check_training(fragile, START, lr=LR)
    assert report.verdict == "broken"
    assert "step 2 raised ValueError: unlike shapes" in report.findings[0].message
    with pytest.raises(UsageError, match="at its first call"):
        check_training(lambda: None, START, lr=LR)


def test_a_step_that_cannot_be_called_again_asks_for_its_loss():
    step = Scheduled(RATES[:3])
    with pytest.raises(UsageError, match="pass loss="):
        check_training(lambda w, _: step(w), START, lr=RATES[:3], batches=[()] * 3)


def test_what_is_at_a_kink_everywhere_is_not_passed():
    """|w| at 0: any update is some subgradient's, and none of them is the numerical one."""

    def step(w):
        return w - LR * np.sign(w), np.sum(np.abs(w))

    report = check_training(step, np.zeros(3), lr=LR)
    assert report.verdict == "inconclusive"
    assert check_training(step, np.array([0.0, 1.0, 2.0]), lr=LR).passed
    assert "not judged" in " ".join(check_training(step, np.array([0.0, 1.0]), lr=LR).remarks)
    assert check_training(lambda w: (w, 0.0), np.ones(3), lr=LR).passed


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


def test_a_loss_that_cancels_may_be_rounded_otherwise():
    """(w - t)^2 with w - t known exactly, and formed from w and t: off by far more than an ulp."""
    t = START["W"] * (1 + 2.0**-30)

    def step(w):
        gap = w - t
        return w - LR * 2 * gap, np.sum(gap * gap)

    def loss(w):
        return np.sum(((w + 1 / 3) - (t + 1 / 3)) ** 2)

    assert check_training(step, START["W"], lr=LR, loss=loss, steps=1).passed
    report = check_training(step, START["W"], lr=LR, loss=lambda w: 1.001 * loss(w), steps=1)
    assert report.findings[0].check == "loss"


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
