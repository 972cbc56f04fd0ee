"""Kinks of several layers at once: one side taken at each is a generalised gradient."""

import numpy as np
import pytest

from gradcheck import Subject, check, integers
from tests.gradcheck.judgement.cases import judged


def with_zeros(rng, shape, share):
    values = rng.standard_normal(shape)
    values[rng.random(shape) < share] = 0
    return values


def layers(seed, alpha, depth):
    """A net of relus with many zeros in inputs, weights and biases; alpha at each kink."""
    rng = np.random.default_rng(seed)
    widths = [3, *[6] * depth, 1]
    point = {"x": with_zeros(rng, (4, 3), 0.4)}
    for k in range(depth + 1):
        point[f"W{k}"] = with_zeros(rng, (widths[k], widths[k + 1]), 0.35)
        point[f"b{k}"] = with_zeros(rng, widths[k + 1], 0.5)

    def passed(given):
        before, after = [], [given["x"]]
        for k in range(depth + 1):
            before.append(after[-1] @ given[f"W{k}"] + given[f"b{k}"])
            after.append(np.maximum(before[-1], 0) if k < depth else before[-1])
        return before, after

    def vjp(u, **given):
        (before, after), gradient = passed(given), {}
        for k in range(depth, -1, -1):
            if k < depth:
                u = u * np.where(before[k] == 0, alpha, before[k] > 0)
            gradient |= {f"W{k}": after[k].T @ u, f"b{k}": u.sum(0)}
            u = u @ given[f"W{k}"].T
        return {**gradient, "x": u}

    found = judged(lambda **given: passed(given)[1][-1], vjp, point, seed)
    return {judgement.verdict for judgement in found.values()}


# Seeds at which neither random places nor one walk through the kinks find the region.
@pytest.mark.parametrize("seed", [10, 16, 20, 31, 40, 44, 50, 55, 84])
@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_one_side_at_every_kink_is_accepted(seed, alpha):
    assert layers(seed, alpha, 3) == {"correct"}


@pytest.mark.parametrize("alpha", [-0.3, 1.3])
def test_a_slope_beyond_both_sides_is_not(alpha):
    rejected = ["wrong_at_kink" in layers(seed, alpha, 3) for seed in range(6)]
    assert sum(rejected) > 4


def longest(slope):
    """The length of the largest entries, `slope` times a gradient of it where that length is 0."""

    def largest(E, x, index):
        rows = np.concatenate([E[index], x], axis=-1)
        tied = rows == rows.max(-1, keepdims=True)
        return rows.max(-1), tied / tied.sum(-1, keepdims=True)

    def vjp(u, E, x, index):
        top, shares = largest(E, x, index)
        length = np.linalg.norm(top)
        way = top / length if length > 0 else np.full_like(top, slope / np.sqrt(len(top)))
        rows, into = (u * way)[:, None] * shares, np.zeros_like(E)
        np.add.at(into, index, rows[:, : E.shape[1]])
        return {"E": into, "x": rows[:, E.shape[1] :]}

    def forward(E, x, index):
        return np.linalg.norm(largest(E, x, index)[0])

    inputs = {"E": "vocab m", "x": "b n", "index": integers("b", 0, "vocab")}
    return Subject("longest", forward, vjp, inputs)


@pytest.mark.parametrize(("slope", "verdict"), [(0.0, "correct"), (2.0, "wrong_at_kink")])
def test_a_claim_between_gradients_that_random_places_do_not_show(slope, verdict):
    """Ties of many inside a cone: 0 is between gradients that lie opposite each other."""
    at = {"E": np.zeros((3, 4)), "x": np.zeros((4, 3)), "index": np.array([0, 1, 1, 2])}
    said = [check(longest(slope), at=at, seed=seed, checks=["gradient"]).verdict for seed in (0, 1)]
    assert set(said) == {verdict}


def squares(alpha):
    """The sum of squares of a net of one layer of relus, alpha at each kink: (002)'s demo."""

    def passed(x, w, v):
        h = np.column_stack([x, np.ones(len(x))]) @ w
        return h, np.maximum(h, 0)

    def vjp(u, x, w, v):
        h, r = passed(x, w, v)
        gradient = 2 * u * (r @ v - 1) @ v.T * np.where(h == 0, alpha, h > 0)
        return np.column_stack([x, np.ones(len(x))]).T @ gradient

    def judge(rows, hidden, seed):
        rng = np.random.default_rng(seed)
        x, v = rng.integers(-16, 17, (rows, 1)) / 8, rng.integers(-16, 17, (hidden, 1)) / 8
        found = judged(
            lambda w: np.asarray(np.sum((passed(x, w, v)[1] @ v - 1) ** 2)),
            lambda u, w: {"w": vjp(u, x, w, v)},
            {"w": np.zeros((2, hidden))},
            seed,
        )
        return found["w"].verdict

    return judge


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_seventy_units_at_zero_are_told_apart(alpha):
    assert {squares(alpha)(8, 9, seed) for seed in range(8)} == {"correct"}


@pytest.mark.parametrize(("rows", "hidden", "verdict"), [(2, 2, "wrong_at_kink"), (32, 32, None)])
def test_more_kinks_than_can_be_told_apart_reject_nothing(rows, hidden, verdict):
    """A slope of 3 is rejected where the kinks are few; of a thousand nothing can be known."""
    said = {squares(3.0)(rows, hidden, seed) for seed in range(3)}
    assert said == {verdict} if verdict else "wrong_at_kink" not in said
