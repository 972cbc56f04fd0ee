"""Hinge loss of a score against a label of -1 or 1.

Formula
    l = max(0, 1 - t s), then none, sum or mean over all elements
    ds = -g t  where t s < 1,  0 elsewhere  (g / size for "mean")

Shapes
    score s, label t: any, the same, t holding -1 and 1; the loss: that shape ("none") or ().

Kinks
    t s = 1, at the margin: 0.

Errors
    ValueError: label or cotangent of another shape; a label other than -1 and 1; "mean" over
    nothing.

Source
    Cortes and Vapnik (1995).
"""

import numpy as np

from reference.reduction import reduce, spread
from reference.shapes import expect


def forward(score, label, *, reduction="mean"):
    return reduce(np.maximum(_shortfall(score, label), 0), reduction)


def vjp(cotangent, score, label, *, reduction="mean"):
    active = (_shortfall(score, label) > 0) * label.astype(score.dtype)
    return {"score": -spread(cotangent, score, reduction) * active}


def _shortfall(score, label):
    expect(score=(score, "..."), label=(label, "..."))
    unknown = np.abs(label) != 1
    if np.any(unknown):
        raise ValueError(f"label holds {label[unknown][0]}: it must be -1 or 1")
    return 1 - label.astype(score.dtype) * score
