"""Every planted fault of an optimizer is caught and named; the correct twin of each passes."""

from functools import partial

import numpy as np
import pytest

from gradcheck import UsageError, check_optimizer


def sgd(w, g, state=None, *, lr, decay=0.0, sign=-1.0, factor=1.0):
    return w + sign * factor * lr * (g + decay * w), state


def accumulating(w, g, total=None, *, lr):
    total = g if total is None else total + g
    return w - lr * total, total


def momentum(w, g, v=None, *, lr, mu=0.9, inside=True, nesterov=False):
    v = np.zeros_like(w) if v is None else v
    if inside:
        v = mu * v - lr * g
        return w + (mu * v - lr * g if nesterov else v), v
    v = mu * v + g
    return w - lr * (g + mu * v if nesterov else v), v


def rmsprop(w, g, v=None, *, lr, rho=0.9, eps=1e-7, inside=False):
    v = np.zeros_like(w) if v is None else v
    v = rho * v + (1 - rho) * g * g
    return w - lr * g / (np.sqrt(v + eps) if inside else np.sqrt(v) + eps), v


def adam(w, g, state=None, *, lr, eps=1e-8, correct=True, decay=0.0, coupled=True):
    m, v, t = state or (np.zeros_like(w), np.zeros_like(w), 0)
    start = w
    if decay and coupled:
        g = g + decay * w
    elif decay:
        start = w * (1 - lr * decay)
    m, v, t = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g, t + 1
    c1, c2 = (1 - 0.9**t, 1 - 0.999**t) if correct else (1, 1)
    return start - lr * (m / c1) / (np.sqrt(v / c2) + eps), (m, v, t)


FAULTS = {
    "sign flipped": (partial(sgd, sign=1.0), sgd),
    "scaled by 2": (partial(sgd, factor=2.0), sgd),
    "gradient not zeroed": (accumulating, sgd),
    "epsilon inside the root": (partial(rmsprop, inside=True), rmsprop),
    "epsilon outside the root": (rmsprop, partial(rmsprop, inside=True)),
    "epsilon": (partial(rmsprop, eps=1e-8), rmsprop),
    "bias correction": (partial(adam, correct=False), adam),
    "learning rate in the velocity": (momentum, partial(momentum, inside=False)),
    "weight decay decoupled": (partial(adam, decay=0.1, coupled=False), partial(adam, decay=0.1)),
    "weight decay coupled": (partial(adam, decay=0.1), partial(adam, decay=0.1, coupled=False)),
    "weight decay missing": (sgd, partial(sgd, decay=0.1)),
    "weight decay": (partial(sgd, decay=0.2), partial(sgd, decay=0.1)),
    "state carried between steps": (partial(momentum, mu=0.8), momentum),
    "nesterov": (partial(momentum, nesterov=True), momentum),
    "nesterov missing": (momentum, partial(momentum, nesterov=True)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_named(fault):
    report = check_optimizer(*FAULTS[fault], seed=0)
    assert not report.passed
    assert {f.fault for f in report.findings} == {fault}, str(report)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("seed", range(3))
def test_the_correct_twin_passes(fault, seed):
    like = FAULTS[fault][1]
    assert check_optimizer(like, like, seed=seed).passed


def reordered_adam(w, g, state=None, *, lr):
    """Adam as one factor on m, the epsilon scaled: other operations, the same numbers."""
    m, v, t = state or (0.0, 0.0, 0)
    m, v, t = m + 0.1 * (g - m), v + 0.001 * (g * g - v), t + 1
    root = np.sqrt(1 - 0.999**t)
    return w - lr * root / (1 - 0.9**t) * m / (np.sqrt(v) + 1e-8 * root), (m, v, t)


@pytest.mark.parametrize("seed", range(5))
def test_another_order_of_operations_passes(seed):
    assert check_optimizer(reordered_adam, adam, seed=seed).passed


def test_both_momentum_forms_agree_at_a_constant_rate():
    """Without a rate to change there is nothing to tell them apart, and the report says so."""
    report = check_optimizer(partial(momentum, lr=0.1), partial(momentum, inside=False, lr=0.1))
    assert report.passed
    assert "changing rates were not tried" in " ".join(report.remarks)


class InPlace:
    """An optimizer as people write it."""

    def __init__(self, lr=0.1, sign=1.0):
        self.lr, self.sign = lr, sign

    def update(self, weights, gradient):
        weights -= self.sign * self.lr * gradient


def test_an_object_with_update():
    assert check_optimizer(InPlace, sgd, seed=0).passed
    report = check_optimizer(partial(InPlace, sign=-1.0), sgd, seed=0)
    assert report.findings[0].fault == "sign flipped"


def test_a_nan_update_is_nonfinite():
    def bad(w, g, state=None, *, lr):
        return w - lr * g / np.abs(g) ** 0.5 * np.abs(g) ** 0.5, state

    report = check_optimizer(bad, sgd, seed=0)
    assert report.verdict == "nonfinite"


def test_the_first_difference_has_its_place():
    report = check_optimizer(partial(rmsprop, rho=0.99), rmsprop, seed=1)
    finding = report.findings[0]
    assert finding.example["gradients"].shape[0] == finding.evidence["step"]
    assert finding.evidence["expected"][finding.index] == finding.expected


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"lr": 0.0}, "lr=0.0"),
        ({"lr": float("nan")}, "lr=nan"),
        ({"examples": 0}, "examples=0"),
    ],
)
def test_bad_arguments(arguments, said):
    with pytest.raises(UsageError, match=said):
        check_optimizer(sgd, sgd, **arguments)


def test_no_optimizer():
    with pytest.raises(UsageError, match="theirs="):
        check_optimizer(3, sgd)
    with pytest.raises(UsageError, match="became"):
        check_optimizer(lambda w, g: (w - g)[:, None], sgd)


def test_a_torch_optimizer_is_driven():
    torch = pytest.importorskip("torch")
    assert check_optimizer(torch.optim.SGD, sgd, seed=0).passed
    nesterov = partial(torch.optim.SGD, momentum=0.9, nesterov=True)
    assert check_optimizer(partial(momentum, inside=False, nesterov=True), nesterov, seed=0).passed
    assert not check_optimizer(partial(momentum, nesterov=True), nesterov, seed=0).passed
