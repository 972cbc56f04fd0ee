"""The training schemes' losses in torch, and runs of `torch.optim` beside ours, step by step."""

import numpy as np

from suites.building import torch


def relu(z, at_zero=0.0):
    """The form of relu with this derivative at zero: 0, 1/2 or 1."""
    if at_zero == 0:
        return torch.relu(z)
    if at_zero == 1:
        return torch.where(z >= 0, z, torch.zeros_like(z))
    return torch.maximum(z, torch.zeros_like(z))


def perceptron(weights, X, at_zero=0.0):
    """Relu layers W1, b1, W2, b2, ..., the last one linear."""
    h, depth = X, len(weights) // 2
    for k in range(1, depth + 1):
        h = (relu(h, at_zero) if k > 1 else h) @ weights[f"W{k}"] + weights[f"b{k}"]
    return h


def mean_square(p, y):
    return ((p - y) ** 2).mean()


def scalar(w, x, y):
    return mean_square(x * w["w"], y)


def dense(w, X, y):
    return mean_square(X @ w["W"] + w["b"], y)


def pairs(w, X, y):
    """The documented broadcast, as torch does it too: (n, 1) against (n,)."""
    return ((X @ w["W"] + w["b"] - y[:, 0]) ** 2).mean()


def layers(w, X, y):
    return mean_square(perceptron(w, X), y)


def half(w, X, y):
    return 0.5 * layers(w, X, y)


def demo(at_zero):
    """The relu demo with this derivative at zero; x without its bias column gets one."""

    def loss(w, x, y):
        if x.shape[1] < len(w["w1"]):
            x = torch.cat([x, torch.ones(len(x), 1, dtype=x.dtype)], dim=1)
        return ((relu(x @ w["w1"], at_zero) @ w["w2"] - y) ** 2).sum()

    return loss


def masked(w, x, target, mask):
    return mean_square(torch.relu(x @ (w["W"] * mask) + w["b"]), target)


def dropped(drop):
    """The nolearn net with these probabilities and given masks kept1, kept2, ..."""

    def loss(w, X, target, known, **kept):
        h = X
        for k in range(1, len(w) // 2 + 1):
            if k > 1:
                mask = kept[f"kept{k - 1}"]
                h = torch.maximum(h, torch.zeros_like(h)) * mask / (1 - drop[k - 2])
            h = h @ w[f"W{k}"] + w[f"b{k}"]
        return (known * (h - target) ** 2).sum() / known.sum().clamp(min=1)

    return loss


def orthogonal(w, x, y, sx, sy):
    delta, beta = w["delta"], w["beta"]
    return ((((beta[0] * (x + delta) + beta[1] - y) / sy) ** 2) + (delta / sx) ** 2).sum()


def cascade(w, x, target):
    """Affine, tanh, affine on one column vector; half the squared error."""
    e = w["M3"] @ torch.tanh(w["M1"] @ x + w["b1"]) + w["b3"] - target
    return e @ e / 2


def lift(w, x):
    return torch.relu(x @ w["A"] + w["a"]) @ w["B"] + w["c"]


def lift_loss(w, x, target):
    return mean_square(lift(w, x), target)


def task(w, x):
    """The Task at flat weights w (26,) and one sample x (3,)."""
    return torch.relu(x @ w[:15].reshape(3, 5) + w[15:20]) @ w[20:25] + w[25]


def tensors(arrays, requires_grad=False):
    return {k: torch.tensor(a, requires_grad=requires_grad) for k, a in arrays.items()}


def run(steps, loss, optimizer, **options):
    """Torch's own run of the same scheme: pairs (our step, torch's weights after it).

    loss(weights, step) -> a scalar tensor. The first step's `before` is where it starts; from
    there on torch goes its own way.
    """
    weights = made = None
    for step in steps:
        if weights is None:
            weights = tensors(step.before, requires_grad=True)
            made = getattr(torch.optim, optimizer)(list(weights.values()), **options)
        made.zero_grad()
        loss(weights, step).backward()
        made.step()
        yield step, {k: w.detach().numpy() for k, w in weights.items()}


def apart(ours, theirs):
    """Largest difference of the weights, relative to the largest weight of each array."""
    found = 0.0
    for name, a in ours.items():
        scale = max(np.abs(a).max(), 1e-300)
        found = max(found, float(np.abs(np.asarray(theirs[name]) - a).max() / scale))
    return found


def lift_run(X, y, weights):
    """Document (000)'s loop in eager torch, per sample; yields Lift's weights after each.

    Two RMSprop optimizers with tf.keras's settings; the Task's weights are overwritten by Lift's
    output before its step.
    """
    settings = {"lr": 0.001, "alpha": 0.9, "eps": 1e-7}
    theta = tensors(weights, requires_grad=True)
    outer = torch.optim.RMSprop(list(theta.values()), **settings)
    inside = torch.zeros(26, dtype=theta["A"].dtype, requires_grad=True)
    inner = torch.optim.RMSprop([inside], **settings)
    for x, target in zip(torch.tensor(X), torch.tensor(y), strict=True):
        with torch.no_grad():
            inside.copy_(lift(theta, x))
        inner.zero_grad()
        ((task(inside, x) - target) ** 2).backward()
        inner.step()
        outer.zero_grad()
        mean_square(lift(theta, x), inside.detach()).backward()
        outer.step()
        yield theta
