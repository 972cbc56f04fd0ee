"""The zoo is worth nothing unless its gradients are right: held against 100-digit arithmetic."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from benchmarks.zoo import ZOO
from benchmarks.zoo.precise import slope

EXACT = [entry for entry in ZOO if entry.truth is not None]


def cotangent_like(outputs, rng):
    """Signs times U[1/2, 1], as the engine draws them."""

    def draw(y):
        y = np.asarray(y)
        u = rng.choice([-1.0, 1.0], y.shape) * rng.uniform(0.5, 1, y.shape)
        if np.iscomplexobj(y):
            u = u + 1j * rng.choice([-1.0, 1.0], y.shape) * rng.uniform(0.5, 1, y.shape)
        return u

    return tuple(map(draw, outputs)) if isinstance(outputs, tuple) else draw(outputs)


def disagreement(entry, seed=0):
    """Largest error of <vjp(u), v> against the truth, relative to sum |g v|, over the inputs."""
    rng = np.random.default_rng([seed, zlib.crc32(entry.name.encode())])
    inputs = entry.make_inputs(rng)
    u = cotangent_like(entry.forward(**inputs), rng)
    gradient = entry.vjp(u, **inputs)
    worst = 0.0
    for name in entry.names(inputs):
        x, g = inputs[name], np.asarray(gradient[name])
        assert g.shape == np.shape(x), (entry.name, name)
        if not np.isfinite(g).all():
            continue  # an infinite derivative has no difference quotient
        v = cotangent_like(x, rng)
        size = float(np.sum(np.abs(g * v))) or 1.0
        claimed = float(np.sum((np.conj(g) * v).real))
        worst = max(worst, abs(claimed - float(slope(entry, inputs, u, name, v))) / size)
    return worst


@pytest.mark.parametrize("entry", EXACT, ids=lambda e: e.name)
def test_vjp_agrees_with_high_precision(entry):
    for seed in range(2):
        assert disagreement(entry, seed) <= entry.rounding


def test_names_are_unique_and_half_are_nasty():
    names = [entry.name for entry in ZOO]
    assert len(set(names)) == len(names) >= 100
    assert 2 * sum(entry.nasty for entry in ZOO) >= len(ZOO)
