"""Mistakes in losses."""

import numpy as np
from scipy.special import softmax

from suites.test_users_losses import SUBJECTS
from tests.faults.users.planted import Planter

plant = Planter(SUBJECTS)


def one_hot(labels, classes):
    return np.eye(classes)[labels]


def not_averaged(right, g, logits, labels, **options):
    return {"logits": g * (softmax(logits, axis=1) - one_hot(labels, logits.shape[1]))}


def averaged_over_all_rows(right, g, logits, labels, mask, **options):
    gradients = right.vjp(g, logits=logits, labels=labels, mask=mask, **options)
    return {"logits": gradients["logits"] * mask.sum() / len(mask)}


def mask_forgotten(right, g, logits, labels, mask, **options):
    everything = np.ones_like(mask)
    return right.vjp(g, logits=logits, labels=labels, mask=everything, **options)


def smoothing_forgotten(right, g, smoothing, **inputs):
    return right.vjp(g, smoothing=0.0, **inputs)


def next_label(right, g, labels, log_p, **inputs):
    shifted = (labels + 1) % max(log_p.shape[1], 1)
    return right.vjp(g, labels=shifted, log_p=log_p, **inputs)


def mean_over_rows(right, g, log_p, labels, weights, reduction):
    gradient = np.zeros_like(log_p)
    rows = np.arange(len(labels))
    gradient[rows, labels] = -g * weights[labels] / max(len(labels), 1)
    return {"log_p": gradient}


def all_classes_once(right, g, score, labels, reduction):
    """The true class loses one share, however many classes violate the margin."""
    rows = np.arange(len(labels))
    v = 1 - score[rows, labels][:, None] + score > 0
    v[rows, labels] = False
    gradient = v - one_hot(labels, score.shape[1]) * v.any(axis=1, keepdims=True)
    return {"score": g[:, None] * gradient / score.shape[1]}


def closed_margin(right, g, score, labels, reduction):
    """A class exactly the margin below the true one counts as a violation."""
    rows = np.arange(len(labels))
    v = (1 - score[rows, labels][:, None] + score >= 0).astype(float)
    v[rows, labels] = 0
    v[rows, labels] = -v.sum(axis=1)
    return {"score": g[:, None] * v / score.shape[1]}


FAULTS = [
    plant(
        "log_softmax: path through the sum missing",
        "log_softmax",
        "x",
        lambda right, g, x: {"x": g.copy()},
        "path",
    ),
    plant(
        "log_softmax: softmax not multiplied by the sum of g",
        "log_softmax",
        "x",
        lambda right, g, x: {"x": g - softmax(x, axis=-1) if x.size else g},
        "cotangent",
    ),
    plant(
        "cross_entropy: sum for mean",
        "cross_entropy-mean",
        "logits",
        not_averaged,
        "scaled",
        "batch",
    ),
    plant(
        "cross_entropy: mean over masked rows too",
        "cross_entropy-masked-smoothed-mean",
        "logits",
        averaged_over_all_rows,
    ),
    plant(
        "cross_entropy: mask forgotten",
        "cross_entropy-masked-smoothed-sum",
        "logits",
        mask_forgotten,
        "mask",
    ),
    plant(
        "cross_entropy: smoothing forgotten",
        "cross_entropy-masked-smoothed-none",
        "logits",
        smoothing_forgotten,
        "`smoothing`",
    ),
    plant("nll: next label", "nll-none", "log_p", next_label, "off by one"),
    plant("nll: mean over rows, not weights", "nll-mean", "log_p", mean_over_rows),
    plant(
        "huber: not clipped",
        "huber-sum",
        "prediction",
        lambda right, g, prediction, target, reduction: {"prediction": g * (prediction - target)},
    ),
    plant(
        "huber: target's sign",
        "huber-none",
        "target",
        lambda right, g, **inputs: {"target": -right.vjp(g, **inputs)["target"]},
        "sign",
    ),
    plant(
        "huber: sum for mean",
        "huber-mean",
        "prediction",
        lambda right, g, prediction, target, reduction: {
            "prediction": g * np.clip(prediction - target, -1, 1)
        },
        "scaled",
    ),
    plant(
        "hinge: label forgotten",
        "hinge-none",
        "score",
        lambda right, g, score, label, reduction: {"score": -g * (label * score < 1)},
    ),
    plant(
        "hinge: closed margin",
        "hinge-none",
        "score",
        lambda right, g, score, label, reduction: {"score": -g * label * (label * score <= 1)},
        "convention",
        keep_twin=True,
    ),
    plant(
        "multi_margin: closed margin",
        "multi_margin-none",
        "score",
        closed_margin,
        "convention",
        keep_twin=True,
    ),
    plant("multi_margin: the true class once", "multi_margin-none", "score", all_classes_once),
]
