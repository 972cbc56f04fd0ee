"""Optimizers, step by step, against torch.optim and Keras; where two forms differ, by how much."""

import importlib.util
import os
import sys
from functools import partial

import numpy as np
import pytest

from gradcheck import check_optimizer
from gradcheck.pytest_plugin import session_of
from reference.optimizers import (
    adam,
    clipping,
    leafwise,
    momentum,
    nesterov,
    rmsprop,
    schedules,
    sgd,
    weight_decay,
)
from suites.building import HAS_TORCH, torch

HAS_KERAS = importlib.util.find_spec("keras") is not None

TORCH_RMSPROP = {"rho": 0.99, "epsilon": 1e-8}
ADAM = {"beta1": 0.9, "beta2": 0.999}

# (ours, torch's class, its options)
TORCH = {
    "sgd": (sgd.step, "SGD", {}),
    "momentum, rate outside": (
        partial(momentum.step, rate="outside"),
        "SGD",
        {"momentum": 0.9},
    ),
    "nesterov, rate outside": (
        partial(nesterov.step, rate="outside"),
        "SGD",
        {"momentum": 0.9, "nesterov": True},
    ),
    "rmsprop, epsilon outside": (partial(rmsprop.step, **TORCH_RMSPROP), "RMSprop", {}),
    "rmsprop of tf.keras 2.10": (rmsprop.step, "RMSprop", {"alpha": 0.9, "eps": 1e-7}),
    "adam, corrected": (adam.step, "Adam", {}),
    "adam with the settings of (002)": (partial(adam.step, epsilon=1e-7), "Adam", {"eps": 1e-7}),
    "weight decay, coupled": (weight_decay.coupled(sgd.step, 0.1), "SGD", {"weight_decay": 0.1}),
    "adam, decay coupled": (weight_decay.coupled(adam.step, 0.1), "Adam", {"weight_decay": 0.1}),
    "adam, decay decoupled": (
        weight_decay.decoupled(adam.step, 0.1),
        "AdamW",
        {"weight_decay": 0.1},
    ),
}


def clipped(clip):
    """SGD on mappings of arrays, after this clip of all their gradients."""

    def step(weights, gradients, state=None, *, lr):
        return leafwise(sgd.step)(weights, clip(gradients), state, lr=lr)

    return step


# (ours, Keras's class, its options)
KERAS = {
    "sgd": (sgd.step, "SGD", {}),
    "momentum, rate inside": (momentum.step, "SGD", {"momentum": 0.9}),
    "nesterov, rate inside": (nesterov.step, "SGD", {"momentum": 0.9, "nesterov": True}),
    "rmsprop, epsilon inside": (partial(rmsprop.step, epsilon_at="inside"), "RMSprop", {}),
    "adam, uncorrected": (
        partial(adam.step, epsilon=1e-7, epsilon_at="uncorrected"),
        "Adam",
        {},
    ),
    "adam, decay decoupled": (
        weight_decay.decoupled(partial(adam.step, epsilon=1e-7, epsilon_at="uncorrected"), 0.25),
        "AdamW",
        {"weight_decay": 0.25},
    ),
    "sgd, decay decoupled": (
        weight_decay.decoupled(sgd.step, 0.25),
        "SGD",
        {"weight_decay": 0.25},
    ),
    "clipping by value": (
        clipped(lambda gradients: {k: clipping.by_value(g, 0.5) for k, g in gradients.items()}),
        "SGD",
        {"clipvalue": 0.5},
    ),
}

# The two forms of one rule: what `check_optimizer` calls their difference.
FORMS = {
    "momentum": (momentum.step, partial(momentum.step, rate="outside")),
    "nesterov": (nesterov.step, partial(nesterov.step, rate="outside")),
    "rmsprop": (partial(rmsprop.step, epsilon_at="inside"), rmsprop.step),
    "adam": (partial(adam.step, epsilon_at="uncorrected"), adam.step),
    "decay": (weight_decay.decoupled(adam.step, 0.1), weight_decay.coupled(adam.step, 0.1)),
}
CALLED = {
    "momentum": "learning rate in the velocity",
    "nesterov": "learning rate in the velocity",
    "rmsprop": "epsilon inside the root",
    "adam": "epsilon",
    "decay": "weight decay decoupled",
}


