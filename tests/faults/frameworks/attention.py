"""Attention: its softmax, its scale, its groups, its rotation, its mask."""

import numpy as np

from gradcheck import mask
from tests.faults.frameworks.planted import plant

SIZES = {"q": (1, 5), "k": (1, 5), "d": (1, 4), "e": (1, 4)}


def softmax(s):
    e = np.exp(s - s.max(-1, keepdims=True, initial=-1e30))
    return e / np.maximum(e.sum(-1, keepdims=True), 1e-300)


def attention(Q, K, V):
    return softmax(Q @ K.T / np.sqrt(Q.shape[1])) @ V


def backward(u, Q, K, V, inner=True, scaled=True, detached=False):
    P = softmax(Q @ K.T / np.sqrt(Q.shape[1]))
    dP = u @ V.T
    dS = P * (dP - inner * (dP * P).sum(-1, keepdims=True))
    dS = dS / np.sqrt(Q.shape[1]) if scaled else dS
    return {"Q": dS @ K, "K": dS.T @ Q, "V": P.T @ u}


QKV = {"Q": "q d", "K": "k d", "V": "k e"}


def no_inner_product(u, Q, K, V):
    return {n: backward(u, Q, K, V, inner=False)[n] for n in ("Q", "K")}


def no_scale(u, Q, K, V):
    return {"K": backward(u, Q, K, V, scaled=False)["K"]}


def scores_for_weights(u, Q, K, V):
    """V multiplied by the scores before their softmax."""
    return {"V": (Q @ K.T / np.sqrt(Q.shape[1])).T @ u}


# -- grouped queries: two heads share one key --------------------------------------------------


def grouped(Q, K):
    return np.einsum("hgqd,hkd->hgqk", Q.reshape(Q.shape[0] // 2, 2, *Q.shape[1:]), K)


def grouped_backward(u, Q, K):
    q = Q.reshape(Q.shape[0] // 2, 2, *Q.shape[1:])
    return {
        "Q": np.einsum("hgqk,hkd->hgqd", u, K).reshape(Q.shape),
        "K": np.einsum("hgqk,hgqd->hkd", u, q),
    }


def groups_not_summed(u, Q, K):
    q = Q.reshape(Q.shape[0] // 2, 2, *Q.shape[1:])
    return {"K": np.einsum("hqk,hqd->hkd", u[:, 0], q[:, 0])}


def groups_averaged(u, Q, K):
    return {"K": grouped_backward(u, Q, K)["K"] / 2}


# -- rotary embedding ----------------------------------------------------------------------------


def angles(x):
    t, half = np.arange(x.shape[0])[:, None], x.shape[1] // 2
    return 1.0 + t / 10.0 ** (np.arange(half) / max(half, 1))


def rotate(x, sign=1.0):
    a, (first, second) = angles(x), np.split(x, 2, axis=1)
    c, s = np.cos(a), sign * np.sin(a)
    return np.concatenate([first * c - second * s, first * s + second * c], axis=1)


# -- a mask over keys ----------------------------------------------------------------------------


def kept_softmax(s, keep):
    e = np.where(keep, np.exp(s), 0.0)
    return e / np.maximum(e.sum(-1, keepdims=True), 1e-300)


def kept_backward(u, s, keep):
    p = kept_softmax(s, keep)
    return {"s": p * (u - (u * p).sum(-1, keepdims=True))}


def causal(s):
    return np.where(np.tri(*s.shape, dtype=bool), s, 0.0)


FAULTS = [
    plant("attention: <dP, P> left out", attention, backward, no_inner_product, QKV, "Q",
          "path missing", dims=SIZES),
    plant("attention: scale left out of dK", attention, backward, no_scale, QKV, "K",
          "scaled by sqrt(d)", dims=SIZES),
    plant("attention: scores in place of weights", attention, backward, scores_for_weights, QKV,
          "V", dims=SIZES),
    plant("grouped queries: one head of the group", grouped, grouped_backward, groups_not_summed,
          {"Q": "2*h q d", "K": "h k d"}, "K", "missing broadcast sum",
          dims={"h": (1, 3), "q": (1, 4), "k": (1, 4), "d": (1, 3)}),
    plant("grouped queries: mean over the group", grouped, grouped_backward, groups_averaged,
          {"Q": "2*h q d", "K": "h k d"}, "K", "scaled by 1/2",
          dims={"h": (1, 3), "q": (1, 4), "k": (1, 4), "d": (1, 3)}),
    plant("rotary: rotated forward in backward", rotate, lambda u, x: {"x": rotate(u, -1.0)},
          lambda u, x: {"x": rotate(u)}, {"x": "t 2*d"}, "x", "not its transpose",
          dims={"t": (1, 6), "d": (1, 4)}),
    plant("masked softmax: mask inverted", kept_softmax, kept_backward,
          lambda u, s, keep: kept_backward(u, s, ~keep), {"s": "rows n", "keep": mask("rows n")},
          "s", "inverted", dims={"n": (1, 6)}),
    plant("causal mask: one diagonal too few", causal,
          lambda u, s: {"s": np.where(np.tri(*s.shape, dtype=bool), u, 0.0)},
          lambda u, s: {"s": np.where(np.tri(*s.shape, -1, dtype=bool), u, 0.0)},
          {"s": "q k"}, "s", "diagonal", dims={"q": (1, 7), "k": (1, 7)}),
]  # fmt: skip
