"""Mistakes in normalisation: the paths through the statistics, and which of them."""

import numpy as np

from suites.test_norms import SUBJECTS
from tests.faults.users.planted import Planter

plant = Planter(SUBJECTS)


def statistics(x, axes, eps):
    """Standardised x and its deviation."""
    centred = x - x.mean(axes, keepdims=True)
    deviation = np.sqrt((centred**2).mean(axes, keepdims=True) + eps)
    return centred / deviation, deviation


def no_mean(right, g, x, axes, eps):
    y, deviation = statistics(x, axes, eps)
    return {"x": (g - y * (g * y).mean(axes, keepdims=True)) / deviation}


def no_variance(right, g, x, axes, eps):
    deviation = statistics(x, axes, eps)[1]
    return {"x": (g - g.mean(axes, keepdims=True)) / deviation}


def neither(right, g, x, gamma, beta):
    return {"x": g * gamma / statistics(x, -1, 1e-5)[1]}


def not_centred(right, g, x, gamma, beta, eps):
    """Gamma's gradient from x / deviation."""
    scaled = x / statistics(x, -1, eps)[1]
    return {"gamma": (g * scaled).sum(tuple(range(x.ndim - 1)))}


def no_rms(right, g, x, gamma, eps):
    return {"x": g * gamma / np.sqrt((x * x).mean(-1, keepdims=True) + eps)}


def constant_statistics(right, g, x, gamma, beta):
    return {"x": g * gamma / statistics(x, 0, 1e-5)[1]}


def unbiased(right, g, x, gamma, beta):
    """The variance path divided by n - 1."""
    axes = (0, 2, 3)
    n = x.size // max(x.shape[1], 1)
    y, deviation = statistics(x, axes, 1e-5)
    h = g * gamma[:, None, None]
    through = y * (h * y).sum(axes, keepdims=True) / max(n - 1, 1)
    return {"x": (h - h.mean(axes, keepdims=True) - through) / deviation}


def divided_by_variance(right, g, x, gamma, beta, mean, variance):
    return {"x": g * (gamma / (variance + 1e-5))[:, None]}


def all_channels(right, g, x, gamma, beta, groups):
    """Statistics over all the channels, whatever the groups."""
    y, deviation = statistics(x, (1, 2), 1e-5)
    h = g * gamma[:, None]
    means = [part.mean((1, 2), keepdims=True) for part in (h, h * y)]
    return {"x": (h - means[0] - y * means[1]) / deviation}


def gamma_outside(right, g, x, gamma, beta):
    """Gamma taken out of the means, where a group's channels have different ones."""
    ones = np.ones_like(gamma)
    return {"x": gamma * right.vjp(g, x=x, gamma=ones, beta=beta)["x"]}


FAULTS = [
    plant("standardise: no path through the mean", "standardise", "x", no_mean, "path", "mean"),
    plant(
        "standardise: no path through the variance",
        "standardise-two-axes",
        "x",
        no_variance,
        "path",
        "variance",
    ),
    plant(
        "layer_norm: statistics held constant",
        "layer_norm",
        "x",
        neither,
        "path",
        "the mean and the variance",
    ),
    plant("layer_norm: gamma from x not centred", "layer_norm-large-eps", "gamma", not_centred),
    plant(
        "layer_norm: gamma taken out of the means", "layer_norm", "x", gamma_outside, "transpose"
    ),
    plant("rms_norm: no path through the norm", "rms_norm", "x", no_rms, "path", "norm"),
    plant(
        "batch_norm: the eval formula in training",
        "batch_norm-rows",
        "x",
        constant_statistics,
        "path",
        "the mean and the variance",
    ),
    plant("batch_norm: unbiased variance", "batch_norm-images", "x", unbiased, "variance"),
    plant(
        "batch_norm: beta averaged over the batch",
        "batch_norm-rows",
        "beta",
        lambda right, g, x, gamma, beta: {"beta": g.mean(0)},
        "mean instead of sum",
    ),
    plant("batch_norm_eval: variance for deviation", "batch_norm_eval", "x", divided_by_variance),
    plant("group_norm: groups ignored", "group_norm-2", "x", all_channels, "`groups`"),
    plant(
        "instance_norm: beta averaged over positions",
        "instance_norm",
        "beta",
        lambda right, g, x, gamma, beta: {"beta": g.mean(2).sum(0)},
        "scaled",
        "1/length",
    ),
]
