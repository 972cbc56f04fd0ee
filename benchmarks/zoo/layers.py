"""Layers as people write them, at ordinary and at hard points."""

from __future__ import annotations

import numpy as np

from benchmarks.zoo.entry import each, member, near, normal
from benchmarks.zoo.kinked import CLOSE
from benchmarks.zoo.reductions import centred, last, logsumexp, softmax, variance
from benchmarks.zoo.smooth import tanh_slope


def dense(x, W, b):
    """X W + b."""
    return x @ W + b


def dense_vjp(u, x, W, b):
    """Its gradient."""
    return {"x": u @ W.T, "W": x.T @ u, "b": u.sum(0)}


def mlp(x, V, W):
    """Two tanh layers."""
    return np.tanh(np.tanh(x @ V) @ W)


def mlp_vjp(u, x, V, W):
    """Its gradient."""
    h = np.tanh(x @ V)
    d = u * tanh_slope(h @ W)
    e = (d @ W.T) * tanh_slope(x @ V)
    return {"x": e @ V.T, "V": x.T @ e, "W": h.T @ d}


def deep_relu(x, W):
    """Eight ReLU layers without bias; W stacks them."""
    for k in range(len(W)):
        x = np.maximum(x @ W[k], 0)
    return x


def deep_relu_vjp(u, x, W):
    """Its gradient, 0 at kinks."""
    hidden = [x]
    for k in range(len(W)):
        hidden.append(np.maximum(hidden[-1] @ W[k], 0))
    g = np.zeros_like(W)
    for k in reversed(range(len(W))):
        u = u * (hidden[k + 1] > 0)
        g[k] = hidden[k].T @ u
        u = u @ W[k].T
    return {"x": u, "W": g}


def near_kink_net(rng):
    """A deep net whose first layer's units lie within 1e-10 .. 1e-6 of zero."""
    W = rng.standard_normal((8, 6, 6)) * np.sqrt(2 / 6)
    x = rng.standard_normal((2, 6))
    hidden = x @ W[0]
    W[0] -= np.linalg.pinv(x) @ (hidden - near([0.0], -10, -6, 2, 6)(rng))
    W[0] += np.linalg.pinv(x) @ (np.abs(hidden) * (np.arange(6) < 4))
    return {"x": x, "W": W}


def convolve(x, w):
    """Valid cross-correlation, x: channels by time, w: out by channels by width."""
    width = w.shape[2]
    steps = x.shape[1] - width + 1
    return sum(w[:, :, k] @ x[:, k : k + steps] for k in range(width))


def convolve_vjp(u, x, w):
    """Full correlation for x; correlation of x and u for w."""
    gx, gw = np.zeros_like(x), np.zeros_like(w)
    for k in range(w.shape[2]):
        gx[:, k : k + u.shape[1]] += w[:, :, k].T @ u
        gw[:, :, k] = u @ x[:, k : k + u.shape[1]].T
    return {"x": gx, "w": gw}


def layer_norm(x, scale, shift, eps=1e-5):
    """Normalised over the last axis."""
    return centred(x) / np.sqrt(variance(x) + eps) * scale + shift


def layer_norm_vjp(u, x, scale, shift, eps=1e-5):
    """Through the scale, the mean and the variance."""
    s = np.sqrt(variance(x) + eps)
    n = centred(x) / s
    v = u * scale
    d = v - np.mean(v, -1, keepdims=True) - n * np.mean(v * n, -1, keepdims=True)
    return {"x": d / s, "scale": (u * n).sum(0), "shift": u.sum(0)}


def sharp_norm(x, scale, shift):
    """Layer norm with eps 1e-12."""
    return layer_norm(x, scale, shift, 1e-12)


def sharp_norm_vjp(u, x, scale, shift):
    """Its gradient."""
    return layer_norm_vjp(u, x, scale, shift, 1e-12)


def affine(x, *, scale=1.0, shift=0.0):
    """Inputs of a layer norm on 4 rows of x units."""
    return each(x=normal(4, x, scale=scale, shift=shift), scale=normal(x), shift=normal(x))


def rms_norm(x, scale):
    """X over its root mean square."""
    return x / np.sqrt(np.mean(x * x, -1, keepdims=True) + 1e-8) * scale


def rms_norm_vjp(u, x, scale):
    """Its gradient."""
    s = np.sqrt(np.mean(x * x, -1, keepdims=True) + 1e-8)
    v = u * scale
    return {
        "x": (v - x / s**2 * np.mean(v * x, -1, keepdims=True)) / s,
        "scale": (u * x / s).sum(0),
    }


def attention(q, k, v):
    """softmax(q k' / sqrt(d)) v."""
    return softmax(q @ k.T / 2) @ v


def attention_vjp(u, q, k, v):
    """Its gradient for d = 4."""
    p = softmax(q @ k.T / 2)
    d = u @ v.T
    s = p * (d - last(p * d)) / 2
    return {"q": s @ k, "k": s.T @ q, "v": p.T @ u}


def cross_entropy(x, labels):
    """Mean negative log likelihood of the labels."""
    picked = np.take_along_axis(x, labels[:, None], 1)
    return np.mean(logsumexp(x) - picked, keepdims=True)[0]


def cross_entropy_vjp(u, x, labels):
    """(p - one hot) / batch."""
    g = softmax(x)
    g[np.arange(len(x)), labels] -= 1
    return {"x": g * u / len(x)}


def logits(scale):
    """Logits and labels."""
    return lambda rng: {"x": scale * rng.standard_normal((5, 4)), "labels": rng.integers(0, 4, 5)}


def confident(rng):
    """Logits that are right by a margin of 20 to 30."""
    labels = rng.integers(0, 4, 5)
    x = rng.standard_normal((5, 4))
    x[np.arange(5), labels] += rng.uniform(20, 30, 5)
    return {"x": x, "labels": labels}


