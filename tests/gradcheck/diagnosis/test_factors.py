"""Factors that one side has and the other has not; borders of several entries."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from gradcheck import Subject, array, check, integers


def fault_of(subject, name):
    """The fault and the message of the gradient check's finding for one input."""
    found = {f.input: f for f in check(subject, seed=0).findings if f.check == "gradient"}
    return found[name].fault, found[name].message


def reset_after(gated):
    """A recurrent bias inside the reset gate, as in a GRU that resets after its product."""

    def forward(x, h, W, b):
        return np.tanh(x + expit(x) * (h @ W + b))

    def vjp(u, x, h, W, b):
        r, q = expit(x), h @ W + b
        inner = u * (1 - np.tanh(x + r * q) ** 2)
        of_q = inner * r
        of_x = inner * (1 + q * r * (1 - r))
        of_b = (of_q if gated else inner).sum(0)
        return {"x": of_x, "h": of_q @ W.T, "W": h.T @ of_q, "b": of_b}

    inputs = {"x": "batch n", "h": "batch n", "W": "n n", "b": "n"}
    return Subject("reset after", forward, vjp, inputs)


def test_a_gate_that_a_bias_goes_without():
    fault, message = fault_of(reset_after(False), "b")
    assert fault == "wrong factor"
    assert "divided by sigmoid(`x`) once too often" in message
    assert check(reset_after(True), seed=0).passed


def poisson(log_input):
    def vjp(u, x, target):
        return {"x": u * (np.exp(x) - target if log_input else 1 - target * np.exp(-x))}

    target = array("n", low=0, high=4, differentiable=False)
    return Subject("poisson", lambda x, target: np.exp(x) - target * x, vjp,
                   {"x": array("n", low=-2, high=2), "target": target})  # fmt: skip


def test_the_gradient_of_a_loss_of_rates_for_one_of_their_logarithms():
    assert "divided by exp(`x`) once too often" in fault_of(poisson(False), "x")[1]
    assert check(poisson(True), seed=0).passed


def bags(padding):
    """Means of rows of a table; index 0 is padding and does not count."""

    def counted(index, all_of_them=False):
        kept = (index != 0).astype(float)[..., None]
        count = index.shape[1] if all_of_them else np.maximum(kept.sum(1), 1)
        return kept, count

    def forward(table, index):
        kept, count = counted(index)
        return (table[index] * kept).sum(1) / count

    def vjp(u, table, index):
        kept, count = counted(index, padding)
        of_table = np.zeros_like(table)
        np.add.at(of_table, index, (u / count)[:, None] * kept)
        return {"table": of_table}

    inputs = {"table": "words units", "index": integers("bags items", 0, "words")}
    return Subject("bags", forward, vjp, inputs, dims={"words": (2, 5), "items": (1, 5)})


def test_contributions_that_have_a_factor_each():
    """A mean that counts padding: right for bags without it."""
    fault, message = fault_of(bags(True), "table")
    assert fault == "wrong factor"
    assert "what each output contributes" in message
    assert check(bags(False), seed=0).passed


def reflected(whole):
    def vjp(u, x):
        of_x = u[2:-2].copy()
        if whole:
            of_x = np.zeros_like(x)
            np.add.at(of_x, np.pad(np.arange(len(x)), 2, mode="reflect"), u)
        return {"x": of_x}

    return Subject("reflected", lambda x: np.pad(x, 2, mode="reflect"), vjp, {"x": "n"},
                   dims={"n": (3, 9)})  # fmt: skip


def test_a_border_of_two():
    fault, message = fault_of(reflected(False), "x")
    assert fault == "wrong at boundary index"
    assert "misses what comes from outputs at the first 2 and the last 2 indices" in message
    assert check(reflected(True), seed=0).passed
