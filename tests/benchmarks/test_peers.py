"""Peers answer as they should on an easy right gradient and on a grossly wrong one."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.harness import draw, outputs_of, table
from benchmarks.peers import PEERS
from benchmarks.resolution import reachable
from benchmarks.zoo import ZOO, Entry

BY_NAME = {entry.name: entry for entry in ZOO}


def answer(peer, name, factor) -> str:
    entry: Entry = BY_NAME[name]
    inputs, cotangent = draw(entry, 3)

    def vjp(u, **given):
        return {key: factor * g for key, g in entry.vjp(u, **given).items()}

    return PEERS[peer](entry, inputs, cotangent, vjp, 3)


@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize("name", ["sin", "dense", "mlp"])
def test_right_passes_and_wrong_fails(peer, name):
    assert answer(peer, name, 1.0) == "pass"
    assert answer(peer, name, 1.1) == "fail"


def test_complex_step_declines_complex_inputs():
    assert answer("complex step", "complex square", 1.0) == "n/a"


def test_resolution_tells_smooth_from_hidden():
    assert reachable(BY_NAME["sin"], 0) < 1e-10
    assert reachable(BY_NAME["float16 tanh"], 0) > 1e-6


def test_the_limits_on_file_are_what_float64_shows():
    """An entry said to be resolved is so at two points of three at least."""
    for entry in ZOO:
        if entry.resolved and not entry.domains:
            errors = [reachable(entry, seed) for seed in range(3)]
            assert np.median(errors) <= 1e-7, entry.name


def test_outputs_are_arrays_and_tables_line_up():
    entry = BY_NAME["sin and cos"]
    inputs, _ = draw(entry, 0)
    assert all(isinstance(y, np.ndarray) for y in outputs_of(entry, inputs))
    lines = table([["a", 1.0], ["bb", 22.5]], ["name", "value"]).splitlines()
    assert lines[2].endswith("   1")
    assert lines[3].endswith("22.5")
