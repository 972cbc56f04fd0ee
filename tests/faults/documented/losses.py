"""Faults of losses: broadcasting, halves, signs, unknown targets, both errors of a line."""

import numpy as np

from gradcheck import Subject
from suites.test_documented_losses import SUBJECTS
from tests.faults.documented.planted import Planted, plant, spoil, subject

MEAN, HALF_MEAN, SUM, HALF_SUM = (
    subject(SUBJECTS, f"mse {form}") for form in ("mean", "half mean", "sum", "half sum")
)
MASKED, SEQUENCE = subject(SUBJECTS, "masked mse"), subject(SUBJECTS, "masked sequence mse")
SOFTMAX, ODR = subject(SUBJECTS, "softmax mse"), subject(SUBJECTS, "odr objective")
COLUMN = {"prediction": "batch 1", "target": "batch"}


def column_mse(name, vjp, forward=None, twin=None):
    """The squared error of predictions (n, 1) and targets (n,)."""
    return Subject(
        name,
        forward or per_sample,
        vjp,
        COLUMN,
        twin=twin,
        where=lambda batch: batch > 0,
        source="(001) mini-batch",
    )


def per_sample(prediction, target):
    """The mean over the samples, as meant."""
    return np.mean((prediction[:, 0] - target) ** 2)


def per_sample_vjp(cotangent, prediction, target):
    """The gradient: 2 (p - t) / n."""
    dp = cotangent * 2 * (prediction[:, 0] - target) / len(target)
    return {"prediction": dp[:, None], "target": -dp}


def per_pair(prediction, target):
    """(n, 1) - (n,) is (n, n): the mean over all pairs."""
    return np.mean((prediction - target) ** 2)


def per_pair_vjp(cotangent, prediction, target):
    """The gradient: (2 / n) (p_i - mean t), and the targets likewise."""
    error = cotangent * 2 * (prediction - target) / len(target) ** 2
    return {"prediction": error.sum(1, keepdims=True), "target": -error.sum(0)}


RIGHT = column_mse("mse of a column", per_sample_vjp)
FAULTS = [
    Planted(
        "mse: (n, 1) against (n,), forward and gradient",
        column_mse("mse of all pairs", per_pair_vjp, per_pair, twin=RIGHT),
        RIGHT,
        ("twin",),
    ),
    Planted(
        "mse: (n, 1) against (n,), in the gradient",
        column_mse("gradient of all pairs", per_pair_vjp),
        RIGHT,
        ("`prediction`",),
    ),
    plant(
        "mse: (n, k) against (n, 1), no sum over the copies",
        MEAN.but(
            inputs={"prediction": "batch outputs", "target": "batch 1"},
            forward=lambda prediction, target: np.mean((prediction - target) ** 2),
            vjp=lambda cotangent, prediction, target: {
                "prediction": cotangent * 2 * (prediction - target) / prediction.size,
                "target": -cotangent
                * 2
                * (prediction - target).sum(1, keepdims=True)
                / prediction.size,
            },
            twin=None,
        ),
        ("`target`", "shape"),
        vjp=lambda right, cotangent, prediction, target: {
            "prediction": cotangent * 2 * (prediction - target) / prediction.size,
            "target": -cotangent * 2 * (prediction - target) / prediction.size,
        },
    ),
    plant(
        "mse: the negative gradient, as some optimizers add",
        HALF_MEAN,
        ("sign flipped",),
        vjp=spoil(prediction=np.negative, target=np.negative),
    ),
    plant(
        "mse: a mean with half the mean's factor",
        MEAN,
        ("scaled", "1/2"),
        vjp=lambda right, cotangent, **pair: HALF_MEAN.vjp(cotangent, **pair),
    ),
    plant(
        "mse: half a mean without the half",
        HALF_MEAN,
        ("scaled", "2"),
        vjp=lambda right, cotangent, **pair: MEAN.vjp(cotangent, **pair),
    ),
    plant(
        "mse: half a sum without the half",
        HALF_SUM,
        ("scaled", "2"),
        vjp=lambda right, cotangent, **pair: SUM.vjp(cotangent, **pair),
    ),
    plant(
        "mse: a sum with the mean's factor",
        SUM,
        ("scaled by 1/(batch*outputs)",),
        vjp=lambda right, cotangent, prediction, target: {
            name: g / max(prediction.size, 1)
            for name, g in right.vjp(cotangent, prediction=prediction, target=target).items()
        },
    ),
    plant(
        "mse: the cotangent ignored",
        MEAN,
        ("cotangent ignored",),
        vjp=lambda right, cotangent, **pair: right.vjp(np.ones_like(cotangent), **pair),
    ),
    plant(
        "masked mse: unknown targets count as 0",
        MASKED,
        ("mask",),
        vjp=lambda right, cotangent, prediction, target, mask: (
            dict(right.vjp(cotangent, prediction=prediction, target=target, mask=mask))
            | {
                "prediction": cotangent
                * 2
                * (prediction - np.where(mask, target, 0))
                / max(mask.sum(), 1)
            }
        ),
    ),
    plant(
        "masked mse: over all elements, not over the known",
        MASKED,
        ("`prediction`", "scaled by a factor that changes"),
        vjp=lambda right, cotangent, prediction, target, mask: {
            name: g * max(mask.sum(), 1) / max(mask.size, 1)
            for name, g in right.vjp(
                cotangent, prediction=prediction, target=target, mask=mask
            ).items()
        },
    ),
    plant(
        "masked sequence mse: padded steps in the gradient",
        SEQUENCE,
        ("mask",),
        vjp=lambda right, cotangent, prediction, target, mask: dict(
            right.vjp(cotangent, prediction=prediction, target=target, mask=np.ones_like(mask))
        ),
    ),
    plant(
        "softmax mse: cross-entropy's gradient",
        SOFTMAX,
        ("`logits`",),
        vjp=lambda right, cotangent, logits, target: (
            dict(right.vjp(cotangent, logits=logits, target=target))
            | {"logits": cotangent * (softmax(logits) - target) / logits.size}
        ),
    ),
    plant(
        "odr: sy where its square belongs",
        ODR,
        ("`beta`",),
        vjp=lambda right, cotangent, **line: (
            dict(right.vjp(cotangent, **line))
            | {"beta": right.vjp(cotangent, **line | {"sy": np.sqrt(line["sy"])})["beta"]}
        ),
    ),
    plant(
        "odr: the errors in x left out of ddelta",
        ODR,
        ("`delta`",),
        vjp=lambda right, cotangent, **line: (
            dict(right.vjp(cotangent, **line))
            | {"delta": right.vjp(cotangent, **line | {"sx": 1e200 * line["sx"]})["delta"]}
        ),
    ),
]


def softmax(logits):
    """Over the last axis."""
    e = np.exp(logits - logits.max(-1, keepdims=True, initial=-np.inf))
    return e / e.sum(-1, keepdims=True)
