"""Layers nobody here wrote, from installed packages, with defaults: every one must pass.

What their gradients do not cover is said beside them: rosen_der needs two coordinates at least.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from gradcheck import array, check, constant, integers

EXAMPLES = 6  # per layer: this is about breadth


def torch_layer(make, inputs=None, **options):
    torch = pytest.importorskip("torch")
    return make(torch), inputs(torch) if callable(inputs) else inputs, options


def keras_layer(name, *arguments, inputs, **options):
    keras = pytest.importorskip("keras", exc_type=ImportError)
    return getattr(keras.layers, name)(*arguments), inputs, options


def rosenbrock():
    from scipy.optimize import rosen, rosen_der

    return (rosen, rosen_der), {"x": "n"}, {"dims": {"n": (2, 8)}}


def half_binomial(ready=np.ascontiguousarray):
    loss = pytest.importorskip("sklearn._loss").HalfBinomialLoss()

    def value(raw, y):
        return loss.loss(y_true=ready(y), raw_prediction=ready(raw))

    def slope(raw, y):
        return loss.gradient(y_true=ready(y), raw_prediction=ready(raw))

    labels = array("n", values=_labels, differentiable=False)
    return (value, slope), {"raw": "n", "y": labels}, {}


def logistic_regression():
    losses = pytest.importorskip("sklearn.linear_model._linear_loss")
    binomial = pytest.importorskip("sklearn._loss").HalfBinomialLoss()
    model = losses.LinearModelLoss(base_loss=binomial, fit_intercept=True)

    def value_and_gradient(coef, X, y):
        return model.loss_gradient(coef, X, y, l2_reg_strength=0.5)

    inputs = {
        "coef": "features + 1",
        "X": array("samples features", differentiable=False),
        "y": array("samples", values=_labels, differentiable=False),
    }
    bounds = {"samples": (1, 8), "features": (1, 5)}
    return (value_and_gradient, True), inputs, {"dims": bounds}


def _labels(rng, shape):
    return rng.integers(0, 2, shape).astype(float)


def odr_model(name, count):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        odr = pytest.importorskip("scipy.odr", reason="this scipy has no scipy.odr")
    model = getattr(odr, name)

    def curve(B, x):
        return model.fcn(B, x)

    # ODRPACK keeps the axis of the parameters first; fjacd is the slope, one for each sample.
    jac = {"B": lambda B, x: np.reshape(model.fjacb(B, x), (count, len(x))), "x": model.fjacd}
    return (curve, jac), {"B": f"{count}", "x": "n"}, {"inputs_first": True}


LAYERS = {
    "nn.Linear": lambda: torch_layer(lambda t: t.nn.Linear(3, 4)),
    "nn.GroupNorm": lambda: torch_layer(lambda t: t.nn.GroupNorm(2, 4), {"x": "batch 4 length"}),
    "nn.GRU": lambda: torch_layer(lambda t: t.nn.GRU(2, 3), {"x": "time batch 2"}),
    "nn.Conv2d": lambda: torch_layer(lambda t: t.nn.Conv2d(2, 3, 2)),
    "nn.Bilinear": lambda: torch_layer(
        lambda t: t.nn.Bilinear(2, 3, 2), {"a": "batch 2", "b": "batch 3"}
    ),
    "nn.Embedding": lambda: torch_layer(lambda t: t.nn.Embedding(7, 3)),
    "nn.CrossEntropyLoss": lambda: torch_layer(
        lambda t: t.nn.CrossEntropyLoss(reduction="sum"),
        {"x": "batch 4", "target": integers("batch", 0, 4)},
    ),
    "nn.Tanh": lambda: torch_layer(lambda t: t.nn.Tanh()),
    "special.erf": lambda: torch_layer(lambda t: t.special.erf),
    "special.i0e": lambda: torch_layer(lambda t: t.special.i0e, {"x": "n"}),
    "special.log_softmax": lambda: torch_layer(
        lambda t: t.special.log_softmax, {"x": "batch n", "dim": constant(-1)}
    ),
    "keras.Dense": lambda: keras_layer("Dense", 4, inputs={"x": "batch 3"}),
    "keras.LayerNormalization": lambda: keras_layer("LayerNormalization", inputs={"x": "batch 3"}),
    "keras.LSTM": lambda: keras_layer(
        "LSTM", 2, inputs={"x": "batch time 3"}, dims={"time": (1, 4)}
    ),
    "optimize.rosen": rosenbrock,
    "sklearn.HalfBinomialLoss": half_binomial,
    "sklearn.LinearModelLoss": logistic_regression,
    "odr.exponential": lambda: odr_model("exponential", 2),
    "odr.quadratic": lambda: odr_model("quadratic", 3),
}


@pytest.mark.parametrize("name", LAYERS)
def test_installed_layers_pass_with_defaults(name):
    layer, inputs, options = LAYERS[name]()
    report = check(layer, inputs, examples=EXAMPLES, seed=1, **options)
    assert report.passed, str(report)


def test_the_private_loss_of_sklearn_takes_contiguous_arrays_only():
    # Forward raises for a strided array too: that is its contract, and no fault of the gradient.
    layer, inputs, _ = half_binomial(ready=lambda array: array)
    report = check(layer, inputs, examples=EXAMPLES, seed=1, checks=["layouts"])
    assert report.verdict == "correct"


def test_rosen_der_needs_two_coordinates():
    layer, inputs, _ = rosenbrock()
    report = check(layer, inputs, examples=8, seed=1)
    assert report.verdict == "broken"
    assert report.findings[0].example["x"].shape == (1,)


def test_there_are_fifteen_at_least():
    assert len(LAYERS) >= 15
