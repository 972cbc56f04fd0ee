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


def remainder(quotient):
    def vjp(u, x, y):
        return {"x": u.copy(), "y": -u * quotient(x / y)}

    return Subject("fmod", np.fmod, vjp, {"x": "n", "y": array("n", low=0.5, high=2)})


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_another_input_alone_may_tell_the_wrong_entries(seed):
    """The floor and the truncated quotient differ below zero, at whatever distance y is."""
    told = {f.input: f for f in findings(remainder(np.floor), seed)}
    assert "where `x` < 0, and right elsewhere" in told["y"].message
    assert check(remainder(np.trunc), seed=seed).passed


def segments(power):
    """Sums of segments over the root of how many entries they have."""

    def counts(index):
        return np.maximum(np.bincount(index, minlength=4), 1.0)[:, None]

    def forward(x, index):
        out = np.zeros((4, x.shape[1]))
        np.add.at(out, index, x)
        return out / np.sqrt(counts(index))

    def vjp(u, x, index):
        return {"x": (u / counts(index) ** power)[index]}

    return Subject("segments", forward, vjp, {"x": "k c", "index": integers("k", 0, 4)})


def test_a_contribution_that_is_scaled_is_not_one_that_is_lost():
    (told,) = findings(segments(1.0))
    assert told.fault != "duplicate overwritten"
    assert "scaled by a factor of its own" in told.message
    assert "0.707107" in told.message
    assert check(segments(0.5), seed=0).passed


def repeats(order):
    def vjp(u, x):
        return {"x": u.reshape(-1, 3).sum(1) if order == "C" else u.reshape(3, -1).sum(0)}

    return Subject("repeat", lambda x: np.repeat(x, 3), vjp, {"x": "n"})


def kron(order):
    def vjp(u, a, b):
        table = u.reshape(len(a), len(b), order=order)
        return {"a": table @ b, "b": a @ table}

    return Subject("kron", np.kron, vjp, {"a": "n", "b": "m"})


@pytest.mark.parametrize("made", [repeats, kron])
def test_a_cotangent_that_is_reshaped_in_another_order(made):
    told = findings(made("F"))
    assert told
    assert {f.fault for f in told} == {"permuted"}
    assert all("cotangent in another order" in f.message for f in told)
    assert check(made("C"), seed=0).passed


def near(c):
    """Contrastive: within a margin of 1, which short rows of numbers below 1 more often are."""

    def forward(a, b):
        return np.maximum(1 - np.sqrt(((a - b) ** 2).sum(1) + 1e-12), 0.0) ** 2

    def vjp(u, a, b):
        root = np.sqrt(((a - b) ** 2).sum(1) + 1e-12)
        inside = 2 * u * np.maximum(1 - root, 0) / root if c else 2.0 * u * (root < 1)
        of_a = -inside[:, None] * (a - b)
        return {"a": of_a, "b": -of_a}

    inputs = {"a": array("n c", low=-1, high=1), "b": array("n c", low=-1, high=1)}
    return Subject("contrastive", forward, vjp, inputs)


def test_numbers_that_are_seldom_near_are_no_matter_of_size():
    told = findings(near(0))
    assert told
    assert not any("only where" in f.message for f in told), [f.message for f in told]
    assert check(near(1), seed=0).passed


def variation(both):
    """Total variation: linear between its kinks, and nowhere else."""

    def forward(x):
        return np.abs(np.diff(x, axis=1)).sum() + np.abs(np.diff(x, axis=0)).sum()

    def vjp(u, x):
        of_x, along, down = np.zeros_like(x), np.sign(np.diff(x)), np.sign(np.diff(x, axis=0))
        of_x[:, 1:] += along
        of_x[:, :-1] -= along
        of_x[1:] += down
        of_x[:-1] -= down if both else 0.0
        return {"x": u * of_x}

    return Subject("variation", forward, vjp, {"x": "h w"}, dims={"h": (1, 5), "w": (1, 5)})


def test_what_is_linear_between_kinks_is_no_linear_part():
    told = findings(variation(False))
    assert told
    assert not any("linear" in f.message for f in told)
    assert check(variation(True), seed=0).passed


def test_nothing_but_rounding_is_expected_to_be_nothing():
    def vjp(u, x):
        with np.errstate(all="ignore"):
            return {"x": 3 * u * x**3 / x}

    told = check(Subject("cube", lambda x: x**3, vjp, {"x": "n"}), seed=0).findings
    assert {float(f.expected) for f in told if f.kind == "nonfinite"} == {0.0}


def modulus(safe):
    def vjp(u, z):
        size = np.abs(z)
        with np.errstate(all="ignore"):
            return {"z": u * z / np.where((size == 0) & safe, 1.0, size)}

    return Subject("modulus", np.abs, vjp, {"z": array("n", complex=True)})


def test_a_complex_zero_is_told_as_one():
    (told,) = findings(modulus(False))
    assert told.fault == "wrong at zero"
    assert check(modulus(True), seed=0).passed
