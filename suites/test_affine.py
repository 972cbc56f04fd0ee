"""Layers that multiply by weights: rows, columns, one scalar, with and without activation."""

from gradcheck import parametrize_with_checks
from reference.layers import (
    affine,
    dense,
    identity,
    linear,
    relu,
    scalar_weight,
    sigmoid,
    softmax,
    tanh,
)
from suites.building import F
from suites.documented import documented, in_torch

ROWS = {"x": "batch features", "W": "features units", "b": "units"}
ACTIVATIONS = {
    "linear": (identity, lambda z: z, "(000), (001) Dense without activation"),
    "relu": (relu, in_torch("relu"), "(000) Dense(5, relu); (001) CustomDense(10, relu)"),
    "tanh": (tanh, in_torch("tanh"), "(001) CustomDense with any activation"),
    "sigmoid": (sigmoid, in_torch("sigmoid"), "(001) CustomDense with any activation"),
    "softmax": (softmax, lambda z: F.softmax(z, -1), "(002) Dense(2, softmax)"),
}


def dense_with(name):
    """The dense layer with one of the activations."""
    module, in_torch, source = ACTIVATIONS[name]
    return documented(
        f"dense {name}",
        dense,
        ROWS,
        options={"activation": (module.forward, module.vjp)},
        twin=lambda x, W, b: in_torch(F.linear(x, W.T, b)),
        kinks="twin" if name == "relu" else "subgradient",
        traits=("batched", "permutation"),
        source=source,
    )


SUBJECTS = [
    documented(
        "identity",
        identity,
        {"x": "..."},
        twin=lambda x: x.clone(),
        traits=("linear", "elementwise"),
        source="(003) IdentityLayer",
    ),
    documented(
        "affine",
        affine,
        {"x": "n", "M": "m n", "b": "m"},
        twin=lambda x, M, b: M @ x + b,
        source="(003) AffinityLayer",
    ),
    documented(
        "linear",
        linear,
        {"x": "... features", "W": "features units", "b": "units"},
        twin=lambda x, W, b: F.linear(x, W.T, b),
        source="(004) Linear",
    ),
    documented(
        "scalar weight",
        scalar_weight,
        {"x": "batch", "w": ""},
        twin=lambda x, w: x * w,
        source="(001) SimpleModel",
    ),
    *map(dense_with, ACTIVATIONS),
]


@parametrize_with_checks(SUBJECTS)
def test_affine(subject, check):
    """Forward and VJP of each layer obey every law that applies to it."""
    check(subject)
