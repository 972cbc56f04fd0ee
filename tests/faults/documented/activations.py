"""Faults of elementwise maps and at the kink of ReLU: documents 002 and 003."""

import numpy as np

from suites.test_activations import SUBJECTS
from tests.faults.documented.planted import plant, subject

LEAK = 0.2
TANH, SIGMOID, SOFTMAX = (subject(SUBJECTS, name) for name in ("tanh", "sigmoid", "softmax"))
RELU, HALF = subject(SUBJECTS, "relu 0 at zero"), subject(SUBJECTS, "relu 0.5 at zero")
LEAKY, SQUARE = subject(SUBJECTS, "leaky relu"), subject(SUBJECTS, "map x squared / 2")


def halved_leak(x):
    """(003) the map as it is written: slope leak / 2 below zero."""
    return (x * (1 + LEAK / 2) + abs(x) * (1 - LEAK / 2)) / 2


def first_type_decides(right, cotangent, x):
    """(003) np.vectorize without otypes: [leak, 1][d > 0] is an integer if the first is 1."""
    if not x.size:
        return {"x": cotangent.copy()}
    slope = np.vectorize(lambda d: 1 if d > 0 else LEAK)
    return {"x": slope(x) * cotangent}


def not_multiplied(right, cotangent, x):
    """(002) grad_h[h == 0] = .5 where *= .5 belongs."""
    grad = np.where(x > 0, cotangent, 0)
    grad[x == 0] = 0.5
    return {"x": grad}


def below_zero_only(right, cotangent, x):
    """(002) grad_h[h < 0] = 0: the choice 1 at zero, where 0 is declared."""
    return {"x": np.where(x < 0, 0, cotangent)}


def wrong_array(right, cotangent, x):
    """(002) grad[h <= 0] = 0 clears another array than the one that is returned."""
    grad, grad_h = cotangent.copy(), cotangent.copy()
    grad[x <= 0] = 0
    return {"x": grad_h}


FAULTS = [
    plant(
        "leaky relu: slope leak / 2",
        LEAKY,
        ("slope 0.2 where that of leaky relu of slope 0.1 is due",),
        forward=halved_leak,
    ),
    plant(
        "leaky relu: first type decides",
        LEAKY,
        ("derivative of relu where that of leaky relu",),
        vjp=first_type_decides,
    ),
    plant("relu: 1/2, not multiplied", HALF, ("not multiplied",), vjp=not_multiplied),
    plant("relu: 1 where 0 is declared", RELU, ("convention",), vjp=below_zero_only),
    plant("relu: the wrong array cleared", RELU, ("derivative of another",), vjp=wrong_array),
    plant(
        "map: doubles its input, says the text",
        SQUARE,
        ("derivative of another",),
        vjp=lambda right, cotangent, x: {"x": 2 * cotangent},
    ),
    plant(
        "tanh: derivative at the output",
        TANH,
        ("derivative at the output",),
        vjp=lambda right, cotangent, x: {"x": cotangent * (1 - np.tanh(np.tanh(x)) ** 2)},
    ),
    plant(
        "sigmoid: tanh's derivative",
        SIGMOID,
        ("derivative of another activation",),
        vjp=lambda right, cotangent, x: {"x": cotangent * (1 - np.tanh(x) ** 2)},
    ),
    plant(
        "softmax: the diagonal only",
        SOFTMAX,
        ("diagonal", "path missing"),
        vjp=lambda right, cotangent, x: {
            "x": cotangent * right.forward(x=x) * (1 - right.forward(x=x))
        },
    ),
]
