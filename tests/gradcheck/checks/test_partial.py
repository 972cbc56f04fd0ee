"""Caches whose key says less than the inputs do, and rows that are taken for one."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import Subject, array, check

INPUTS = {"x": "n"}


def remembered(key):
    """A vjp of the sine that gives again what it gave for the same key of (cotangent, x)."""
    kept = {}

    def vjp(u, x):
        found = kept.setdefault((x.shape, key(u, x)), u * np.cos(x))
        return {"x": found.copy()}

    return Subject("sine", np.sin, vjp, INPUTS)


KEYS = {
    "the cotangent": lambda u, x: u.tobytes(),
    "rounded inputs": lambda u, x: u.tobytes() + np.round(x, 3).tobytes(),
}


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_a_key_that_says_too_little(key):
    for seed in (1, 2):
        report = check(remembered(key), seed=seed)
        assert "stale cache" in {f.fault for f in report.findings}, str(report)


def test_a_key_that_says_all():
    assert check(remembered(lambda u, x: u.tobytes() + x.tobytes()), seed=1).passed


def normaliser(lazily):
    """A row over a norm that is computed anew only where the first entry is another."""
    kept = {}

    def norm(x):
        return np.sqrt((x * x).sum() + 1)

    def forward(x):
        key = (x.shape, x[:1].tobytes() if lazily else x.tobytes())
        return x / kept.setdefault(key, norm(x))

    def vjp(u, x):
        n = norm(x)
        return {"x": u / n - x * (u * x).sum() / n**3}

    return Subject("normaliser", forward, vjp, INPUTS, dims={"n": (1, 9)})


def test_what_is_kept_under_the_first_entry():
    report = check(normaliser(lazily=True), seed=1)
    assert "stale cache" in {f.fault for f in report.findings if f.check == "partial"}, str(report)
    assert check(normaliser(lazily=False), seed=1).passed


def product(rows):
    def vjp(u, x, w):
        at = rows(x)
        return {"x": u @ w.T, "w": x[at].T @ u[at]}

    shapes = {"x": "batch n", "w": "n k"}
    dims = {"batch": (2, 6), "n": (1, 4), "k": (1, 4)}
    return Subject("product", lambda x, w: x @ w, vjp, shapes, dims=dims)


def test_rows_that_are_equal_count_each():
    report = check(product(lambda x: np.unique(x, axis=0, return_index=True)[1]), seed=1)
    assert ("partial", "w") in {(f.check, f.input) for f in report.findings}, str(report)
    assert check(product(lambda x: slice(None)), seed=1).passed


@pytest.mark.parametrize("seed", range(3))
def test_ties_between_equal_rows_are_kinks_and_no_cache(seed):
    def first(u, x):
        return {"x": u * (np.arange(len(x))[:, None] == x.argmax(0))}

    largest = Subject("largest", lambda x: x.max(0), first, {"x": "rows n"}, dims={"rows": (1, 5)})
    assert check(largest, seed=seed).passed
    spread = Subject(
        "spread",
        lambda x: np.sqrt(x.var(0) + 1e-9),
        lambda u, x: {"x": u * (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-9) / len(x)},
        {"x": "rows n"},
        dims={"rows": (1, 5)},
    )
    assert check(spread, seed=seed, checks=["partial"]).passed


def test_a_set_of_its_own_is_not_mixed():
    def values(rng, shape):
        return np.sort(rng.standard_normal(shape), axis=-1)

    def forward(x):
        assert (np.diff(x) >= -1e-3).all(), "not sorted"
        return x * x

    ordered = Subject(
        "sorted", forward, lambda u, x: {"x": 2 * u * x}, {"x": array("n", values=values)}
    )
    assert check(ordered, seed=1, checks=["partial"]).passed


@pytest.mark.parametrize("seed", range(5))
def test_a_gradient_that_depends_on_nothing_is_wrong_not_stale(seed):
    constant = Subject("constant", np.sin, lambda u, x: {"x": u}, {"x": "n"})
    report = check(constant, seed=seed)
    assert report.verdict == "wrong"
    assert {finding.check for finding in report.findings} == {"gradient"}


BRANCHES = {
    "a clip with one side": (lambda x: np.clip(x, -1, 1), lambda x: x <= 1),
    "a shrinkage with one side": (lambda x: np.where(np.abs(x) > 0.5, x, 0), lambda x: x > 0.5),
    "the slope at a rounded point": (np.sin, lambda x: np.cos(np.round(x, 2))),
    "the slope at a whole number": (np.sin, lambda x: np.cos(np.round(x))),
}


@pytest.mark.parametrize(("forward", "slope"), BRANCHES.values(), ids=BRANCHES)
@pytest.mark.parametrize("seed", [11, 12])
def test_the_same_branch_twice_is_no_state(forward, slope, seed):
    """A slope in pieces is to the bit that of an earlier call, and wrong at fresh numbers too."""
    report = check(Subject("branch", forward, lambda u, x: {"x": u * slope(x)}, INPUTS), seed=seed)
    assert report.verdict == "wrong", str(report)
    assert not any(f.fault == "stale cache" for f in report.findings), str(report)


@pytest.mark.parametrize("seed", [11, 12])
def test_a_factor_that_is_left_out_is_no_state(seed):
    def vjp(u, x, a):
        return {"x": u * np.exp(a), "a": (u * x).sum()}

    gain = Subject("gain", lambda x, a: x * np.exp(a), vjp, {"x": "n m", "a": ""})
    report = check(gain, seed=seed)
    assert report.verdict == "wrong"
    assert not any(f.fault == "stale cache" for f in report.findings), str(report)


@pytest.mark.parametrize("size", [2.0**15.5, 2.0**16, 2.0**16.5])
def test_rounding_that_comes_in_steps_is_no_state(size):
    """An exponential of a product of 2^32: its last bit is 2^-20, seen or not."""

    def forward(a, b):
        return np.exp(a * b - size**2)

    def vjp(u, a, b):
        return {"a": u * forward(a, b) * b, "b": u * forward(a, b) * a}

    wide = array("n", low=size, high=size + 1 / size)
    subject = Subject("product", forward, vjp, {"a": wide, "b": wide})
    for seed in range(6):
        report = check(subject, seed=seed, checks=["partial"], examples=60)
        assert not report.findings, str(report)
