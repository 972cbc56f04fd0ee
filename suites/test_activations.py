"""Activations and elementwise maps, each with its declared derivative at the kink."""

import numpy as np

from gradcheck import parametrize_with_checks
from reference.layers import elementwise_map, leaky_relu, relu, sigmoid, softmax, tanh
from suites.building import F, torch
from suites.documented import documented, in_torch

# Torch's forms of max(0, x) by what they return at 0; a mixture gives what lies between.
RELU_TWINS = {
    0: in_torch("relu"),
    0.3: lambda x: 0.7 * torch.relu(x) + 0.3 * x.clamp(min=0),
    0.5: lambda x: torch.maximum(x, torch.zeros_like(x)),
    1: lambda x: x.clamp(min=0),
}
RELU_SOURCES = {
    0: "(000), (002), (004) ReLU with 0 at zero",
    0.3: "(002) ReLU with any of [0, 1] at zero",
    0.5: "(002) ReLU with 1/2 at zero",
    1: "(002) ReLU demo, 1 at zero",
}
# name: function, derivative, torch twin, kinks
MAPS = {
    "x + 1": (lambda x: x + 1, lambda x: 1, lambda x: x + 1, "subgradient"),
    "x squared / 2": (lambda x: x * x / 2, lambda x: x, lambda x: x * x / 2, "subgradient"),
    "2 x": (lambda x: 2 * x, lambda x: 2, lambda x: 2 * x, "subgradient"),
    "tanh": (
        np.tanh,
        lambda x: (1 + np.tanh(x)) * (1 - np.tanh(x)),
        in_torch("tanh"),
        "subgradient",
    ),
    "relu, leak 0": (
        lambda x: (x + abs(x)) / 2,
        lambda x: np.where(x > 0, 1, 0),
        in_torch("relu"),
        0.0,
    ),
}


def elementwise(name, module, twin, source, kinks="subgradient", **options):
    """A subject on one array of any shape."""
    return documented(
        name,
        module,
        {"x": "..."},
        twin=twin,
        kinks=kinks,
        traits="elementwise",
        source=source,
        options=options,
    )


def mapped(name):
    """The elementwise map of one of the documented pairs."""
    function, derivative, twin, kinks = MAPS[name]
    return elementwise(
        f"map {name}",
        elementwise_map,
        twin,
        "(003) MapLayer",
        function=function,
        derivative=derivative,
        kinks=kinks,
    )


def relu_with(at_zero):
    """ReLU with one of the choices at zero."""
    return elementwise(
        f"relu {at_zero} at zero",
        relu,
        RELU_TWINS[at_zero],
        RELU_SOURCES[at_zero],
        at_zero=at_zero,
        kinks=at_zero,
    )


SUBJECTS = [
    *map(relu_with, RELU_TWINS),
    elementwise(
        "max(e, x)",
        relu,
        lambda x: torch.where(x > 0.5, x, 0.5),
        "(002) f(x) = max(e, x)",
        e=0.5,
        kinks=0.0,
    ),
    elementwise(
        "leaky relu",
        leaky_relu,
        lambda x: F.leaky_relu(x, 0.2),
        "(003) MapLayer with a leak, corrected",
        leak=0.2,
        kinks=0.0,
    ),
    *map(mapped, MAPS),
    elementwise("tanh", tanh, in_torch("tanh"), "(003) dtanh"),
    elementwise("sigmoid", sigmoid, in_torch("sigmoid"), "(002) gates"),
    documented(
        "softmax",
        softmax,
        {"x": "... classes"},
        twin=lambda x: F.softmax(x, -1),
        source="(002) Dense(2, softmax)",
    ),
]


@parametrize_with_checks(SUBJECTS)
def test_activations(subject, check):
    """Forward, VJP and the choice at the kink of each activation."""
    check(subject)
