"""Scans, sorts, gathers, segments, products, norms at zero."""

import numpy as np

from gradcheck import array, integers
from tests.faults.frameworks.planted import plant


def gather(table, index):
    return table[index]


def scattered(u, table, index):
    g = np.zeros_like(table)
    np.add.at(g, index, u)
    return {"table": g}


def assigned(u, table, index):
    g = np.zeros_like(table)
    g[index] = u
    return {"table": g}


GATHER = {"table": "rows d", "index": integers("n", 0, "rows")}
GATHER_SIZES = {"rows": (1, 5), "d": (1, 3), "n": (1, 8)}


def ordered(x):
    return np.sort(x)


def ordered_backward(u, x):
    g = np.empty_like(x)
    g[np.argsort(x, kind="stable")] = u
    return {"x": g}


def not_inverted(u, x):
    return {"x": u[np.argsort(x, kind="stable")]}


def product(x):
    return x.prod(-1)


def product_backward(u, x):
    n = x.shape[-1]
    rest = np.where(np.eye(n, dtype=bool), 1.0, x[..., None, :]).prod(-1)
    return {"x": u[..., None] * rest}


def divided(u, x):
    with np.errstate(all="ignore"):
        return {"x": u[..., None] * product(x)[..., None] / x}


def length(x):
    return np.sqrt((x * x).sum(-1))


def length_backward(u, x):
    size = length(x)[..., None]
    return {"x": u[..., None] * x / np.where(size == 0, 1, size)}


def length_nan(u, x):
    with np.errstate(all="ignore"):
        return {"x": u[..., None] * x / length(x)[..., None]}


def differences(x):
    return np.diff(x)


def differences_backward(u, x):
    return {"x": np.concatenate([[0.0], u]) - np.concatenate([u, [0.0]])}


def segments(x, index):
    out = np.zeros((3, *x.shape[1:]))
    np.add.at(out, index, x)
    return out


def log_cumulated(x):
    return np.log(np.cumsum(np.exp(x)))


def log_cumulated_backward(u, x):
    return {"x": np.exp(x) * np.cumsum((u / np.cumsum(np.exp(x)))[::-1])[::-1]}


SCAN = {"x": "n"}

FAULTS = [
    plant("gather: repeated indices assigned", gather, scattered, assigned, GATHER, "table",
          "duplicate overwritten", dims=GATHER_SIZES),
    plant("cumsum: not turned round", lambda x: np.cumsum(x, 0),
          lambda u, x: {"x": np.cumsum(u[::-1], 0)[::-1]}, lambda u, x: {"x": np.cumsum(u, 0)},
          {"x": "n d"}, "x", "not its transpose", dims={"n": (1, 7), "d": (1, 3)}),
    plant("cumsum: the entry itself left out", lambda x: np.cumsum(x, 0),
          lambda u, x: {"x": np.cumsum(u[::-1], 0)[::-1]},
          lambda u, x: {"x": np.cumsum(u[::-1], 0)[::-1] - u}, {"x": "n d"}, "x", "shifted by -1",
          dims={"n": (1, 7), "d": (1, 3)}),
    plant("log-cumsum-exp: scanned forward", log_cumulated, log_cumulated_backward,
          lambda u, x: {"x": np.exp(x) * np.cumsum(u / np.cumsum(np.exp(x)))}, SCAN, "x"),
    plant("sort: permutation not inverted", ordered, ordered_backward, not_inverted, SCAN, "x",
          "permuted"),
    plant("product: y / x at zeros", product, product_backward, divided, {"x": "b n"}, "x", "is 0",
          dims={"b": (1, 3), "n": (1, 5)}),
    plant("norm: nan at zero", length, length_backward, length_nan, {"x": "b n"}, "x", "is 0",
          dims={"b": (1, 3), "n": (1, 5)}),
    plant("diff: sign at the first end", differences, differences_backward,
          lambda u, x: {"x": np.concatenate([u[:1], differences_backward(u, x)["x"][1:]])},
          SCAN, "x", "sign at the first index", dims={"n": (2, 12)}),
    plant("segment sum: gradient of the mean", segments, lambda u, x, index: {"x": u[index]},
          lambda u, x, index: {"x": u[index] / np.bincount(index, minlength=3)[index][:, None]},
          {"x": "n d", "index": integers("n", 0, 3)}, "x", "index",
          dims={"n": (1, 8), "d": (1, 3)}),
    plant("hypotenuse: squared length", np.hypot,
          lambda u, a, b: {"a": u * a / np.hypot(a, b), "b": u * b / np.hypot(a, b)},
          lambda u, a, b: {"b": u * b / (a * a + b * b)},
          {"a": array("n", low=0.5, high=2), "b": array("n", low=0.5, high=2)}, "b",
          "divided by the output"),
]  # fmt: skip
