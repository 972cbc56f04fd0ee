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


def stale(w, g, last=None, *, lr):
    return w - lr * (g if last is None else last), g


def correction_that_ends(w, g, state=None, *, lr):
    """Adam whose bias correction is dropped after ten steps."""
    return adam(w, g, state, lr=lr, correct=state is None or state[2] < 10)


def reset_after_50(w, g, state=None, *, lr):
    v, t = state or (np.zeros_like(w), 0)
    v = g if t == 49 else 0.9 * v + g
    return w - lr * v, (v, t + 1)


def decaying(w, g, t=None, *, lr, late=0):
    t = t or 0
    return w - lr / (1 + 0.1 * (t + late)) * g, t + 1


def clipped(w, g, state=None, *, lr, by="value", limit=1.0):
    size = np.linalg.norm(g)
    g = np.clip(g, -limit, limit) if by == "value" else g * min(1, limit / max(size, 1e-300))
    return w - lr * g, state


def first_row(w, g, state=None, *, lr):
    w = w.copy()
    w[:1] -= lr * g[:1]
    return w, state


def single(w, g, state=None, *, lr):
    return (w - np.float32(lr) * g.astype(np.float32)).astype(np.float32).astype(float), state


def in_place_of_the_gradient(w, g, state=None, *, lr):
    g -= lr * w
    return w, state


def rooted(w, g, v=None, *, lr, power=0.5):
    v = (0 if v is None else 0.9 * v) + 0.1 * g * g
    return w - lr * g / (v**power + 1e-9), v


def thresholded(w, g, state=None, *, lr):
    return w - lr * np.where(np.abs(g) < 1e-8, 0, g), state


def by_rows(w, g, state=None, *, lr):
    return w - lr * g / np.maximum(1, np.linalg.norm(g, axis=-1, keepdims=True)), state


