"""Faults around weights that multiply: documents 001, 003 and 004."""

import numpy as np

from reference.layers import linear
from suites.test_affine import SUBJECTS
from tests.faults.documented.planted import plant, spoil, subject

AFFINE, LINEAR = subject(SUBJECTS, "affine"), subject(SUBJECTS, "linear")
DENSE, SCALAR = subject(SUBJECTS, "dense relu"), subject(SUBJECTS, "scalar weight")


def times_m(right, cotangent, x, M, b):
    """(003) M g where M^T g belongs: raises where M is not square."""
    return right.vjp(cotangent, x=x, M=M, b=b) | {"x": M @ cotangent}


def updated_m(right, cotangent, x, M, b):
    """(003) dx from the matrix after its update, alpha 0.1."""
    after = M - 0.1 * np.outer(cotangent, x)
    return right.vjp(cotangent, x=x, M=M, b=b) | {"x": after.T @ cotangent}


def integer_weights(right, cotangent, x, M, b):
    """(003) weights made as integers, updated in place by a float."""
    weights = M.astype(int)
    weights -= np.outer(cotangent, x)
    return right.vjp(cotangent, x=x, M=M, b=b)


def outer_of_the_wrong_order(right, cotangent, x, M, b):
    """(003) outer(x, g) put into M's shape: x g^T where g x^T belongs."""
    swapped = np.outer(x, cotangent).reshape(M.shape)
    return right.vjp(cotangent, x=x, M=M, b=b) | {"M": swapped}


FAULTS = [
    plant("affine: M g", AFFINE, ("`x`", "transpose"), vjp=times_m),
    plant("affine: M after its update", AFFINE, ("`x`", "after its update"), vjp=updated_m),
    plant("affine: integer weights", AFFINE, ("raise",), vjp=integer_weights),
    plant("affine: x g^T", AFFINE, ("`M`", "transpose"), vjp=outer_of_the_wrong_order),
    plant(
        "affine: scaled by alpha",
        AFFINE,
        ("scaled", "0.1"),
        vjp=spoil(x=lambda g: 0.1 * g, M=lambda g: 0.1 * g, b=lambda g: 0.1 * g),
    ),
    plant(
        "linear: mean over the batch in db",
        subject(SUBJECTS, "dense linear"),
        ("`b`", "mean instead of sum"),
        vjp=lambda right, cotangent, **inputs: (
            right.vjp(cotangent, **inputs) | {"b": cotangent.sum(0) / max(len(cotangent), 1)}
        ),
    ),
    plant(
        "linear: no batch sum in db",
        subject(SUBJECTS, "dense linear"),
        ("`b`", "missing batch sum"),
        vjp=lambda right, cotangent, **inputs: right.vjp(cotangent, **inputs) | {"b": cotangent},
    ),
    plant(
        "dense: dX through W, not its transpose",
        DENSE,
        ("`x`", "transpose"),
        vjp=lambda right, cotangent, x, W, b: (
            right.vjp(cotangent, x=x, W=W, b=b) | {"x": (cotangent * (x @ W + b > 0)) @ W}
        ),
    ),
    plant(
        "dense: 1 at relu's kink, where 0 is declared",
        DENSE,
        ("convention",),
        vjp=lambda right, cotangent, x, W, b: linear.vjp(cotangent * (x @ W + b >= 0), x, W, b),
        twin=DENSE.twin,
    ),
    plant(
        "dense: the activation's derivative left out",
        DENSE,
        ("`b`", "outputs where forward is 0"),
        vjp=lambda right, cotangent, x, W, b: {
            "x": cotangent @ W.T,
            "W": x.T @ cotangent,
            "b": cotangent.sum(0),
        },
    ),
    plant(
        "scalar weight: mean over the batch in dw",
        SCALAR,
        ("`w`", "mean instead of sum"),
        vjp=lambda right, cotangent, x, w: {"x": cotangent * w, "w": np.mean(cotangent * x)},
    ),
]
