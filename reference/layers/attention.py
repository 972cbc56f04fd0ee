"""Scaled dot-product attention with masks, causal order and grouped heads.

Formula
    S = scale q k^T;  P = softmax of S over the keys that are seen, 0 elsewhere;  y = P v
    dv = P^T g;  dP = g v^T;  dS = P (dP - sum_keys P dP);  dq = scale dS k;  dk = scale dS^T q
    A row that sees no key has P = 0: its output and gradients are exactly 0.
    Each key head serves heads / groups query heads in a row; its gradients are their sums.

Shapes
    q (batch, heads, queries, width); k (batch, groups, keys, width);
    v (batch, groups, keys, values); y (batch, heads, queries, values); groups divides heads;
    mask (batch, queries, keys), True for keys that are seen, or None for all; a masked key and
    value must be finite all the same: they meet weights of 0;
    causal: query i sees keys 0 to i only; scale: 1 / sqrt(width) if not given.

Errors
    ValueError: shapes that disagree; heads not a multiple of groups; a mask of anything but 0 and
    1; a width of 0 without scale.

Source
    Vaswani et al. (2017), equation (1); Ainslie et al. (2023) for the groups;
    torch.nn.functional.scaled_dot_product_attention.
"""

import math

import numpy as np

from reference.shapes import at_least, expect, expect_shape, multiple_of, zeros_and_ones


def forward(q, k, v, mask=None, *, causal=False, scale=None):
    return _weights(q, k, v, mask, causal, _scale(q, scale)) @ _repeat(v, q)


def vjp(cotangent, q, k, v, mask=None, *, causal=False, scale=None):
    scale = _scale(q, scale)
    P = _weights(q, k, v, mask, causal, scale)
    expect_shape("cotangent", cotangent, (*q.shape[:3], v.shape[3]))
    dP = cotangent @ _transpose(_repeat(v, q))
    dS = P * (dP - np.sum(P * dP, axis=-1, keepdims=True))
    return {
        "q": scale * dS @ _repeat(k, q),
        "k": _sum_groups(scale * _transpose(dS) @ q, k),
        "v": _sum_groups(_transpose(P) @ cotangent, v),
    }


def _weights(q, k, v, mask, causal, scale):
    sizes = expect(
        q=(q, "batch heads queries width"),
        k=(k, "batch groups keys width"),
        v=(v, "batch groups keys values"),
        mask=(mask, "batch queries keys?"),
    )
    multiple_of("heads", sizes["heads"], "groups", sizes["groups"])
    seen = np.ones((1, 1, sizes["queries"], sizes["keys"]), bool)
    if mask is not None:
        zeros_and_ones("mask", mask)
        seen = seen & mask.astype(bool)[:, None]
    if causal:
        seen = np.tril(seen)
    S = np.where(seen, scale * q @ _transpose(_repeat(k, q)), -np.inf)
    top = np.max(S, axis=-1, keepdims=True, initial=-np.inf)
    E = np.exp(S - np.where(top == -np.inf, 0, top))
    total = np.sum(E, axis=-1, keepdims=True)
    return E / np.where(total == 0, 1, total)


def _scale(q, scale):
    if scale is not None:
        return scale
    expect(q=(q, "batch heads queries width"))
    at_least("width", q.shape[3], 1)
    return 1 / math.sqrt(q.shape[3])


def _transpose(x):
    return np.swapaxes(x, -1, -2)


def _repeat(x, q):
    return np.repeat(x, q.shape[1] // x.shape[1], axis=1)


def _sum_groups(x, like):
    batch, heads, *rest = x.shape
    groups = like.shape[1]
    return np.sum(x.reshape(batch, groups, heads // groups, *rest), axis=2)