FAULTS = {
    "small gradients ignored": (thresholded, sgd),
    "bounded update": (by_rows, sgd),
    "learning rate": (lambda w, g, *, lr: w - min(lr, 0.1) * g, sgd),
    "scaled by 1 + 1e-07": (partial(sgd, factor=1 + 1e-7), sgd),
    "stale gradient": (stale, sgd),
    "changes after some steps": (correction_that_ends, adam),
    "schedule off by one": (partial(decaying, late=1), decaying),
    "schedule": (decaying, sgd),
    "clipping missing": (sgd, clipped),
    "clipping by norm": (partial(clipped, by="norm"), clipped),
    "clipping by value": (clipped, partial(clipped, by="norm")),
    "clipping": (partial(clipped, limit=2.0), clipped),
    "entries never updated": (first_row, sgd),
    "never updated": (in_place_of_the_gradient, sgd),
    "precision lost": (single, sgd),
    "learning rate applied twice": (lambda w, g, *, lr: w - lr * lr * g, sgd),
    "learning rate ignored": (lambda w, g, *, lr: w - 0.1 * g, sgd),
    "power of the gradient": (partial(rooted, power=1.0), rooted),
    "averaging factor": (partial(rmsprop, rho=0.99), rmsprop),
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


def test_the_step_that_changes_is_told():
    report = check_optimizer(reset_after_50, partial(momentum, inside=False), seed=0)
    assert "right in the first 49 steps" in report.findings[0].message


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


class ByName:
    """Parameters and gradients by name, as textbooks have it; `shared` keeps one velocity."""

    def __init__(self, lr=0.1, shared=False):
        self.lr, self.shared, self.v = lr, shared, {}

    def update(self, params, grads):
        for name, g in grads.items():
            key = "all" if self.shared else name
            self.v[key] = 0.9 * self.v.get(key, 0) + g
            params[name] -= self.lr * self.v[key]


class Holding:
    """Made of its parameters, a list, which it changes in place."""

    def __init__(self, params, lr=0.1):
        self.params, self.lr, self.v = params, lr, [np.zeros_like(p) for p in params]

    def step(self, grads):
        for p, g, v in zip(self.params, grads, self.v, strict=True):
            v *= 0.9
            v += g
            p -= self.lr * v


def stateful(w, g, state, lr):
    """State in a dictionary that it is given, and changes."""
    state["v"] = 0.9 * state.get("v", 0) + g
    return w - lr * state["v"]


def looping(params, grads, lr):
    """A list's loop: over a matrix it would move the rows, over a vector nothing."""
    for p, g in zip(params, grads, strict=True):
        p -= lr * g


def smoothed(w, g, v=None, *, lr, alpha=0.9):
    return rmsprop(w, g, v, lr=lr, rho=alpha)


OUTSIDE = partial(momentum, inside=False)


@pytest.mark.parametrize(
    ("theirs", "like"),
    [
        (ByName, OUTSIDE),
        (Holding, OUTSIDE),
        (stateful, OUTSIDE),
        (looping, sgd),
        (partial(smoothed, lr=0.1), partial(rmsprop, lr=0.1)),
    ],
    ids=["by name", "holding", "state in place", "looping", "alpha is no rate where lr is bound"],
)
def test_every_form_people_write_is_driven(theirs, like):
    report = check_optimizer(theirs, like, seed=0)
    assert report.passed, str(report)


def test_what_parameters_share_is_seen():
    report = check_optimizer(partial(ByName, shared=True), OUTSIDE, seed=0)
    assert {f.fault for f in report.findings} == {"state shared between parameters"}


def test_a_step_that_raises_is_a_finding():
    def fragile(w, g, t=0, *, lr):
        if not g.all():
            raise ZeroDivisionError("a gradient of zero")
        return w - lr * g, t

    report = check_optimizer(fragile, sgd, seed=0)
    assert report.verdict == "broken"
    assert "a gradient of zero" in report.findings[0].message


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


def unfit(w, g):
    raise TypeError("not these two arguments")


def test_no_optimizer():
    with pytest.raises(UsageError, match="theirs="):
        check_optimizer(3, sgd)
    with pytest.raises(UsageError, match="became"):
        check_optimizer(lambda w, g: (w - g)[..., None], sgd)
    with pytest.raises(UsageError, match=r"theirs=unfit: no step could be taken; .*two arguments"):
        check_optimizer(unfit, sgd)


def torch_momentum(torch, *, alias=False, all_grads=False, only_first=False, in_place=False):
    """torch.optim.SGD(momentum=0.9) by hand, with one fault or habit."""

    class Own(torch.optim.Optimizer):
        def __init__(self, params, lr=0.1):
            super().__init__(params, {"lr": lr})

        @torch.no_grad()
        def step(self):
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is None and not all_grads:
                        continue
                    if in_place:
                        p.grad.add_(p, alpha=0.1)
                    v = self.state[p].get("v")
                    if v is None:
                        v = p.grad if alias else p.grad.clone()
                    else:
                        v = v.mul_(0.9).add_(p.grad)
                    self.state[p]["v"] = v
                    p.sub_(group["lr"] * v)
                    if only_first:
                        break

    return Own


def test_torch_optimizers_of_several_parameters():
    torch = pytest.importorskip("torch")
    like = partial(torch.optim.SGD, momentum=0.9)
    assert check_optimizer(torch_momentum(torch), like, seed=0).passed
    for options, fault in (
        ({"only_first": True}, "parameter never updated"),
        ({"alias": True}, "gradient kept by reference"),
    ):
        report = check_optimizer(torch_momentum(torch, **options), like, seed=0)
        assert {f.fault for f in report.findings} == {fault}, str(report)


def test_habits_are_remarks():
    """Each is right for who always gives a gradient, and does not read it afterwards."""
    torch = pytest.importorskip("torch")
    like = partial(torch.optim.SGD, momentum=0.9)
    report = check_optimizer(torch_momentum(torch, all_grads=True), like, seed=0)
    assert report.passed, str(report)
    assert "a parameter without a gradient" in " ".join(report.remarks)
    decaying = partial(torch.optim.SGD, momentum=0.9, weight_decay=0.1)
    report = check_optimizer(torch_momentum(torch, in_place=True), decaying, seed=0)
    assert report.passed, str(report)
    assert "writes into the gradient" in " ".join(report.remarks)


def test_a_step_that_needs_a_closure_is_refused():
    torch = pytest.importorskip("torch")
    with pytest.raises(UsageError, match="check_training"):
        check_optimizer(torch.optim.LBFGS, sgd)


def test_a_torch_optimizer_is_driven():
    torch = pytest.importorskip("torch")
    assert check_optimizer(torch.optim.SGD, sgd, seed=0).passed
    nesterov = partial(torch.optim.SGD, momentum=0.9, nesterov=True)
    assert check_optimizer(partial(momentum, inside=False, nesterov=True), nesterov, seed=0).passed
    assert not check_optimizer(partial(momentum, nesterov=True), nesterov, seed=0).passed
