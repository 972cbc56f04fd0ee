"""Mistakes in attention: the softmax, the scale, the masks, the groups, the projections."""

import numpy as np

from suites.test_attention import SUBJECTS
from tests.faults.users.planted import Planter

plant = Planter(SUBJECTS)


def weights(q, k, scale, seen=True):
    """Softmax over the keys that are seen; where none is, over all of them."""
    S = np.where(seen, scale * q @ k.swapaxes(-1, -2), -1e30)
    E = np.exp(S - S.max(-1, keepdims=True, initial=-1e30))
    return E / np.maximum(E.sum(-1, keepdims=True), 1e-300)


def no_inner_product(right, g, q, k, v):
    """The softmax's Jacobian without its <g, s> term."""
    scale = q.shape[-1] ** -0.5
    dS = weights(q, k, scale) * (g @ v.swapaxes(-1, -2))
    return {"q": scale * dS @ k}


def scale_forgotten(right, g, q, **inputs):
    return {"q": right.vjp(g, q=q, **inputs)["q"] * np.sqrt(q.shape[-1])}


def mask_forgotten(right, g, q, k, v, mask):
    P = weights(q, k, q.shape[-1] ** -0.5)
    return {"v": P.swapaxes(-1, -2) @ g}


def uniform_where_all_masked(right, g, q, k, v, mask):
    """-1e30 in place of -inf: a row that sees nothing attends to everything evenly."""
    P = weights(q, k, q.shape[-1] ** -0.5, mask[:, None])
    return {"v": P.swapaxes(-1, -2) @ g}


def causal_off_by_one(right, g, q, k, v, causal):
    seen = np.tri(q.shape[2], k.shape[2], 1, dtype=bool)
    P = weights(q, k, q.shape[-1] ** -0.5, seen)
    return {"v": P.swapaxes(-1, -2) @ g}


def first_head_of_the_group(right, g, q, k, v):
    """Dk and dv from one query head a group, where they are sums over the group."""
    only = np.zeros_like(g)
    only[:, ::2] = g[:, ::2]
    gradients = right.vjp(only, q=q, k=k, v=v)
    return {"v": gradients["v"]}


def key_and_value_swapped(right, g, **inputs):
    gradients = right.vjp(g, **inputs)
    return {"key": gradients["value"], "value": gradients["key"]}


def transposed_output(right, g, **inputs):
    return {"W_out": right.vjp(g, **inputs)["W_out"].T.copy()}


def one_head(right, g, heads, **inputs):
    return {"query": right.vjp(g, heads=1, **inputs)["query"]}


FAULTS = [
    plant("attention: softmax without <g, s>", "attention", "q", no_inner_product),
    plant("attention: scale forgotten in dq", "attention", "q", scale_forgotten, "sqrt(width)"),
    plant("attention: mask forgotten", "attention-masked", "v", mask_forgotten, "mask"),
    plant(
        "attention: a fully masked row spread evenly",
        "attention-masked",
        "v",
        uniform_where_all_masked,
        "masks fully",
    ),
    plant("attention: causal off by one", "attention-causal", "v", causal_off_by_one),
    plant("attention: one head of the group", "attention-grouped", "v", first_head_of_the_group),
    plant(
        "multi_head_attention: key and value swapped",
        "multi_head_attention-2",
        "key",
        key_and_value_swapped,
        "swapped",
    ),
    plant(
        "multi_head_attention: W_out transposed",
        "multi_head_attention-1",
        "W_out",
        transposed_output,
        "transposed",
    ),
    plant(
        "multi_head_attention: heads ignored",
        "multi_head_attention-2",
        "query",
        one_head,
        "`heads`",
    ),
]
