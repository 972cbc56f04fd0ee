"""A Subject written out: forward, vjp and the shapes of the inputs, with nothing to adapt.

    gradcheck verify examples.plain_subject:faulty      # exit status 1
    gradcheck verify examples.plain_subject:correct     # exit status 0

The mask belongs to `x`: what it hides must get a gradient of exactly zero.
"""

from __future__ import annotations

import numpy as np

from gradcheck import Subject, mask


def masked_mean(x, keep):
    """Mean of the kept entries of each row; 0 for a row that keeps none."""
    return np.where(keep, x, 0.0).sum(axis=-1) / np.maximum(keep.sum(axis=-1), 1)


def right(cotangent, x, keep):
    count = np.maximum(keep.sum(axis=-1, keepdims=True), 1)
    return {"x": np.where(keep, cotangent[..., None] / count, 0.0)}


def leaks(cotangent, x, keep):
    """Forgets that masked entries had no part in it."""
    count = np.maximum(keep.sum(axis=-1, keepdims=True), 1)
    return {"x": np.broadcast_to(cotangent[..., None] / count, x.shape).copy()}


INPUTS = {"x": "batch time", "keep": mask("batch time", of="x", true="keep")}

correct = Subject("masked mean", masked_mean, right, INPUTS)
faulty = Subject("masked mean", masked_mean, leaks, INPUTS)


if __name__ == "__main__":
    from gradcheck import check

    print(check(correct), check(faulty), sep="\n")