def embedding_vjp(u, table, index):
    """Rows used twice receive both cotangents."""
    g = np.zeros_like(table)
    np.add.at(g, index, u)
    return {"table": g}


def repeats(rng):
    """A table and indices with repeats."""
    return {"table": rng.standard_normal((6, 3)), "index": rng.integers(0, 4, 9)}


def max_pool(x):
    """Maximum of pairs."""
    return np.max(x.reshape(-1, 2), axis=1)


def max_pool_vjp(u, x):
    """To the first of the largest."""
    pairs = x.reshape(-1, 2)
    g = np.zeros_like(pairs)
    np.put_along_axis(g, np.argmax(pairs, 1)[:, None], np.asarray(u)[:, None], 1)
    return {"x": g.reshape(x.shape)}


def close_pairs(rng):
    """Pairs 1e-13 .. 1e-3 apart."""
    x = rng.standard_normal((6, 2))
    x[:, 1] = x[:, 0] + near([0.0], -13, -3, 6)(rng)
    return x.ravel()


def bilinear_form(x, A, y):
    """X A y."""
    return np.atleast_1d(x @ A @ y)


ENTRIES = [
    member("dense", dense, dense_vjp, each(x=normal(3, 4), W=normal(4, 5), b=normal(5))),
    member(
        "dense 64",
        dense,
        dense_vjp,
        each(x=normal(8, 64), W=normal(64, 64), b=normal(64)),
        exact=False,
    ),
    member("mlp", mlp, mlp_vjp, each(x=normal(3, 4), V=normal(4, 6), W=normal(6, 2))),
    member("conv1d", convolve, convolve_vjp, each(x=normal(2, 9), w=normal(3, 2, 3))),
    member("layer norm", layer_norm, layer_norm_vjp, affine(8)),
    member(
        "attention", attention, attention_vjp, each(q=normal(3, 4), k=normal(5, 4), v=normal(5, 2))
    ),
    member("cross entropy", cross_entropy, cross_entropy_vjp, logits(1.0), fixed=("labels",)),
    member(
        "embedding", lambda table, index: table[index] + 0, embedding_vjp, repeats, fixed=("index",)
    ),
    member(
        "bilinear form",
        bilinear_form,
        lambda u, x, A, y: {"x": u * (A @ y), "A": u * np.outer(x, y), "y": u * (x @ A)},
        each(x=normal(4), A=normal(4, 3), y=normal(3)),
    ),
    member("rms norm", rms_norm, rms_norm_vjp, each(x=normal(4, 6), scale=normal(6))),
    member(
        "dense, badly scaled",
        dense,
        dense_vjp,
        nasty=True,
        make_inputs=each(x=normal(3, 4, scale=1e8), W=normal(4, 5, scale=1e-10), b=normal(5)),
    ),
    member(
        "dense, bias 1e10",
        dense,
        dense_vjp,
        nasty=True,
        make_inputs=each(x=normal(3, 4), W=normal(4, 5), b=normal(5, scale=1e10)),
        limit="a bias of 1e10 leaves six digits",
    ),
    member(
        "mlp saturated",
        mlp,
        mlp_vjp,
        nasty=True,
        make_inputs=each(x=normal(3, 4), V=normal(4, 6, scale=4), W=normal(6, 2, scale=4)),
        limit="saturated: what is left of a derivative is as small as the rounding of 1",
    ),
    member(
        "layer norm, tiny variance",
        layer_norm,
        layer_norm_vjp,
        affine(8, scale=1e-5, shift=1.0),
        nasty=True,
    ),
    member(
        "layer norm, eps 1e-12",
        sharp_norm,
        sharp_norm_vjp,
        affine(8, scale=1e-6, shift=1.0),
        nasty=True,
    ),
    member(
        "layer norm of constant rows",
        layer_norm,
        layer_norm_vjp,
        nasty=True,
        make_inputs=each(
            x=lambda rng: np.repeat(rng.standard_normal((4, 1)), 8, 1),
            scale=normal(8),
            shift=normal(8),
        ),
        rounding=1e-7,
    ),
    member(
        "rms norm of 1e-5",
        rms_norm,
        rms_norm_vjp,
        each(x=normal(4, 6, scale=1e-5), scale=normal(6)),
        nasty=True,
    ),
    member(
        "attention, sharp",
        attention,
        attention_vjp,
        nasty=True,
        limit="saturated softmax",
        rounding=1e-2,
        make_inputs=each(q=normal(3, 4, scale=8), k=normal(5, 4, scale=8), v=normal(5, 2)),
    ),
    member(
        "cross entropy of 1e3 logits",
        cross_entropy,
        cross_entropy_vjp,
        logits(1e3),
        fixed=("labels",),
        nasty=True,
    ),
    member(
        "cross entropy, confident",
        cross_entropy,
        cross_entropy_vjp,
        confident,
        fixed=("labels",),
        nasty=True,
        limit="the loss is a difference of equal numbers",
        rounding=1e-3,
    ),
    member(
        "deep relu",
        deep_relu,
        deep_relu_vjp,
        kinks=True,
        nasty=True,
        make_inputs=each(x=normal(3, 6), W=normal(8, 6, 6, scale=0.6)),
    ),
    member(
        "deep relu near kinks",
        deep_relu,
        deep_relu_vjp,
        near_kink_net,
        kinks=True,
        nasty=True,
        limit=CLOSE,
    ),
    member(
        "max pool near ties",
        max_pool,
        max_pool_vjp,
        each(x=close_pairs),
        kinks=True,
        nasty=True,
        limit=CLOSE,
    ),
    member("max pool", max_pool, max_pool_vjp, each(x=normal(12)), kinks=True),
]
