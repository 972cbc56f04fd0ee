"""Multi-class hinge loss: every other class must stay a margin below the true one.

Formula
    l_n = (1 / classes) sum_{c != t_n} max(0, margin - s[n, t_n] + s[n, c])
    a[n, c] = 1 where that term is positive, 0 elsewhere and for c = t_n
    ds[n, c] = (g_n / classes) (a[n, c] - [c = t_n] sum_k a[n, k])
    then none, sum or mean over the batch (g_n = g / batch for "mean")

Shapes
    score s (batch, classes); labels t (batch), integers in [0, classes);
    the loss: () or (batch); margin: a positive number in the units of s.

Kinks
    A class exactly the margin below the true one: 0.

Errors
    ValueError: shapes that disagree; a label that is no class; margin not positive; "mean" over
    nothing.

Source
    Weston and Watkins (1999); torch.nn.functional.multi_margin_loss.
"""

import numpy as np

from reference.reduction import reduce, spread
from reference.shapes import expect, indices_below, positive


def forward(score, labels, *, margin=1.0, reduction="mean"):
    return reduce(
        np.sum(_violations(score, labels, margin), axis=1) / max(score.shape[1], 1), reduction
    )


def vjp(cotangent, score, labels, *, margin=1.0, reduction="mean"):
    active = (_violations(score, labels, margin) > 0).astype(score.dtype)
    active[np.arange(len(labels)), labels] = -np.sum(active, axis=1)
    g = spread(cotangent, np.sum(active, axis=1), reduction) / max(score.shape[1], 1)
    return {"score": g[:, None] * active}


def _violations(score, labels, margin):
    expect(score=(score, "batch classes"), labels=(labels, "batch"))
    indices_below("labels", labels, score.shape[1])
    positive("margin", margin)
    rows = np.arange(len(labels))
    v = np.maximum(margin - score[rows, labels][:, None] + score, 0)
    v[rows, labels] = 0
    return v