@pytest.fixture
def seed(request):
    """The seed of the run, `--gradcheck-seed`, so that a run can be repeated."""
    return session_of(request.config).seed


needs_torch = pytest.mark.skipif(not HAS_TORCH, reason="torch is the twin and is not installed")


@pytest.fixture(scope="module")
def keras():
    """Keras on its torch backend; a backend is chosen once a process."""
    if not HAS_KERAS:
        pytest.skip("keras is the twin and is not installed")
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = "torch"
    module = importlib.import_module("keras")
    if module.backend.backend() != "torch":
        pytest.skip(f"keras already runs on {module.backend.backend()} in this process")
    return module


def row(name, twin, report):
    worst = max(outcome.score for outcome in report.outcomes.values())
    seen = f"{report.detectable['weights']:.0e}"
    return [name, twin, report.verdict, f"{worst:.2g}", seen]


COLUMNS = ["rule", "held against", "verdict", "worst error over tolerance", "detectable"]


@needs_torch
def test_steps_are_torchs(section, seed):
    rows = []
    for name, (ours, twin, options) in TORCH.items():
        made = partial(getattr(torch.optim, twin), **options)
        report = check_optimizer(ours, made, examples=1, seed=seed, name=name)
        report.raise_if_failed()
        rows.append(row(name, f"torch.optim.{twin}", report))
    section("Optimizers against torch", table={"columns": COLUMNS, "rows": rows})


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_steps_are_keras_own(section, keras, seed):
    rows = []
    for name, (ours, twin, options) in KERAS.items():
        made = partial(getattr(keras.optimizers, twin), **options)
        report = check_optimizer(ours, made, examples=1, seed=seed, name=name)
        report.raise_if_failed()
        rows.append(row(name, f"keras.optimizers.{twin}", report))
    section("Optimizers against Keras", table={"columns": COLUMNS, "rows": rows})


@pytest.mark.parametrize("name", FORMS)
def test_two_forms_of_one_rule_are_told_apart(name, seed):
    report = check_optimizer(*FORMS[name], seed=seed, name=name)
    assert {f.fault for f in report.findings} == {CALLED[name]}, str(report)


@needs_torch
@pytest.mark.parametrize("max_norm", [0.5, 5.0])
def test_clipping_is_torchs(max_norm):
    rng = np.random.default_rng(0)
    for _ in range(20):
        gradients = {"W": rng.standard_normal((3, 2)), "b": rng.standard_normal(2)}
        ours = clipping.by_norm(gradients, max_norm, epsilon=1e-6)
        held = [
            torch.zeros(g.shape, dtype=torch.float64, requires_grad=True) for g in ours.values()
        ]
        for parameter, g in zip(held, gradients.values(), strict=True):
            parameter.grad = torch.tensor(g)
        torch.nn.utils.clip_grad_norm_(held, max_norm)
        for parameter, g in zip(held, ours.values(), strict=True):
            np.testing.assert_allclose(g, parameter.grad.numpy(), rtol=1e-14)
        torch.nn.utils.clip_grad_value_(held, 0.1)
        for parameter, g in zip(held, ours.values(), strict=True):
            np.testing.assert_allclose(
                clipping.by_value(g, 0.1), parameter.grad.numpy(), rtol=1e-14
            )


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_clipping_by_norm_is_keras_own_to_single_precision(keras):
    """Keras on torch takes the larger of a norm and a Python number in float32."""
    rng = np.random.default_rng(0)
    gradients = {"W": rng.standard_normal((3, 2)), "b": rng.standard_normal(2)}
    each = {name: clipping.by_norm({name: g}, 0.5)[name] for name, g in gradients.items()}
    for option, ours in (("clipnorm", each), ("global_clipnorm", clipping.by_norm(gradients, 0.5))):
        held = [keras.Variable(np.zeros(g.shape), dtype="float64") for g in gradients.values()]
        given = [keras.ops.convert_to_tensor(g) for g in gradients.values()]
        keras.optimizers.SGD(learning_rate=1.0, **{option: 0.5}).apply(given, held)
        for variable, g in zip(held, ours.values(), strict=True):
            found = -keras.ops.convert_to_numpy(variable.value)
            np.testing.assert_allclose(found, g, rtol=2.0**-22)


