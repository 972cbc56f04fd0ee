"""What is said to be wrong "only where": that holds whatever else changes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, log_softmax

from gradcheck import Subject, array, check, integers


def findings(subject, seed=0):
    return [f for f in check(subject, seed=seed).findings if f.check in ("gradient", "points")]


def strided(x, w):
    count = (x.shape[1] - w.shape[1]) // 2 + 1
    return np.array([(x[:, 2 * m : 2 * m + w.shape[1]] * w).sum() for m in range(count)])


def strided_vjp(stride):
    def vjp(u, x, w):
        of_x, of_w, taps = np.zeros_like(x), np.zeros_like(w), w.shape[1]
        for m in range(len(u)):
            of_x[:, stride * m : stride * m + taps] += u[m] * w
            of_w += u[m] * x[:, 2 * m : 2 * m + taps]
        return {"x": of_x, "w": of_w}

    return vjp


def convolution(stride):
    return Subject("convolution", strided, strided_vjp(stride), {"x": "c depth", "w": "c taps"},
                   where=lambda depth, taps, **_: depth >= taps >= 1)  # fmt: skip


def test_a_second_window_is_no_size_of_one_dimension():
    """Wrong where there are two windows: at depth 3 for one tap, at depth 7 for five."""
    for told in findings(convolution(1)):
        assert told.fault == "wrong windows"
        assert "only where" not in told.message
        assert "single direction" not in told.message
    assert check(convolution(2), seed=0).passed


def tied(share):
    def vjp(u, a, b):
        of_a = np.where(a == b, share, expit(a - b))
        return {"a": u * of_a, "b": u * (1 - expit(a - b))}

    return Subject("logaddexp", np.logaddexp, vjp, {"a": "n", "b": "n"})


@pytest.mark.parametrize("seed", [0, 1])
def test_a_tie_of_two_inputs_is_not_a_zero(seed):
    told = findings(tied(1.0), seed)
    assert told
    assert {f.input for f in told} == {"a"}
    assert not any("only where `a` is 0" in f.message for f in told)
    assert check(tied(0.5), seed=seed).passed


def aligned(x, labels):
    """The best score of labels in order, 0 where there are too many, or two alike in a row."""
    return np.array(log_softmax(x, -1)[: len(labels)][np.arange(len(labels)), labels].sum()
                    if feasible(x, labels) else 0.0)  # fmt: skip


def feasible(x, labels):
    return len(x) >= len(labels) + np.sum(labels[1:] == labels[:-1])


def aligned_vjp(stray):
    def vjp(u, x, labels):
        if not feasible(x, labels):
            return {"x": stray * u * np.exp(log_softmax(x, -1))}
        of_x = np.zeros_like(x)
        used = np.exp(log_softmax(x[: len(labels)], -1))
        of_x[np.arange(len(labels)), labels] = u
        of_x[: len(labels)] -= u * used
        return {"x": of_x}

    inputs = {"x": array("time 4", low=-3, high=3), "labels": integers("labels", 1, 4)}
    return Subject("aligned", aligned, vjp, inputs, dims={"time": (1, 5), "labels": (0, 3)})


def test_a_gradient_where_forward_stands_still_is_nothing_overwritten():
    told = findings(aligned_vjp(1.0))
    assert told
    assert not any(f.fault == "duplicate overwritten" for f in told)
    assert check(aligned_vjp(0.0), seed=0).passed
