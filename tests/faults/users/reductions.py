"""Mistakes in sums, products, norms and contractions."""

import numpy as np

from suites.test_reductions import SUBJECTS
from tests.faults.users.planted import Planter

plant = Planter(SUBJECTS)


def divided_by_x(right, g, x, axis=-1):
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = g * np.cumprod(x, axis)
        return {"x": np.flip(np.cumsum(np.flip(terms, axis), axis), axis) / x}


def zero_where_x_is_zero(right, g, x):
    """Y / x, patched to 0 at x = 0, where the other factors' product belongs."""
    safe = np.where(x == 0, 1, x)
    return {"x": np.where(x == 0, 0, g[:, None] * x.prod(-1, keepdims=True) / safe)}


def divided_by_the_square(right, g, x, p):
    y = np.linalg.norm(x, axis=-1, keepdims=True)
    return {"x": g[..., None] * x / np.where(y == 0, 1, y) ** 2}


def all_of_the_tied(right, g, x, p):
    top = np.abs(x) == np.abs(x).max(-1, keepdims=True)
    return {"x": g[..., None] * np.sign(x) * top}


def no_projection(right, g, a, b, eps):
    """The norms held constant."""
    sizes = [np.maximum(np.linalg.norm(z, axis=-1, keepdims=True), eps) for z in (a, b)]
    return {"a": g[..., None] * b / (sizes[0] * sizes[1])}


def held_at_eps(right, g, a, b, eps):
    """At |a| = eps the derivative of the side below, where that above is declared."""
    sizes = [np.maximum(np.linalg.norm(z, axis=-1, keepdims=True), eps) for z in (a, b)]
    held = g[..., None] * b / (sizes[0] * sizes[1])
    return {"a": np.where(sizes[0] == eps, held, right.vjp(g, a=a, b=b, eps=eps)["a"])}


def shifted_softmax(right, g, x, axis):
    """exp(x - max): the softmax's sum forgotten."""
    e = np.exp(x - x.max(axis, keepdims=True))
    return {"x": np.expand_dims(g, axis) * e}


def left_not_transposed(right, g, a, b, spec):
    return {"b": a @ g}


def first_of_the_broadcast(right, g, a, **others):
    """The gradient of a letter summed alone put at its first index."""
    gradient = right.vjp(g, a=a, **others)["a"]
    gradient[..., 1:] = 0
    return {"a": gradient}


def divided(a, b):
    with np.errstate(divide="ignore", invalid="ignore"):
        return a / b


FAULTS = [
    plant(
        "cumsum: cumulated from the front",
        "cumsum",
        "x",
        lambda right, g, x, axis: {"x": np.cumsum(g, axis)},
        "transpose",
    ),
    plant("cumprod: divided by x", "cumprod-zeros", "x", divided_by_x),
    plant(
        "prod: divided by x",
        "prod-zeros",
        "x",
        lambda right, g, x: {"x": divided(g[:, None] * x.prod(-1, keepdims=True), x)},
    ),
    plant("prod: 0 where x is 0", "prod-zeros", "x", zero_where_x_is_zero),
    plant("logsumexp: sum forgotten", "logsumexp", "x", shifted_softmax),
    plant("norm: divided by its square", "norm-2", "x", divided_by_the_square),
    plant(
        "norm 1: cotangent ignored",
        "norm-1",
        "x",
        lambda right, g, x, p: {"x": np.sign(x)},
        "ignores the cotangent",
    ),
    plant("norm inf: all of the tied", "norm-inf", "x", all_of_the_tied, "kink"),
    plant(
        "cosine_similarity: norms held constant",
        "cosine_similarity",
        "a",
        no_projection,
        "path",
        "norm",
    ),
    plant(
        "cosine_similarity: norms held constant at eps",
        "cosine_similarity",
        "a",
        held_at_eps,
        "convention",
        keep_twin=True,
    ),
    plant(
        "bilinear: W averaged over the batch",
        "bilinear",
        "W",
        lambda right, g, a, **others: {"W": right.vjp(g, a=a, **others)["W"] / max(len(a), 1)},
        "mean instead of sum",
    ),
    plant("einsum: a not transposed", "einsum ij,jk->ik", "b", left_not_transposed, "transpose"),
    plant(
        "einsum: broadcast to one index",
        "einsum ijs,kj->ki",
        "a",
        first_of_the_broadcast,
        "first index",
    ),
]
