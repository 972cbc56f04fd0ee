"""Normalisation: statistics over the wrong axis, eps, ddof, what is held constant."""

import numpy as np

from tests.faults.frameworks.planted import plant

EPS = 1e-2


def standardised(x, axes, eps=EPS):
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)


def backward(u, x, axes, eps=EPS, mean=True, variance=True):
    """The gradient of `standardised`, with either statistic held constant where that is asked."""
    y, root = standardised(x, axes, eps), np.sqrt(x.var(axes, keepdims=True) + eps)
    g = u - mean * u.mean(axes, keepdims=True)
    return (g - variance * y * (u * y).mean(axes, keepdims=True)) / root


def norm_of(axes):
    return lambda x: standardised(x, axes), lambda u, x: {"x": backward(u, x, axes)}


layer, layer_backward = norm_of(-1)
batch, batch_backward = norm_of(0)
group, group_backward = norm_of((1, 2))
TABLE = {"x": "batch n"}
SIZES = {"batch": (2, 6), "n": (2, 6)}
CUBE = {"x": "batch c m"}
CUBE_SIZES = {"batch": (2, 4), "c": (2, 4), "m": (2, 4)}


def rms(x):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + EPS)


def rms_backward(u, x, outside=False):
    mean = (x * x).mean(-1, keepdims=True)
    root = np.sqrt(mean) + EPS if outside else np.sqrt(mean + EPS)
    return {"x": u / root - x * (u * x).mean(-1, keepdims=True) / root**3}


def unit(x):
    return x / np.sqrt((x * x).sum(-1, keepdims=True) + EPS)


def unit_backward(u, x):
    root = np.sqrt((x * x).sum(-1, keepdims=True) + EPS)
    return {"x": u / root - x * (u * x).sum(-1, keepdims=True) / root**3}


def variance(x):
    return x.var(-1, ddof=1)


def variance_backward(u, x):
    centred = x - x.mean(-1, keepdims=True)
    return {"x": 2 * u[:, None] * centred / (x.shape[-1] - 1)}


def affine(x, gamma, beta):
    return standardised(x, 0) * gamma + beta


def affine_backward(u, x, gamma, beta):
    y = standardised(x, 0)
    return {"x": backward(u * gamma, x, 0), "gamma": (u * y).sum(0), "beta": u.sum(0)}


def weight_norm(v, g):
    return g * v / np.sqrt((v * v).sum(-1, keepdims=True))


def weight_norm_backward(u, v, g):
    size = np.sqrt((v * v).sum(-1, keepdims=True))
    along = (u * v).sum(-1, keepdims=True)
    return {"v": g * (u / size - v * along / size**3), "g": along / size}


def running(x, mean, var):
    return (x - mean) / np.sqrt(var + EPS)


FAULTS = [
    plant("layer norm: mean held constant", layer, layer_backward,
          lambda u, x: {"x": backward(u, x, -1, mean=False)}, TABLE, "x", "the mean", dims=SIZES),
    plant("layer norm: variance held constant", layer, layer_backward,
          lambda u, x: {"x": backward(u, x, -1, variance=False)}, TABLE, "x", "the variance",
          dims=SIZES),
    plant("batch norm: statistics of evaluation", batch, batch_backward,
          lambda u, x: {"x": backward(u, x, 0, mean=False, variance=False)}, TABLE, "x",
          "the mean and the variance", dims=SIZES),
    plant("group norm: statistics over one axis", group, group_backward,
          lambda u, x: {"x": backward(u, x, (2,))}, CUBE, "x", "every index of `c` by itself",
          dims=CUBE_SIZES),
    plant("layer norm: means over the batch", layer, layer_backward,
          lambda u, x: {"x": backward(u, x, 0)}, TABLE, "x",
          "over `batch` where forward goes over `n`", dims=SIZES),
    plant("layer norm: gradient's means over the batch", layer, layer_backward,
          lambda u, x: {"x": (u - u.mean(0) - standardised(x, -1)
                              * (u * standardised(x, -1)).mean(0))
                        / np.sqrt(x.var(-1, keepdims=True) + EPS)}, TABLE, "x", dims=SIZES),
    plant("rms norm: eps outside the root", rms, rms_backward,
          lambda u, x: rms_backward(u, x, outside=True), TABLE, "x", dims=SIZES),
    plant("unit rows: projection forgotten", unit, unit_backward,
          lambda u, x: {"x": u / np.sqrt((x * x).sum(-1, keepdims=True) + EPS)}, TABLE, "x",
          "the norm", dims=SIZES),
    plant("variance: n for n - 1", variance, variance_backward,
          lambda u, x: {"x": variance_backward(u, x)["x"] * (x.shape[-1] - 1) / x.shape[-1]},
          TABLE, "x", "scaled by (n - 1)/n", dims=SIZES),
    plant("variance: not centred", variance, variance_backward,
          lambda u, x: {"x": 2 * u[:, None] * x / (x.shape[-1] - 1)}, TABLE, "x", "the mean",
          dims=SIZES),
    plant("batch norm: gamma forgotten in dx", affine, affine_backward,
          lambda u, x, gamma, beta: {"x": backward(u, x, 0)},
          {"x": "batch n", "gamma": "n", "beta": "n"}, "x", "`gamma`", dims=SIZES),
    plant("batch norm: gamma's gradient from x", affine, affine_backward,
          lambda u, x, gamma, beta: {"gamma": (u * x).sum(0)},
          {"x": "batch n", "gamma": "n", "beta": "n"}, "gamma", "`x` itself as its factor",
          dims=SIZES),
    plant("weight norm: direction not projected", weight_norm, weight_norm_backward,
          lambda u, v, g: {"v": g * u / np.sqrt((v * v).sum(-1, keepdims=True))},
          {"v": "m n", "g": "m 1"}, "v", "the norm", dims={"m": (1, 4), "n": (2, 5)}),
]  # fmt: skip
