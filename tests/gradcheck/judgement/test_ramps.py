"""Guarded quotients at zero, with a kink behind them: right within the guard, or wrong there."""

import numpy as np
import pytest

from gradcheck import Subject, check

SHAPES = {"x": "batch features"}


def normalised(u, x, eps, factor=1.0):
    """The gradient through x / max(|x|, eps), `factor` times it within the guard."""
    length = np.linalg.norm(x, axis=-1, keepdims=True)
    safe = np.maximum(length, eps)
    y = x / safe
    along = (u * y).sum(-1, keepdims=True)
    return np.where(length > eps, u - y * along, factor * u) / safe


def unit(x, eps):
    return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), eps)


def in_order(eps, factor):
    """The entries of a unit vector, sorted."""

    def vjp(u, x):
        back = np.zeros_like(x)
        np.put_along_axis(back, np.argsort(unit(x, eps), -1, kind="stable"), u, -1)
        return {"x": normalised(back, x, eps, factor)}

    return Subject("order", lambda x: np.sort(unit(x, eps), -1), vjp, SHAPES)


def largest(eps, factor):
    """The largest entry of a unit vector: the first of the tied."""

    def vjp(u, x):
        back = np.zeros_like(x)
        np.put_along_axis(back, unit(x, eps).argmax(-1)[:, None], u[:, None], -1)
        return {"x": normalised(back, x, eps, factor)}

    limits = {"features": (1, 5)}
    return Subject("largest", lambda x: unit(x, eps).max(-1), vjp, SHAPES, dims=limits)


@pytest.mark.parametrize("layer", [in_order, largest])
@pytest.mark.parametrize("eps", [1e-12, 1e-10, 1e-8])
def test_within_a_guard_a_right_claim_is_not_called_wrong(layer, eps):
    at = {"x": np.array([[0.0, 0.0, 0.0], [0.3, -1.2, 0.7]])}
    for seed in range(3):
        right = check(layer(eps, 1.0), at=at, seed=seed, checks=["gradient"])
        assert right.verdict in ("correct", "inconclusive"), right
    assert check(layer(eps, 1.0), seed=0).verdict == "correct"


@pytest.mark.parametrize("layer", [in_order, largest])
@pytest.mark.parametrize("factor", [2.0, -1.0])
def test_within_a_guard_a_wrong_claim_is_found(layer, factor):
    for eps in (1e-8, 1e-10):
        # Where every entry at 0 is at a kink as well, it stays open: three in four runs see more.
        assert any(not check(layer(eps, factor), seed=seed).passed for seed in range(3))


def test_what_is_wrong_beside_the_zeros_is_still_found():
    def off(u, x):
        right = in_order(1e-12, 1.0).vjp(u, x)["x"]
        return {"x": np.where(x == 0, right, 1.01 * right)}

    subject = Subject("off", lambda x: np.sort(unit(x, 1e-12), -1), off, SHAPES)
    at = {"x": np.array([[0.0, 0.0, 0.0], [0.3, -1.2, 0.7]])}
    assert check(subject, at=at, seed=0, checks=["gradient"]).verdict == "wrong"
