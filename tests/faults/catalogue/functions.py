"""Activations, cotangents and kinks."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck import Subject
from tests.faults.catalogue.base import Fault, bend, dense, mlp, mlp_vjp, plant, relu, tanh

sigmoid_layer = Subject(
    "sigmoid layer",
    forward=lambda x, W: 1 / (1 + np.exp(-(x @ W))),
    vjp=lambda u, x, W: _layer(u, x, W, lambda y: y * (1 - y)),
    inputs={"x": "batch features", "W": "features units"},
)
sine = Subject(
    "sine",
    forward=lambda x: np.sin(x),  # noqa: PLW0108 - a ufunc takes no keyword
    vjp=lambda u, x: {"x": u * np.cos(x)},
    inputs={"x": "n"},
    traits=("elementwise",),
)
half_relu = relu.but(
    name="relu, 1/2 at 0", kinks=0.5, vjp=lambda u, x: {"x": u * ((x > 0) + 0.5 * (x == 0))}
)
cube = Subject(
    "cube",
    forward=lambda x: x**3 + x,
    vjp=lambda u, x: {"x": u * (3 * x**2 + 1)},
    inputs={"x": "n"},
    traits=("elementwise",),
)


def _layer(u: Any, x: Any, W: Any, slope: Any) -> dict[str, Any]:
    d = u * slope(1 / (1 + np.exp(-(x @ W))))
    return {"x": d @ W.T, "W": x.T @ d}


def _at_kink(u: Any, x: Any) -> dict[str, Any]:
    g = u * (x > 0)
    g[x == 0] = 0.5
    return {"x": g}


FAULTS: list[Fault] = [
    (
        "sigmoid for tanh",
        bend(tanh, "sigmoid'", "x",
             lambda g, u, i: u / (1 + np.exp(-i["x"])) / (1 + np.exp(i["x"]))),
        tanh,
        "x",
        "derivative of another activation",
    ),
    (
        "relu ignored",
        bend(relu, "1", "x", lambda g, u, i: u.copy()),
        relu,
        "x",
        "derivative of another activation",
    ),
    (
        "derivative left out of a layer",
        plant(sigmoid_layer, "1", lambda u, x, W: _layer(u, x, W, np.ones_like)),
        sigmoid_layer,
        "W",
        "derivative of another activation",
    ),
    (
        "hidden sigmoid for tanh",
        plant(mlp, "sigmoid'", lambda u, **i: mlp_vjp(
            u, **i, slope=lambda z: 1 / (1 + np.exp(-z)) / (1 + np.exp(z)))),
        mlp,
        "b",
        "derivative of another activation",
    ),
    (
        "at the output",
        bend(sine, "cos(y)", "x", lambda g, u, i: u * np.cos(np.sin(i["x"]))),
        sine,
        "x",
        "derivative at the output",
    ),
    (
        "at the output of a layer",
        plant(sigmoid_layer, "f'(y)", lambda u, x, W: _layer(
            u, x, W, lambda y: 1 / (1 + np.exp(-y)) / (1 + np.exp(y)))),
        sigmoid_layer,
        "W",
        "derivative at the output",
    ),
    ("ignored", bend(tanh, "ones", "x", lambda g, u, i: 1 - np.tanh(i["x"]) ** 2), tanh, "x",
     "cotangent ignored"),
    ("ignored in a sum", bend(dense, "ones", "b", lambda g, u, i: np.full_like(g, len(u))), dense,
     "b", "cotangent ignored"),
    ("squared", bend(tanh, "u^2", "x", lambda g, u, i: g * u), tanh, "x", "squared cotangent"),
    ("absolute", bend(dense, "|u|", "W", lambda g, u, i: i["x"].T @ abs(u)), dense, "W",
     "absolute cotangent"),
    (
        "weight decay",
        bend(dense, "decay", "W", lambda g, u, i: g + 0.01 * i["W"]),
        dense,
        "W",
        "term without cotangent",
    ),
    ("clipped", bend(dense, "clip", "W", lambda g, u, i: np.clip(g, -0.5, 0.5)), dense, "W",
     "gradient clipped"),
    ("function for derivative", bend(sine, "sin", "x", lambda g, u, i: u * np.sin(i["x"])), sine,
     "x", "wrong derivative"),
    ("negative branch", bend(cube, "minus", "x", lambda g, u, i: np.where(i["x"] < 0, -g, g)), cube,
     "x", "wrong where negative"),
    ("kink without cotangent", plant(relu, "=", _at_kink), relu, "x",
     "not multiplied by the cotangent at the kink"),
    (
        "declared alpha",
        plant(half_relu, "0", lambda u, x: {"x": u * (x > 0)}),
        half_relu,
        "x",
        "wrong convention at the kink",
    ),
    (
        "beyond both sides",
        bend(relu, "2 at 0", "x", lambda g, u, i: g + 2 * u * (i["x"] == 0)),
        relu,
        "x",
        "wrong convention at the kink",
    ),
    ("point", bend(cube, "0 at 0", "x", lambda g, u, i: g * (i["x"] != 0)), cube, "x",
     "point defect"),
]  # fmt: skip
