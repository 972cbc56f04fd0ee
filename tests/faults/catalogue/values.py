"""Scale, sign, zero, swapped, precision, one entry: the values are off, their places are right."""

from __future__ import annotations

import numpy as np

from gradcheck import Subject
from tests.faults.catalogue.base import (
    Fault,
    bend,
    dense,
    layer_norm,
    mean_square,
    mlp,
    plant,
    product,
    softmax,
    tanh,
)

attention = Subject(
    "scores",
    forward=lambda q, k: q @ k.T / np.sqrt(q.shape[1]),
    vjp=lambda u, q, k: {"q": u @ k / np.sqrt(q.shape[1]), "k": u.T @ q / np.sqrt(q.shape[1])},
    inputs={"q": "rows width", "k": "columns width"},
    dims={"width": (1, 12)},
)


def _one_entry(g: np.ndarray, u: object, inputs: object) -> np.ndarray:
    g = g.copy()
    if g.shape[0] > 1 and g.shape[1] > 2:
        g[1, 2] = 0.0
    return g


FAULTS: list[Fault] = [
    ("twice", bend(dense, "dx doubled", "x", lambda g, u, i: 2 * g), dense, "x", "scaled by 2"),
    ("half", bend(tanh, "halved", "x", lambda g, u, i: g / 2), tanh, "x", "scaled by 1/2"),
    (
        "learning rate",
        bend(dense, "rate", "W", lambda g, u, i: 0.01 * g),
        dense,
        "W",
        "scaled by 0.01",
    ),
    (
        "sqrt d",
        bend(attention, "no 1/sqrt(d)", "q", lambda g, u, i: g * np.sqrt(i["q"].shape[1])),
        attention,
        "q",
        "scaled by sqrt(width)",
    ),
    (
        "no 1/N",
        plant(
            mean_square,
            "sum for mean",
            lambda u, p, t: {"p": u * 2 * (p - t), "t": -u * 2 * (p - t)},
        ),
        mean_square,
        "p",
        "scaled by batch*units",
    ),
    (
        "1/N twice",
        bend(mean_square, "1/batch twice", "p", lambda g, u, i: g / len(i["p"])),
        mean_square,
        "p",
        "scaled by 1/batch",
    ),
    (
        "mean for sum",
        bend(dense, "mean", "b", lambda g, u, i: g / max(len(u), 1)),
        dense,
        "b",
        "mean instead of sum",
    ),
    ("sign", bend(mean_square, "sign", "t", lambda g, u, i: -g), mean_square, "t", "sign flipped"),
    ("sign of a part", bend(mlp, "sign", "W", lambda g, u, i: -g), mlp, "W", "sign flipped"),
    ("detached", bend(mlp, "detached", "b", lambda g, u, i: 0 * g), mlp, "b", "always zero"),
    (
        "swapped",
        plant(product, "swapped", lambda u, a, b: {"a": u * a, "b": u * b}),
        product,
        "a",
        "gradients swapped",
    ),
    (
        "gamma and beta",
        plant(
            layer_norm,
            "swapped",
            lambda u, **i: {
                **layer_norm.vjp(u, **i),
                "gamma": layer_norm.vjp(u, **i)["beta"],
                "beta": layer_norm.vjp(u, **i)["gamma"],
            },
        ),
        layer_norm,
        "gamma",
        "gradients swapped",
    ),
    (
        "float32",
        bend(softmax, "float32", "x", lambda g, u, i: g.astype(np.float32).astype(float)),
        softmax,
        "x",
        "precision lost",
    ),
    ("one entry", bend(dense, "one entry", "x", _one_entry), dense, "x", "one wrong entry"),
]
