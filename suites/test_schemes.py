"""Training schemes: the gradient of every step, and whole runs beside torch's.

A scheme's subject is its loss as a function of its weights, with the gradient its steps take.
"""

import importlib.util

import numpy as np

from gradcheck import Subject, array, mask, parametrize_with_checks
from reference.schemes import (
    baseline,
    dense_sgd,
    lift,
    masked_training,
    nolearn,
    odr,
    relu_demo,
    scalar,
    tutorial,
    two_layer,
)
from reference.schemes.components import Affinity, Map, Network
from suites import torch_schemes

HAS_TORCH = importlib.util.find_spec("torch") is not None
DROP = 0.25, 0.1


def scheme(name, function, weights, data, twin, *, source, kinks="subgradient", **options):
    """The Subject of function(weights, *data) -> (loss, gradient) with torch's loss as its twin.

    At kinks the gradient is a generalised one, and no point is avoided. It is not held to be the
    twin's there: where x W + b is zero but for rounding, NumPy and torch may see other sides of it.
    The relu demo, whose convention is what it shows, has its form of relu as twin and follows it.
    """

    def split(inputs):
        return {k: inputs[k] for k in weights}, [inputs[k] for k in data]

    def forward(**inputs):
        return np.asarray(function(*_flat(split(inputs)))[0])

    def vjp(cotangent, **inputs):
        gradient = function(*_flat(split(inputs)))[1]
        return {k: np.asarray(cotangent * g) for k, g in gradient.items()}

    def in_torch(**inputs):
        w, given = {k: inputs[k] for k in weights}, {k: inputs[k] for k in data}
        return twin(w, **given)

    return Subject(
        name,
        forward,
        vjp,
        weights | data,
        twin=in_torch if HAS_TORCH else None,
        kinks=kinks if HAS_TORCH else "subgradient",
        source=source,
        **options,
    )


def _flat(pair):
    weights, data = pair
    return weights, *data


def given(shape, **options):
    """Data of a run: no gradient is asked for."""
    return array(shape, differentiable=False, **options)


def cascade(weights, x, target):
    """The component network affine, tanh, affine, built around these weights."""
    tanh = Map(np.tanh, lambda x: (1 + np.tanh(x)) * (1 - np.tanh(x)))
    first, last = (Affinity(weights[f"M{k}"], weights[f"b{k}"]) for k in (1, 3))
    return Network([first, tanh, last]).loss_and_gradient(x, target)


def with_bias(x):
    """The demo's bias column. It is what makes "all rows" and "no row" generalised gradients."""
    return np.concatenate([x, np.ones((len(x), 1))], axis=1)


def kept(weights, X, target, known, kept1, kept2):
    return nolearn.loss_and_gradient(weights, X, target, known, [kept1, kept2], DROP)


def orthogonal(weights, x, y, sx, sy):
    return odr.loss_and_gradient(weights, x, y, sx, sy)


TABLE = {"X": given("rows features"), "y": given("rows outputs")}
COLUMN = {"X": given("rows features"), "y": given("rows 1")}
TWO = {"W1": "features hidden", "b1": "hidden", "W2": "hidden outputs", "b2": "outputs"}
THREE = {
    "W1": "features hidden",
    "b1": "hidden",
    "W2": "hidden more",
    "b2": "more",
    "W3": "more outputs",
    "b3": "outputs",
}
DENSE = {"W": "features 1", "b": "1"}
CASCADE = {"M1": "middle inputs", "b1": "middle", "M3": "outputs middle", "b3": "outputs"}
SOME = {"rows": (1, 6)}
MASKS = {name: mask(f"rows {to}") for name, to in (("kept1", "hidden"), ("kept2", "more"))}

SUBJECTS = [
    scheme(
        "scalar descent step",
        scalar.loss_and_gradient,
        {"w": ""},
        {"x": given("samples"), "y": given("samples")},
        torch_schemes.scalar,
        source="(001) manual gradient update",
        dims={"samples": (1, 8)},
    ),
    scheme(
        "dense SGD step",
        dense_sgd.loss_and_gradient,
        DENSE,
        COLUMN,
        torch_schemes.dense,
        source="(001) CustomDense with SGD",
        dims=SOME,
    ),
    scheme(
        "mini-batch step over pairs",
        lambda w, X, y: dense_sgd.loss_and_gradient(w, X, y, pairs=True),
        DENSE,
        COLUMN,
        torch_schemes.pairs,
        source="(001) mini-batch, (n, 1) against (n,)",
        dims=SOME,
    ),
    scheme(
        "two-layer step",
        two_layer.loss_and_gradient,
        TWO,
        TABLE,
        torch_schemes.layers,
        source="(001) two CustomDense layers",
        dims=SOME | {"outputs": (1, 3)},
    ),
    *(
        scheme(
            f"relu demo step, {c:g} at zero",
            lambda w, x, y, c=c: relu_demo.loss_and_gradient(w, with_bias(x), y, c),
            {"w1": "features+1 hidden", "w2": "hidden outputs"},
            {"x": given("rows features"), "y": given("rows outputs")},
            torch_schemes.demo(c),
            source="(002) relu demo net",
            kinks="twin",
        )
        for c in (0.0, 0.5, 1.0)
    ),
    scheme(
        "tutorial step",
        tutorial.loss_and_gradient,
        TWO,
        TABLE,
        torch_schemes.half,
        source="(004) tutorial net",
        dims=SOME | {"outputs": (1, 3)},
    ),
    scheme(
        "component network fact",
        cascade,
        # Beyond |z| = 5 torch's own 1 - tanh^2 has lost the digits this is held against.
        {name: array(shape, low=-1, high=1) for name, shape in CASCADE.items()},
        {"x": given("inputs", low=-1, high=1), "target": given("outputs")},
        torch_schemes.cascade,
        source="(003) Network.learn",
        dims={"inputs": (1, 4)},
    ),
    scheme(
        "masked weights step",
        masked_training.loss_and_gradient,
        {"W": "features units", "b": "units"},
        {
            "x": given("rows features"),
            "target": given("rows units"),
            "mask": mask("features units"),
        },
        torch_schemes.masked,
        source="(002) selectively zero weights",
        dims={"rows": (1, 6), "units": (1, 6)},
    ),
    scheme(
        "nolearn step",
        kept,
        THREE,
        {
            "X": given("rows features"),
            "target": given("rows outputs"),
            "known": mask("rows outputs"),
            **MASKS,
        },
        torch_schemes.dropped(DROP),
        source="(002) nolearn regressor, dropout and unknown targets",
        dims={"rows": (1, 5)},
    ),
    scheme(
        "ODR step",
        orthogonal,
        {"beta": "2", "delta": "points"},
        {
            "x": given("points"),
            "y": given("points"),
            "sx": given("points", low=0.1, high=10),
            "sy": given("points", low=0.1, high=10),
        },
        torch_schemes.orthogonal,
        source="(002) scipy.odr",
        dims={"points": (1, 8)},
    ),
    scheme(
        "Lift step",
        lift.loss_and_gradient,
        {"A": "3 10", "a": "10", "B": "10 26", "c": "26"},
        {"x": given("rows 3"), "target": given("rows 26")},
        torch_schemes.lift_loss,
        source="(000) lifter.fit",
        dims={"rows": (1, 3)},
    ),
    scheme(
        "baseline step",
        baseline.loss_and_gradient,
        THREE,
        TABLE,
        torch_schemes.layers,
        source="(000) test2",
        dims=SOME | {"outputs": (1, 1)},
    ),
]


@parametrize_with_checks(SUBJECTS)
def test_scheme_gradients(subject, check):
    check(subject)
