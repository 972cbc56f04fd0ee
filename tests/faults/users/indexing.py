"""Mistakes with indices and order."""

import numpy as np

from suites.test_indexing import SUBJECTS
from tests.faults.users.planted import Planter

plant = Planter(SUBJECTS)


def order_for_its_inverse(right, g, x, axis):
    return {"x": np.take_along_axis(g, np.argsort(x, axis, kind="stable"), axis)}


def ascending(right, g, x, axis, descending):
    return {"x": right.vjp(g, x=x, axis=axis, descending=False)["x"]}


def to_the_front(right, g, x, k):
    """The cotangent put at the first k places, wherever the values came from."""
    dx = np.zeros_like(x)
    dx[..., :k] = g[0]
    return {"x": dx}


def last_of_the_tied(right, g, x, k):
    order = np.flip(np.argsort(x, axis=-1, kind="stable"), -1)[..., :k]
    dx = np.zeros_like(x)
    np.put_along_axis(dx, order, g[0], -1)
    return {"x": dx}


def overwritten(right, g, x, index, axis):
    dx = np.zeros_like(x)
    np.put_along_axis(dx, index, g, axis)
    return {"x": dx}


def next_index(right, g, x, index, axis):
    return right.vjp(g, x=x, index=(index + 1) % max(x.shape[axis], 1), axis=axis)


def scattered_over(right, g, x, index, updates, axis):
    """Dx of a scatter that replaces: nothing where an update went."""
    dx = g.copy()
    np.put_along_axis(dx, index, 0, axis)
    return {"x": dx}


FAULTS = [
    plant("sort: the order for its inverse", "sort", "x", order_for_its_inverse, "permuted"),
    plant("sort: descending forgotten", "sort-descending-columns", "x", ascending, "flipped"),
    plant("top_k: to the front", "top_k-3", "x", to_the_front),
    plant(
        "top_k: the last of the tied",
        "top_k-1",
        "x",
        last_of_the_tied,
        "convention",
        keep_twin=True,
    ),
    plant("gather: repeated index overwritten", "gather", "x", overwritten, "overwritten"),
    plant("gather: next index", "gather-rows", "x", next_index, "rolled"),
    plant("scatter_add: dx of a scatter", "scatter_add", "x", scattered_over),
    plant(
        "scatter_add: updates detached",
        "scatter_add-rows",
        "updates",
        lambda right, g, x, index, updates, axis: {"updates": np.zeros_like(updates)},
        "always zero",
    ),
]
