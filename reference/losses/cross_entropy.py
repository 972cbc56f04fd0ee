"""Cross-entropy of integer labels with the softmax of logits, smoothed and masked if asked.

Formula
    q[n, c] = (1 - s) [c = t_n] + s / classes
    l_n = -sum_c q[n, c] log softmax(z_n)_c
    "none": m_n l_n;  "sum": sum_n m_n l_n;  "mean": sum_n m_n l_n / sum_n m_n
    dz_n = g_n m_n (softmax(z_n) - q_n)  (g_n = g / sum_n m_n for "mean")

Shapes
    logits z (batch, classes); labels t (batch), integers in [0, classes); mask m (batch), True
    for the rows that count, None for all; smoothing s: a number in [0, 1];
    the loss, in nats: () or (batch).

Errors
    ValueError: shapes that disagree; a label that is no class; smoothing outside [0, 1]; "mean"
    where no row counts.

Source
    Szegedy et al. (2016) for the smoothing; torch.nn.functional.cross_entropy, whose ignore_index
    is the mask.
"""

import numpy as np

from reference.losses import log_softmax
from reference.reduction import REDUCTIONS
from reference.shapes import expect, in_range, indices_below, one_of


def forward(logits, labels, mask=None, *, smoothing=0.0, reduction="mean"):
    q, m = _targets(logits, labels, mask, smoothing, reduction)
    items = np.where(m, -np.sum(q * log_softmax.forward(logits), axis=1), 0)
    if reduction == "none":
        return items
    return np.sum(items) / (_count(m) if reduction == "mean" else 1)


def vjp(cotangent, logits, labels, mask=None, *, smoothing=0.0, reduction="mean"):
    q, m = _targets(logits, labels, mask, smoothing, reduction)
    expect(logits=(logits, "batch _"), cotangent=(cotangent, "batch" * (reduction == "none")))
    g = cotangent / (_count(m) if reduction == "mean" else 1) * m
    return {"logits": g[:, None] * (np.exp(log_softmax.forward(logits)) - q)}


def _targets(logits, labels, mask, smoothing, reduction):
    expect(logits=(logits, "batch classes"), labels=(labels, "batch"), mask=(mask, "batch"))
    indices_below("labels", labels, logits.shape[1])
    in_range("smoothing", smoothing, 0, 1)
    one_of("reduction", reduction, REDUCTIONS)
    q = np.full_like(logits, smoothing / max(logits.shape[1], 1))
    q[np.arange(len(labels)), labels] += 1 - smoothing
    return q, np.ones(len(labels), bool) if mask is None else mask


def _count(m):
    if not np.any(m):
        raise ValueError(f"mask keeps none of {len(m)} rows: the mean of nothing is undefined")
    return int(np.sum(m))
