"""Mistakes in solving, inverting and factorising."""

import numpy as np

from suites.test_linear_algebra import SUBJECTS
from tests.faults.users.planted import Planter

plant = Planter(SUBJECTS)


def not_halved(right, g, A):
    L = right.forward(A=A)
    P = np.tril(L.swapaxes(-1, -2) @ np.tril(g))
    inner = np.linalg.inv(L)
    S = inner.swapaxes(-1, -2) @ P @ inner
    return {"A": (S + S.swapaxes(-1, -2)) / 2}


def not_symmetrised(right, g, A):
    L = right.forward(A=A)
    P = np.tril(L.swapaxes(-1, -2) @ np.tril(g)) * (1 - np.eye(A.shape[-1]) / 2)
    inner = np.linalg.inv(L)
    return {"A": inner.swapaxes(-1, -2) @ P @ inner}


def inverse_not_transposed(right, g, A):
    Y = right.forward(A=A)
    return {"A": -Y @ g @ Y}


FAULTS = [
    plant(
        "solve: A for its transpose",
        "solve",
        "b",
        lambda right, g, A, b: {"b": np.linalg.solve(A, g)},
        "transpose",
    ),
    plant(
        "solve: sign of dA",
        "solve-batched",
        "A",
        lambda right, g, A, b: {"A": -right.vjp(g, A=A, b=b)["A"]},
        "sign",
    ),
    plant("inverse: not transposed", "inverse", "A", inverse_not_transposed, "transpose"),
    plant("cholesky: diagonal not halved", "cholesky", "A", not_halved),
    plant("cholesky: not symmetrised", "cholesky", "A", not_symmetrised, "off the diagonal"),
]
