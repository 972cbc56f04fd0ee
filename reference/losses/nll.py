"""Negative log-likelihood of integer labels, each class with its own weight.

Formula
    l_n = -w[t_n] log_p[n, t_n]
    "none": l;  "sum": sum_n l_n;  "mean": sum_n l_n / sum_n w[t_n]
    d log_p[n, c] = -g_n w[c]  where c = t_n,  0 elsewhere  (g_n = g / sum_n w[t_n] for "mean")

Shapes
    log_p (batch, classes), in nats; labels (batch), integers in [0, classes);
    weights (classes) or None for ones, data and not differentiated; the loss: () or (batch).

Errors
    ValueError: shapes that disagree; a label that is no class; "mean" where the weights in the
    batch add up to nothing.

Source
    torch.nn.functional.nll_loss.
"""

import numpy as np

from reference.reduction import REDUCTIONS
from reference.shapes import expect, indices_below, one_of


def forward(log_p, labels, weights=None, *, reduction="mean"):
    w = _weight_of_each(log_p, labels, weights, reduction)
    items = -w * log_p[np.arange(len(labels)), labels]
    if reduction == "none":
        return items
    return np.sum(items) / (_total(w) if reduction == "mean" else 1)


def vjp(cotangent, log_p, labels, weights=None, *, reduction="mean"):
    w = _weight_of_each(log_p, labels, weights, reduction)
    expect(log_p=(log_p, "batch _"), cotangent=(cotangent, "batch" if reduction == "none" else ""))
    gradient = np.zeros(log_p.shape, np.result_type(log_p, w, cotangent))
    scale = _total(w) if reduction == "mean" else 1
    gradient[np.arange(len(labels)), labels] = -cotangent * w / scale
    return {"log_p": gradient}


def _weight_of_each(log_p, labels, weights, reduction):
    expect(log_p=(log_p, "batch classes"), labels=(labels, "batch"), weights=(weights, "classes?"))
    indices_below("labels", labels, log_p.shape[1])
    one_of("reduction", reduction, REDUCTIONS)
    return np.ones(len(labels), log_p.dtype) if weights is None else weights[labels]


def _total(w):
    total = np.sum(w)
    if total == 0:
        raise ValueError(f"the weights of {len(w)} labels add up to 0: their mean is undefined")
    return total
