"""Twins of a subject's own forward: on torch tensors, else on JAX arrays, else none: it is said."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from gradcheck import MissingExtra, Subject, check
from gradcheck.adapters.twins import jax_twin, torch_twin, with_twin

pytest.importorskip("jax", reason="the extra 'jax' is not installed")
pytest.importorskip("torch", reason="the extra 'torch' is not installed")


def generic_dense(x, w):
    xp = x.__array_namespace__()  # NumPy and JAX arrays have one, torch tensors do not
    return xp.tanh(x @ w)


def dense_vjp(u, x, w):
    slope = u * (1 - np.tanh(x @ w) ** 2)
    return {"x": slope @ w.T, "w": x.T @ slope}


GENERIC = Subject("dense", generic_dense, dense_vjp, {"x": "batch n", "w": "n m"})
SQUARE = Subject("square", lambda x: x * x, lambda u, x: {"x": 2 * u * x}, {"x": "n"})
TANH = Subject("tanh", np.tanh, lambda u, x: {"x": u * (1 - np.tanh(x) ** 2)}, {"x": "n"})


def test_torch_comes_first():
    found = with_twin(SQUARE)
    assert found.twin is SQUARE.forward
    assert found.remarks == ("twin='auto': its own forward runs on torch tensors",)


def test_jax_takes_what_torch_does_not():
    assert torch_twin(GENERIC) is None
    found = with_twin(GENERIC)
    assert found.twin.name == "dense on JAX arrays"
    report = check(found, examples=8, seed=1)
    assert report.passed, str(report)
    assert report.outcomes["twin"].examples == 8
    assert "twin='auto': its own forward runs on JAX arrays" in report.remarks


def test_its_gradient_is_jax_s_in_float64():
    x, w, u = np.ones((2, 3)), np.full((3, 4), 0.1), np.ones((2, 4))
    told = jax_twin(GENERIC).vjp(u, x=x, w=w)
    for name, gradient in dense_vjp(u, x, w).items():
        assert told[name].dtype == np.float64
        np.testing.assert_allclose(told[name], gradient, rtol=1e-14)


def test_a_forward_that_differs_on_jax_is_caught():
    def forward(x, w):
        y = generic_dense(x, w)
        return y if isinstance(x, np.ndarray) else y * 1.001

    found = with_twin(GENERIC.but(forward=forward))
    report = check(found, examples=4, seed=1, checks=["twin"])
    assert report.verdict == "wrong"
    assert "differs from the twin's" in report.findings[0].message


@pytest.mark.parametrize(
    "forward",
    [np.tanh, lambda x: np.asarray(x) * 2.0, lambda x: np.add(x, x, out=np.empty(x.shape))],
    ids=["a ufunc", "asarray", "out="],
)
def test_numpy_code_has_no_twin(forward):
    found = with_twin(TANH.but(forward=forward))
    assert found.twin == "auto"
    assert found.remarks == (
        "twin='auto': its own forward runs neither on torch tensors nor on JAX's",
    )
    assert check(found, examples=2, seed=1).outcomes["twin"].not_run


def test_several_outputs_and_integers():
    def forward(x, k):
        xp = x.__array_namespace__()
        return xp.exp(x), xp.argsort(x), x[k]

    def vjp(us, x, k):
        gradient = us[0] * np.exp(x)
        np.add.at(gradient, k, us[2])
        return {"x": gradient}

    from gradcheck import integers

    several = Subject("several", forward, vjp, {"x": "n", "k": integers("m", 0, "n")})
    found = with_twin(several.but(dims={"n": (1, 8)}))
    assert isinstance(found.twin, Subject)
    report = check(found, examples=6, seed=1, checks=["twin"])
    assert report.passed, str(report)


def test_random_numbers_are_no_twin_s():
    assert jax_twin(GENERIC.but(traits=["stochastic"])) is None


def test_where_torch_is_missing_jax_serves_and_otherwise_torch_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert isinstance(with_twin(GENERIC).twin, Subject)
    with pytest.raises(MissingExtra, match=r"gradcheck\[torch\]"):
        with_twin(TANH)
    monkeypatch.setitem(sys.modules, "jax", None)
    assert jax_twin(GENERIC) is None
