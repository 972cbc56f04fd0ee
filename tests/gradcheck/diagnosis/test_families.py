"""Each family names its own fault from Jacobians alone, and keeps silent on what it is not."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest

from gradcheck import Subject, check
from gradcheck.diagnosis import MODULES
from gradcheck.diagnosis.explain import agreed
from tests.gradcheck.diagnosis.scenes_by_hand import WRONG, pair, scene


def family(name):
    return import_module(f"gradcheck.diagnosis.{name}").explain


def linear(bend):
    """The layer x W, its gradient of x bent: bend(right, u, x, W)."""

    def make(rng, k):
        sizes = {"batch": 4 + k, "n": 3, "m": 5 - k}
        x = rng.standard_normal((sizes["batch"], sizes["n"]))
        W = rng.standard_normal((sizes["n"], sizes["m"]))
        return scene(
            lambda x, W: x @ W,
            lambda u, x, W: {"x": bend(u @ W.T, u, x, W), "W": x.T @ u},
            {"x": x, "W": W},
            {"x": "batch n", "W": "n m"},
            sizes,
        )

    return pair(make)


def elementwise(f, slope, bend=lambda g, u: g):
    def make(rng, k):
        x = rng.standard_normal(9 + k)
        claim = lambda u, x: {"x": bend(u * slope(x), u)}  # noqa: E731
        return scene(lambda x: f(1.0 * x), claim, {"x": x}, {"x": "n"}, {"n": 9 + k})

    return pair(make)


CASES = {
    "zero": (linear(lambda g, u, x, W: 0 * g), "always zero"),
    "scale 2": (linear(lambda g, u, x, W: 2 * g), "scaled by 2"),
    "scale batch": (linear(lambda g, u, x, W: len(g) * g), "scaled by batch"),
    "scale sign": (linear(lambda g, u, x, W: -g), "sign flipped"),
    "cotangent ones": (linear(lambda g, u, x, W: np.ones_like(u) @ W.T), "cotangent ignored"),
    "cotangent squared": (linear(lambda g, u, x, W: u**2 @ W.T), "squared cotangent"),
    "cotangent decay": (linear(lambda g, u, x, W: g + 0.1 * x), "term without cotangent"),
    "cotangent clipped": (linear(lambda g, u, x, W: np.clip(g, -0.3, 0.3)), "gradient clipped"),
    "precision 32": (
        linear(lambda g, u, x, W: g.astype(np.float32).astype(float)),
        "precision lost",
    ),
    "moved rolled": (linear(lambda g, u, x, W: np.roll(g, 1, 1)), "rolled"),
    "moved flipped": (linear(lambda g, u, x, W: g[::-1]), "flipped"),
    "moved off by one": (
        linear(lambda g, u, x, W: np.concatenate([0 * g[:1], g[:-1]])),
        "off by one",
    ),
    "where first": (
        linear(lambda g, u, x, W: np.concatenate([0 * g[:, :1], g[:, 1:]], 1)),
        "wrong at first index",
    ),
    "where last row": (
        linear(lambda g, u, x, W: np.concatenate([g[:-1], 3 * g[-1:]])),
        "wrong at last index",
    ),
    "elsewhere W squared": (linear(lambda g, u, x, W: u @ W.T**2), "evaluated at another point"),
    "elsewhere W flipped": (linear(lambda g, u, x, W: u @ W[::-1].T), "flipped"),
    "summed": (linear(lambda g, u, x, W: 0 * g + g.mean()), "gradient summed"),
    "activation other": (
        elementwise(np.tanh, lambda x: 1 / (1 + np.exp(-x)) / (1 + np.exp(x))),
        "derivative of another activation",
    ),
    "activation squared": (
        elementwise(np.tanh, lambda x: (1 - np.tanh(x) ** 2) ** 2),
        "wrong derivative",
    ),
    "elsewhere output": (
        elementwise(np.sin, lambda x: np.cos(np.sin(x))),
        "derivative at the output",
    ),
    "paths mean": (
        elementwise(lambda x: np.tanh(x) * 0 + x - x.mean(), np.ones_like),
        "path missing",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_family_names_its_fault(case):
    evidence, fault = CASES[case]
    for one in evidence:
        told = family(case.split()[0])(one, WRONG)
        assert told is not None
        assert told.fault == fault
        assert "`x`" in told.message
        assert told.message == told.message.strip()


@pytest.mark.parametrize("case", CASES)
def test_first_family_that_speaks_is_the_right_one(case):
    evidence, fault = CASES[case]
    for module in MODULES:
        with np.errstate(all="ignore"):
            told = agreed(family(module), evidence, WRONG)
        if told is not None:
            assert told.fault == fault, module
            return
    raise AssertionError("no family spoke")


@pytest.mark.parametrize(
    "bend",
    [
        lambda g, u, x, W: np.cos(g) + u.sum() * np.sin(x),
        lambda g, u, x, W: g * (1 + 0.1 * np.sin(3 * x)),
        lambda g, u, x, W: g + 0.01 * np.cumsum(g, 0) @ np.diag(np.arange(1, 1 + g.shape[1])),
    ],
)
def test_no_name_where_none_fits(bend):
    evidence = linear(bend)
    for module in MODULES:
        with np.errstate(all="ignore"):
            told = agreed(family(module), evidence, WRONG)
        assert told is None or told.fault == "term without cotangent", (module, told)


def test_a_forgotten_temperature_is_looked_for_where_temperatures_are():
    def scores(q, k):
        return q @ k.T / np.sqrt(q.shape[1])

    def vjp(u, q, k):
        return {"q": u @ k / np.sqrt(q.shape[1]), "k": u.T @ q}

    inputs = {"q": "queries features", "k": "keys features"}
    report = check(Subject("scores", scores, vjp, inputs, dims={"features": (1, 6)}), seed=1)
    (finding,) = report.findings
    assert finding.fault == "scaled by sqrt(features)"
    assert "sqrt(d) of attention's scores" in finding.hint
