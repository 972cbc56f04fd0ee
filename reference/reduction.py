"""What becomes of a loss's items: kept apart ("none"), added ("sum") or averaged ("mean")."""

import numpy as np

from reference.shapes import expect, one_of, some_elements

REDUCTIONS = ("none", "sum", "mean")


def reduce(items, reduction):
    """The loss from its items. The mean of no items is a ValueError."""
    one_of("reduction", reduction, REDUCTIONS)
    if reduction == "none":
        return items
    if reduction == "sum":
        return np.sum(items)
    some_elements("the loss", items)
    return np.mean(items)


def spread(cotangent, like, reduction):
    """The cotangent of each item: the VJP of `reduce`, for items of `like`'s shape."""
    one_of("reduction", reduction, REDUCTIONS)
    if reduction == "none":
        expect(items=(like, "..."), cotangent=(cotangent, "..."))
        return cotangent
    expect(cotangent=(cotangent, ""))
    if reduction == "mean":
        some_elements("the loss", like)
        cotangent = cotangent / like.size
    return np.broadcast_to(cotangent, like.shape)
