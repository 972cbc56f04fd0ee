"""Solving, inverting and factorising, on matrices that admit it."""

import numpy as np

from gradcheck import array, parametrize_with_checks
from reference.layers import cholesky, inverse, solve
from suites.building import subject, torch, torch_function


def invertible(rng, shape):
    """A random matrix pushed away from the singular ones."""
    return rng.standard_normal(shape) + 2 * shape[-1] ** 0.5 * np.eye(shape[-1])


def positive_definite(rng, shape):
    half = rng.standard_normal(shape)
    return half @ half.swapaxes(-1, -2) / max(shape[-1], 1) + np.eye(shape[-1])


SIZES = {"n": (0, 6), "sides": (0, 4)}

SUBJECTS = [
    subject(
        solve,
        {"A": array("n n", values=invertible), "b": "n sides"},
        dims=SIZES,
        twin=torch_function("linalg.solve"),
    ),
    subject(
        solve,
        {"A": array("batch n n", values=invertible), "b": "batch n sides"},
        name="solve-batched",
        dims=SIZES,
        twin=torch_function("linalg.solve"),
    ),
    subject(
        inverse,
        {"A": array("... n n", values=invertible)},
        dims={"n": (0, 6)},
        twin=torch_function("linalg.inv"),
    ),
    subject(
        cholesky,
        {"A": array("... n n", values=positive_definite)},
        dims={"n": (0, 6)},
        twin=lambda A: torch.linalg.cholesky((A + A.mT) / 2),
    ),
]


@parametrize_with_checks(SUBJECTS)
def test_linear_algebra(subject, check):
    check(subject)