EPOCHS = 12


@needs_torch
def test_linear_schedules_are_torchs():
    """LinearLR, whose first epoch runs at the start; AdjustVariable is a step behind it."""
    w = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    line = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.001 / 0.1, EPOCHS - 1)
    rates = []
    for _ in range(EPOCHS):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        line.step()
    np.testing.assert_allclose(schedules.linear(0.1, 0.001, EPOCHS), rates, rtol=1e-12)
    late = schedules.adjust_variable(0.1, 0.001, EPOCHS)
    np.testing.assert_allclose(late[1:], rates[:-1], rtol=1e-12)
    assert late[0] == late[1] == rates[0]


def test_linear_schedules_are_keras_own(keras):
    line = keras.optimizers.schedules.PolynomialDecay(0.1, EPOCHS - 1, 0.001, power=1.0)
    rates = [float(line(epoch)) for epoch in range(EPOCHS)]
    np.testing.assert_allclose(schedules.linear(0.1, 0.001, EPOCHS), rates, rtol=1e-6)


def path(step, gradients, rates, **options):
    """The weight after each step, from 0."""
    w, state, seen = np.zeros(1), None, []
    for gradient, lr in zip(gradients, rates, strict=True):
        w, state = step(w, np.array([gradient]), state, lr=lr, **options)
        seen.append(float(w[0]))
    return np.array(seen)


def gap(name, one, other, rates, gradients):
    """Two forms on the same gradients: their curves and a table row with their distance."""
    a, b = path(one, gradients, rates), path(other, gradients, rates)
    apart = float(np.abs(a - b)[-1] / np.abs(b)[-1])
    return [name, f"{a[-1]:.6g}", f"{b[-1]:.6g}", f"{apart:.2g}"], np.abs(a - b) / np.abs(b)


def test_by_how_much_two_forms_differ(section):
    """Momentum's forms are one at a constant rate; epsilon's places part for small gradients."""
    constant, line = np.full(50, 0.1), schedules.adjust_variable(0.1, 0.001, 50)
    ones, small = np.ones(50), np.full(50, 1e-4)
    outside = partial(momentum.step, rate="outside")
    inside = partial(rmsprop.step, epsilon_at="inside")
    uncorrected = partial(adam.step, epsilon_at="uncorrected")
    cases = [
        ("momentum in or out, constant rate", momentum.step, outside, constant, ones),
        ("momentum in or out, linear schedule", momentum.step, outside, line, ones),
        (
            "nesterov in or out, linear schedule",
            nesterov.step,
            partial(nesterov.step, rate="outside"),
            line,
            ones,
        ),
        ("rmsprop epsilon in or out, gradient 1", inside, rmsprop.step, constant, ones),
        ("rmsprop epsilon in or out, gradient 1e-4", inside, rmsprop.step, constant, small),
        ("adam epsilon, gradient 1e-4", uncorrected, adam.step, constant, small),
    ]
    rows, series, last = [], [], {}
    for name, one, other, rates, gradients in cases:
        told, apart = gap(name, one, other, rates, gradients)
        rows.append(told)
        last[name] = apart[-1]
        seen = [(k + 1, float(v)) for k, v in enumerate(apart) if v > 0]
        series.append({"name": name, "x": [k for k, _ in seen], "y": [v for _, v in seen]})
    assert last["momentum in or out, constant rate"] < 1e-14
    assert last["momentum in or out, linear schedule"] > 0.05
    assert last["nesterov in or out, linear schedule"] > 0.05
    assert last["rmsprop epsilon in or out, gradient 1"] < 1e-6
    assert last["rmsprop epsilon in or out, gradient 1e-4"] > 0.5
    section(
        "Where two forms of an optimizer differ",
        text="Relative distance of the weights on the same gradients, by step.",
        table={"columns": ["forms", "first", "second", "distance"], "rows": rows},
        series=series,
        log=True,
    )
