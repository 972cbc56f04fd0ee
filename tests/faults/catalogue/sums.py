"""Sums that are missing, paths that are missing, time that is cut off."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck import Subject
from tests.faults.catalogue.base import (
    Fault,
    bend,
    dense,
    layer_norm,
    layer_norm_vjp,
    plant,
    rnn,
    rnn_vjp,
    softmax,
)

residual = Subject(
    "residual",
    forward=lambda x, W: x + np.tanh(x @ W),
    vjp=lambda u, x, W: {
        "x": u + (u * (1 - np.tanh(x @ W) ** 2)) @ W.T,
        "W": x.T @ (u * (1 - np.tanh(x @ W) ** 2)),
    },
    inputs={"x": "batch width", "W": "width width"},
)
silu = Subject(
    "silu",
    forward=lambda x: x / (1 + np.exp(-x)),
    vjp=lambda u, x: {"x": u * (1 / (1 + np.exp(-x))) * (1 + x / (1 + np.exp(x)))},
    inputs={"x": "n"},
    traits=("elementwise",),
)
bias_column = Subject(
    "column added",
    forward=lambda x, b: np.tanh(x) + b,
    vjp=lambda u, x, b: {
        "x": u * (1 - np.tanh(x) ** 2),
        "b": u.sum(1, keepdims=True),
    },
    inputs={"x": "rows columns", "b": "rows 1"},
)
unit = Subject(
    "unit vector",
    forward=lambda x: x / np.sqrt((x * x).sum(-1, keepdims=True) + 1e-2),
    vjp=lambda u, x: {"x": _unit_vjp(u, x)},
    inputs={"x": "batch width"},
)
centre = Subject(
    "centre",
    forward=lambda x: x - x.mean(0),
    vjp=lambda u, x: {"x": u - u.mean(0)},
    inputs={"x": "batch features"},
    dims={"batch": (1, 12)},
)
two_outputs = Subject(
    "sine and cosine",
    forward=lambda x: (np.sin(x), np.cos(x)),
    vjp=lambda u, x: {"x": u[0] * np.cos(x) - u[1] * np.sin(x)},
    inputs={"x": "n"},
)


def _unit_vjp(u: Any, x: Any) -> Any:
    norm = np.sqrt((x * x).sum(-1, keepdims=True) + 1e-2)
    return u / norm - x * (u * x).sum(-1, keepdims=True) / norm**3


FAULTS: list[Fault] = [
    (
        "batch sum as a shape",
        bend(dense, "no sum", "b", lambda g, u, i: u.copy()),
        dense,
        "b",
        "missing batch sum",
    ),
    (
        "batch sum, first sample",
        bend(dense, "u[0]", "b", lambda g, u, i: u[0].copy() if len(u) else g),
        dense,
        "b",
        "missing batch sum",
    ),
    (
        "batch sum, last sample",
        bend(dense, "last", "W", lambda g, u, i: np.outer(i["x"][-1], u[-1]) if len(u) else g),
        dense,
        "W",
        "missing batch sum",
    ),
    (
        "broadcast sum",
        bend(bias_column, "no sum", "b", lambda g, u, i: u.copy()),
        bias_column,
        "b",
        "missing broadcast sum",
    ),
    (
        "mean",
        plant(layer_norm, "no mean", lambda u, **i: layer_norm_vjp(u, **i, through_mean=False)),
        layer_norm,
        "x",
        "path missing",
    ),
    (
        "variance",
        plant(layer_norm, "no variance", lambda u, **i: layer_norm_vjp(u, **i, through_var=False)),
        layer_norm,
        "x",
        "path missing",
    ),
    (
        "normaliser",
        bend(softmax, "diagonal only", "x", lambda g, u, i: u * softmax.forward(i["x"])),
        softmax,
        "x",
        "path missing",
    ),
    (
        "norm",
        bend(unit, "no norm", "x", lambda g, u, i: u / np.sqrt((i["x"] ** 2).sum(-1, keepdims=True)
                                                              + 1e-2)),
        unit,
        "x",
        "path missing",
    ),
    ("batch mean", bend(centre, "no mean", "x", lambda g, u, i: u.copy()), centre, "x",
     "path missing"),
    ("skip", bend(residual, "no skip", "x", lambda g, u, i: g - u), residual, "x", "path missing"),
    (
        "product rule",
        bend(silu, "one term", "x", lambda g, u, i: u / (1 + np.exp(-i["x"]))),
        silu,
        "x",
        "path missing",
    ),
    (
        "second output",
        bend(two_outputs, "first only", "x", lambda g, u, i: u[0] * np.cos(i["x"])),
        two_outputs,
        "x",
        "path missing",
    ),
    (
        "time, x",
        plant(rnn, "truncated", lambda u, **i: rnn_vjp(u, **i, carry=0.0)),
        rnn,
        "x",
        "truncated through time",
    ),
    (
        "time, W",
        plant(rnn, "truncated", lambda u, **i: {
            **rnn_vjp(u, **i), "W": rnn_vjp(u, **i, carry=0.0)["W"]}),
        rnn,
        "W",
        "truncated through time",
    ),
]  # fmt: skip
