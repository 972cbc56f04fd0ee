"""Cross-entropy of integer labels with the softmax of logits, smoothed and masked if asked.

Formula
    q[n, c] = (1 - s) [c = t_n] + s / classes
    l_n = -sum_c q[n, c] log softmax(z_n)_c
    "none": m_n l_n;  "sum": sum_n m_n l_n;  "mean": sum_n m_n l_n / sum_n m_n
    dz_n = g_n m_n (softmax(z_n) - q_n)  (g_n = g / sum_n m_n for "mean")

Shapes
    logits z (batch, classes); labels t (batch), integers in [0, classes); mask m (batch), True
    for the rows that count, None for all, and a row that does not may hold anything;
    a logit of -inf rules its class out (only without smoothing, and not the label's: that loss is
    infinite); smoothing s: a number in [0, 1];
    the loss, in nats: () or (batch).

Errors
    ValueError: shapes that disagree; a label that is no class; a mask of anything but 0 and 1;
    smoothing outside [0, 1]; "mean" where no row counts.

Source
    Szegedy et al. (2016) for the smoothing; torch.nn.functional.cross_entropy, whose ignore_index
    is the mask.
"""

import numpy as np

from reference.losses import log_softmax
from reference.reduction import REDUCTIONS
from reference.shapes import expect, float_type, in_range, indices_below, one_of, zeros_and_ones


def forward(logits, labels, mask=None, *, smoothing=0.0, reduction="mean"):
    q, m = _targets(logits, labels, mask, smoothing, reduction)
    terms = q * np.where(q > 0, log_softmax.forward(logits), 0)
    items = np.where(m, -np.sum(terms, axis=1), 0)
    if reduction == "none":
        return items
    return np.sum(items) / (_count(m) if reduction == "mean" else 1)


def vjp(cotangent, logits, labels, mask=None, *, smoothing=0.0, reduction="mean"):
    q, m = _targets(logits, labels, mask, smoothing, reduction)
    expect(logits=(logits, "batch _"), cotangent=(cotangent, "batch" * (reduction == "none")))
    g = cotangent[:, None] if reduction == "none" else cotangent
    slope = np.where(m[:, None], np.exp(log_softmax.forward(logits)) - q, 0)
    return {"logits": g / (_count(m) if reduction == "mean" else 1) * slope}


def _targets(logits, labels, mask, smoothing, reduction):
    expect(logits=(logits, "batch classes"), labels=(labels, "batch"), mask=(mask, "batch?"))
    indices_below("labels", labels, logits.shape[1])
    in_range("smoothing", smoothing, 0, 1)
    one_of("reduction", reduction, REDUCTIONS)
    q = np.full(logits.shape, smoothing / max(logits.shape[1], 1), float_type(logits))
    q[np.arange(len(labels)), labels] += 1 - smoothing
    if mask is None:
        return q, np.ones(len(labels), bool)
    zeros_and_ones("mask", mask)
    return q, mask.astype(bool)


def _count(m):
    if not np.any(m):
        raise ValueError(f"mask keeps none of {len(m)} rows: the mean of nothing is undefined")
    return int(np.sum(m))
