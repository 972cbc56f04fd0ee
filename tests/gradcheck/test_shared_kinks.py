"""Kinks that outputs or inputs share: what counts twice, or not at all, fails."""

import numpy as np
import pytest

from gradcheck import Subject, array, check


def along_rows(pick):
    """A VJP that sends each cotangent entry to the places of x that `pick(x)` says."""

    def vjp(u, x):
        gradient = np.zeros_like(x)
        for row, columns, values in pick(u, x):
            np.add.at(gradient[row], columns, values)
        return {"x": gradient}

    return vjp


def sort_first(u, x):
    order = np.argsort(x, 1, kind="stable")
    return ((i, order[i], u[i]) for i in range(len(x)))


def sort_backwards(u, x):
    order = np.argsort(x, 1, kind="stable")
    return ((i, np.argsort(order[i]), u[i]) for i in range(len(x)))


def median_of_two(u, x):
    order, n = np.argsort(x, 1, kind="stable"), x.shape[1]
    for i in range(len(x)):
        yield i, order[i, [(n - 1) // 2, n // 2]], np.full(2, u[i] / 2)


def median_of_one(u, x):
    order, n = np.argsort(x, 1, kind="stable"), x.shape[1]
    for i in range(len(x)):
        yield i, order[i, [n // 2]], u[i]


def running_maximum_last(u, x):
    for i in range(len(x)):
        best = 0
        for j in range(x.shape[1]):
            best = j if x[i, j] >= x[i, best] else best
            yield i, [best], u[i, j]


def running_maximum_of_all_ties(u, x):
    for i in range(len(x)):
        for j in range(x.shape[1]):
            tied = np.flatnonzero(x[i, : j + 1] == x[i, : j + 1].max())
            yield i, tied, u[i, j]


def windows(x):
    return np.stack([x[:, i : i + 3].max(1) for i in range(x.shape[1] - 2)], 1)


def pool_first(u, x):
    for i in range(len(x)):
        for j in range(x.shape[1] - 2):
            yield i, [j + int(x[i, j : j + 3].argmax())], u[i, j]


def pool_every_tie(u, x):
    for i in range(len(x)):
        for j in range(x.shape[1] - 2):
            window = x[i, j : j + 3]
            yield i, j + np.flatnonzero(window == window.max()), u[i, j]


ROWS = {
    "sort": (lambda x: np.sort(x, 1), sort_first, sort_backwards, 1),
    "median": (lambda x: np.median(x, 1), median_of_two, median_of_one, 1),
    "running maximum": (
        lambda x: np.maximum.accumulate(x, 1),
        running_maximum_last,
        running_maximum_of_all_ties,
        1,
    ),
    "overlapping windows": (windows, pool_first, pool_every_tie, 3),
}


@pytest.mark.parametrize("name", ROWS)
def test_ties_that_several_outputs_break(name):
    forward, right, wrong, fewest = ROWS[name]
    dims = {"n": (fewest, 8)}
    for seed in range(2):
        good = Subject(name, forward, along_rows(right), {"x": "b n"}, dims=dims)
        assert check(good, seed=seed, checks=["gradient"]).verdict == "correct"
    bad = Subject(name, forward, along_rows(wrong), {"x": "b n"}, dims=dims)
    assert check(bad, seed=0, checks=["gradient"]).verdict in ("wrong", "wrong_at_kink")


def larger(rule):
    def vjp(u, a, b):
        return {"a": u * rule(a, b), "b": u * rule(b, a) if rule is not first else u * (b > a)}

    def forward(a, b):
        return np.maximum(a, b)

    return Subject("maximum", forward, vjp, {"a": "n", "b": "n"})


def first(a, b):
    return a >= b


def half(a, b):
    return (a > b) + 0.5 * (a == b)


def both(a, b):
    return a >= b


def neither(a, b):
    return a > b


@pytest.mark.parametrize("rule", [first, half])
def test_a_tie_between_two_inputs_is_shared_out(rule):
    assert check(larger(rule), seed=1).verdict == "correct"


@pytest.mark.parametrize("rule", [both, neither])
def test_a_tie_between_two_inputs_counted_twice_or_not_at_all(rule):
    report = check(larger(rule), seed=1)
    assert report.verdict == "wrong_at_kink"
    assert {finding.input for finding in report.findings} <= {"a", "b"}


def scaled_relu(extra):
    def vjp(u, x, s):
        on = x * s > 0
        ds = (u * x * on).sum() + extra * (s == 0) * np.abs(u).sum()
        return {"x": u * s * on, "s": np.asarray(ds)}

    return Subject("relu", lambda x, s: np.maximum(x * s, 0), vjp, {"x": "n", "s": ""})


def test_one_number_at_the_kink_of_every_output():
    assert check(scaled_relu(0.0), seed=0).verdict == "correct"
    assert check(scaled_relu(3.0), seed=0).verdict == "wrong_at_kink"


def test_a_kink_in_a_corner_of_the_domain_where_each_input_can_only_leave_one_way():
    def subject(at_zero):
        def vjp(u, a, b):
            side = np.where(a == b, at_zero, np.sign(a - b))
            return {"a": u * side, "b": -u * side}

        bounded = array("n", low=0, high=1)
        return Subject("gap", lambda a, b: np.abs(a - b), vjp, {"a": bounded, "b": bounded})

    at = {"a": np.zeros(3), "b": np.zeros(3)}
    assert check(subject(0.0), at=at, seed=2).verdict == "correct"
    assert check(subject(1.5), at=at, seed=2).verdict == "wrong_at_kink"


def test_where_forward_leaps_the_slopes_beside_it_are_right():
    def fraction(slope):
        return Subject(
            "fraction", lambda x: x - np.floor(x), lambda u, x: {"x": slope * u}, {"x": "n"}
        )

    for seed in range(3):
        assert check(fraction(1.0), seed=seed).verdict == "correct"
    assert check(fraction(1.01), seed=0).verdict == "wrong"
