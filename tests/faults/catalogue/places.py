"""The right numbers in the wrong places, and places that are left out."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck import Subject, integers
from tests.faults.catalogue.base import (
    Fault,
    affine,
    bend,
    conv,
    cumsum,
    dense,
    embedding,
    mlp,
    plant,
    relu,
    tanh,
)

permute = Subject(
    "permute",
    forward=lambda x: x[:, [2, 0, 1]],
    vjp=lambda u, x: {"x": u[:, [1, 2, 0]]},
    inputs={"x": "batch 3"},
)
difference = Subject(
    "difference",
    forward=lambda x: x[1:] - x[:-1],
    vjp=lambda u, x: {"x": np.concatenate([[0.0], u]) - np.concatenate([u, [0.0]])},
    inputs={"x": "n"},
    dims={"n": (1, 16)},
)
sort = Subject(
    "sort",
    forward=lambda x: np.sort(x, 1),
    vjp=lambda u, x: {"x": np.take_along_axis(u, np.argsort(np.argsort(x, 1), 1), 1)},
    inputs={"x": "batch n"},
    dims={"batch": (0, 3), "n": (0, 6)},
)
gather = Subject(
    "gather",
    forward=lambda x, idx: x[idx],
    vjp=lambda u, x, idx: {"x": np.bincount(idx, u, minlength=len(x)).astype(float)},
    inputs={"x": "n", "idx": integers("m", 0, "n")},
    dims={"n": (1, 8)},
)


def _without(where: Any) -> Any:
    def bent(g: np.ndarray, u: Any, i: Any) -> np.ndarray:
        g = g.copy()
        g[where] = 0.0
        return g

    return bent


def _tail(g: np.ndarray, u: Any, i: Any) -> np.ndarray:
    g = g.copy()
    g[:, g.shape[1] - g.shape[1] % 4 :] = 0.0
    return g


def _overwrite(u: Any, E: Any, idx: Any) -> dict[str, Any]:
    g = np.zeros_like(E)
    g[idx] = u
    return {"E": g}


def _only_odd(g: np.ndarray, u: Any, i: Any) -> np.ndarray:
    return 1.5 * g if g.shape[1] % 2 else g


FAULTS: list[Fault] = [
    (
        "M for its transpose",
        plant(affine, "M g", lambda g, x, M, b: {"x": M @ g, "M": np.outer(g, x), "b": g}),
        affine,
        "x",
        "transposed",
    ),
    (
        "W for its transpose",
        bend(dense, "g W", "x", lambda g, u, i: u @ i["W"]),
        dense,
        "x",
        "transposed",
    ),
    (
        "V for its transpose",
        plant(
            mlp,
            "g V",
            lambda u, **i: {
                **mlp.vjp(u @ i["V"] @ np.linalg.pinv(i["V"].T), **i),
                "V": mlp.vjp(u, **i)["V"],
            },
            where=lambda hidden, units, **rest: hidden == units > 0,
        ),
        mlp.but(where=lambda hidden, units, **rest: hidden == units > 0),
        "b",
        "transposed",
    ),
    (
        "transposed",
        bend(affine, "dM transposed", "M", lambda g, u, i: g.T),
        affine,
        "M",
        "transposed",
    ),
    (
        "transposed and reshaped",
        bend(dense, "Fortran order", "W", lambda g, u, i: g.T.reshape(g.shape)),
        dense,
        "W",
        "transposed",
    ),
    ("cumsum not reversed", bend(cumsum, "forward", "x", lambda g, u, i: np.cumsum(u, 1)), cumsum,
     "x", "transposed"),
    ("inverse permutation", bend(permute, "inverse", "x", lambda g, u, i: u[:, [2, 0, 1]]), permute,
     "x", "rolled"),
    (
        "argsort",
        bend(sort, "argsort", "x", lambda g, u, i: np.take_along_axis(u, np.argsort(i["x"], 1), 1)),
        sort,
        "x",
        "permuted",
    ),
    ("rolled", bend(tanh, "rolled", "x", lambda g, u, i: np.roll(g, 1, 1)), tanh, "x", "rolled"),
    ("flipped", bend(conv, "flipped", "k", lambda g, u, i: g[::-1].copy()), conv, "k", "flipped"),
    (
        "off by one",
        bend(tanh, "shifted", "x", lambda g, u, i: np.pad(g, ((0, 0), (1, 0)))[:, :-1]),
        tanh,
        "x",
        "off by one",
    ),
    ("first row", bend(dense, "first", "W", _without(np.s_[:1])), dense, "W",
     "wrong at first index"),
    ("last column", bend(relu, "last", "x", _without(np.s_[:, -1:])), relu, "x",
     "wrong at last index"),
    ("ends", bend(difference, "ends", "x", _without(np.s_[[0, -1]])), difference, "x",
     "wrong at boundary index"),
    ("tail", bend(tanh, "tail", "x", _tail), tanh, "x", "wrong in the tail"),
    ("odd sizes", bend(tanh, "odd", "x", _only_odd), tanh, "x", "wrong for odd sizes"),
    (
        "size one",
        bend(dense, "one", "b", lambda g, u, i: 2 * g if len(u) == 1 else g),
        dense,
        "b",
        "wrong for size one",
    ),
    (
        "rectangular",
        bend(dense, "rect", "x",
             lambda g, u, i: u @ i["W"].reshape(i["W"].shape[::-1])
             if g.shape[1] != u.shape[1] else g),
        dense,
        "x",
        "transposed",
    ),
    ("duplicates", plant(embedding, "=", _overwrite), embedding, "E", "duplicate overwritten"),
    (
        "duplicates in a gather",
        bend(gather, "=", "x", lambda g, u, i: _overwrite(u, i["x"], i["idx"])["E"]),
        gather,
        "x",
        "duplicate overwritten",
    ),
]  # fmt: skip
