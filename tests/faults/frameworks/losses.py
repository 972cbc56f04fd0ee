"""Losses: their reductions, weights, labels, and what is held constant."""

import numpy as np
from scipy.special import expit, log_expit

from gradcheck import integers
from tests.faults.frameworks.planted import plant


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True, initial=-1e30))
    return e / e.sum(-1, keepdims=True)


def log_softmax(x):
    y = x - x.max(-1, keepdims=True, initial=-1e30)
    return y - np.log(np.exp(y).sum(-1, keepdims=True))


def one_hot(y, classes):
    return (y[:, None] == np.arange(classes)).astype(float)


# -- cross entropy with the label 0 ignored ------------------------------------------------------


def ignoring(x, y):
    used = y > 0
    return -(log_softmax(x) * one_hot(y, x.shape[1]))[used].sum() / max(used.sum(), 1)


def ignoring_backward(u, x, y, counted=False):
    used = y > 0
    count = len(y) if counted else max(used.sum(), 1)
    return {"x": u * (softmax(x) - one_hot(y, x.shape[1])) * used[:, None] / count}


def smoothed(x, y):
    t = 0.9 * one_hot(y, x.shape[1]) + 0.1 / x.shape[1]
    return -(log_softmax(x) * t).sum(1)


def smoothed_backward(u, x, y):
    t = 0.9 * one_hot(y, x.shape[1]) + 0.1 / x.shape[1]
    return {"x": u[:, None] * (softmax(x) - t)}


def smoothing_ignored(u, x, y):
    return {"x": u[:, None] * (softmax(x) - one_hot(y, x.shape[1]))}


def cross_entropy(x, y):
    return -(log_softmax(x) * one_hot(y, x.shape[1])).sum(1).mean() if len(x) else np.zeros(())


def cross_entropy_backward(u, x, y):
    return {"x": u * (softmax(x) - one_hot(y, x.shape[1])) / max(len(x), 1)}


def target_forgotten(u, x, y):
    return {"x": u * softmax(x) / max(len(x), 1)}


def summed(u, x, y):
    return {"x": u * (softmax(x) - one_hot(y, x.shape[1]))}


LABELS = {"x": "batch classes", "y": integers("batch", 0, "classes")}
LABEL_SIZES = {"batch": (1, 6), "classes": (2, 5)}


# -- focal loss ----------------------------------------------------------------------------------


def focal(x):
    return -((1 - expit(x)) ** 2) * log_expit(x)


def focal_backward(u, x):
    p = expit(x)
    return {"x": u * (2 * (1 - p) ** 2 * p * log_expit(x) - (1 - p) ** 3)}


def focal_detached(u, x):
    return {"x": -u * (1 - expit(x)) ** 3}


def huber(x, delta):
    return np.where(np.abs(x) < delta, x * x / 2, delta * (np.abs(x) - delta / 2))


def huber_backward(u, x, delta):
    slope = np.where(np.abs(x) < delta, 0, np.abs(x) - delta)
    return {"x": u * np.clip(x, -delta, delta), "delta": np.sum(u * slope)}


def divergence(p, q):
    return p * (np.log(p) - np.log(q))


def bce(x, t):
    return -(t * log_expit(x) + (1 - t) * log_expit(-x))


def triplet(a, p, n):
    return ((a - p) ** 2).sum(-1) - ((a - n) ** 2).sum(-1)


def triplet_backward(u, a, p, n):
    u = u[:, None]
    return {"a": 2 * u * (n - p), "p": -2 * u * (a - p), "n": 2 * u * (a - n)}


def nce(a, b):
    """Similarities of unit rows, each to its own."""
    s = a @ b.T
    return np.log(np.exp(s).sum(1)) - np.diag(s)


def nce_backward(u, a, b):
    d = u[:, None] * (softmax(a @ b.T) - np.eye(len(a)))
    return {"a": d @ b, "b": d.T @ a}


FAULTS = [
    plant("cross entropy: ignored labels counted", ignoring, ignoring_backward,
          lambda u, x, y: ignoring_backward(u, x, y, counted=True), LABELS, "x",
          "nonzero entries of `y`", dims=LABEL_SIZES),
    plant("cross entropy: smoothing ignored", smoothed, smoothed_backward, smoothing_ignored,
          LABELS, "x", "constant", dims=LABEL_SIZES),
    plant("cross entropy: target forgotten", cross_entropy, cross_entropy_backward,
          target_forgotten, LABELS, "x", "constant", dims=LABEL_SIZES),
    plant("cross entropy: sum for mean", cross_entropy, cross_entropy_backward, summed, LABELS,
          "x", "scaled by batch", dims=LABEL_SIZES),
    plant("focal loss: weight detached", focal, focal_backward, focal_detached, {"x": "n"}, "x",
          "wrong derivative"),
    plant("huber: delta ignored", huber, huber_backward,
          lambda u, x, delta: {"x": u * np.clip(x, -1, 1)},
          {"x": "n", "delta": np.array(1.7)}, "x", "`delta`"),
    plant("divergence: log term without its 1", lambda p, q: divergence(np.exp(p), np.exp(q)),
          lambda u, p, q: {"p": u * np.exp(p) * (p - q + 1), "q": -u * np.exp(p)},
          lambda u, p, q: {"p": u * np.exp(p) * (p - q)}, {"p": "n", "q": "n"}, "p",
          "function itself"),
    plant("binary cross entropy: sigmoid forgotten", bce,
          lambda u, x, t: {"x": u * (expit(x) - t), "t": -u * x},
          lambda u, x, t: {"x": u * (x - t)}, {"x": "n", "t": "n"}, "x"),
    plant("triplet: anchor misses the negative", triplet, triplet_backward,
          lambda u, a, p, n: {"a": 2 * u[:, None] * (a - p)},
          {"a": "batch d", "p": "batch d", "n": "batch d"}, "a", "`n`",
          dims={"batch": (1, 4), "d": (1, 4)}),
    plant("contrastive loss: positives forgotten", nce, nce_backward,
          lambda u, a, b: {"a": u[:, None] * softmax(a @ b.T) @ b},
          {"a": "batch d", "b": "batch d"}, "a", "linear", dims={"batch": (1, 5), "d": (1, 4)}),
]  # fmt: skip
