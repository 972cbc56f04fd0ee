"""Ties of more entries than are tried, and claims that are one corner of very many."""

import numpy as np
import pytest

from gradcheck import Subject, check
from tests.gradcheck.judgement.cases import one

LONG = np.where(np.arange(300) % 3 == 0, 2.0, np.linspace(-1, 1, 300))
SHORT = np.array([0.5, 2.0, -1.0, 2.0, 2.0])


def first(u, x):
    return u * (np.arange(x.size) == np.argmax(x))


def last(u, x):
    return u * (np.arange(x.size) == x.size - 1 - np.argmax(x[::-1]))


def shared(u, x):
    return u * (x == x.max()) / np.sum(x == x.max())


def all_of_them(u, x):
    return u * (x == x.max())


def none_of_them(u, x):
    return u * (x == x.max()) * (np.sum(x == x.max()) == 1)


@pytest.mark.parametrize("claim", [first, last])
@pytest.mark.parametrize("x", [np.zeros(1000), LONG, SHORT])
def test_one_winner_of_many(claim, x):
    for seed in range(3):
        assert one(np.max, claim, x, seed).verdict == "correct"


@pytest.mark.parametrize("x", [np.zeros(1000), LONG])
def test_a_share_of_a_long_tie_is_not_rejected(x):
    for seed in range(3):
        assert one(np.max, shared, x, seed).verdict in ("correct", "inconclusive")


@pytest.mark.parametrize("claim", [all_of_them, none_of_them])
def test_the_short_tie_tells_what_is_wrong(claim):
    for seed in range(3):
        assert one(np.max, claim, SHORT, seed).verdict == "wrong_at_kink"
        assert one(np.max, claim, np.zeros(20), seed).verdict == "wrong_at_kink"


def test_a_claim_at_an_entry_that_is_not_tied_is_wrong_however_long_the_tie():
    def astray(u, x):
        return first(u, x) + u * (np.arange(x.size) == 1)

    assert one(np.max, astray, LONG).verdict in ("wrong", "wrong_at_kink")


def sort_in(order):
    def claim(u, x):
        g = np.zeros_like(x)
        g[order(x)] = u
        return g

    return claim


def stable(x):
    return np.argsort(x, kind="stable")


def backwards(x):
    return x.size - 1 - np.argsort(x[::-1], kind="stable")


def shuffled(x):
    mixed = np.random.default_rng(0).permutation(x.size)
    return mixed[np.argsort(x[mixed], kind="stable")]


@pytest.mark.parametrize("order", [stable, backwards, shuffled])
@pytest.mark.parametrize("n", [5, 40, 300])
def test_a_sort_may_take_equal_entries_in_any_order(order, n):
    x = np.repeat([3.0, -1.0], [n - n // 3, n // 3])
    assert one(np.sort, sort_in(order), x).verdict == "correct"


def test_but_each_once():
    def twice(x):
        order = stable(x)
        order[1] = order[0]
        return order

    assert one(np.sort, sort_in(twice), np.zeros(5)).verdict in ("wrong", "wrong_at_kink")


def eigenvalues(a):
    return np.linalg.eigvalsh((a + a.T) / 2)


def by_vectors(u, a):
    vectors = np.linalg.eigh((a + a.T) / 2)[1]
    return (vectors * u) @ vectors.T


def singular(a):
    return np.linalg.svd(a, compute_uv=False)


def by_both(u, a):
    left, _, right = np.linalg.svd(a, full_matrices=False)
    return (left * u) @ right


EQUAL = [np.zeros((3, 3)), np.eye(4), np.diag([2.0, 1.0, 2.0, 2.0])]


@pytest.mark.parametrize("a", EQUAL)
@pytest.mark.parametrize(("forward", "claim"), [(eigenvalues, by_vectors), (singular, by_both)])
def test_equal_eigenvalues_have_whatever_vectors_were_found(forward, claim, a):
    for seed in range(3):
        assert one(forward, claim, a, seed).verdict == "correct"
        wrong = one(forward, lambda u, a: 1.5 * claim(u, a), a, seed)
        assert wrong.verdict in ("wrong", "wrong_at_kink")


def distances(y):
    """From x to points so close that they all are at the kink, one of them x itself."""
    return lambda x: np.sqrt(((x - y) ** 2).sum(-1))


def test_each_output_may_be_at_a_kink_of_its_own():
    y = 1e-9 * np.random.default_rng(0).standard_normal((8, 6))
    y[3] = 0.0

    def claim(u, x):
        far = distances(y)(x)
        return (np.where(far == 0, 0, u / np.where(far == 0, 1, far))[:, None] * (x - y)).sum(0)

    assert one(distances(y), claim, np.zeros(6)).verdict == "correct"
    twice = one(distances(y), lambda u, x: 2 * claim(u, x), np.zeros(6))
    assert twice.verdict in ("wrong", "wrong_at_kink", "inconclusive")


def wave(frequency, factor):
    """A triangle wave of the largest of equal entries, and its gradient shared among these."""

    def forward(x):
        return np.abs((frequency * np.max(np.abs(x)) + 0.25) % 2 - 1)

    def vjp(u, x):
        largest = np.abs(x) == np.max(np.abs(x))
        slope = frequency * np.sign((frequency * np.max(np.abs(x)) + 0.25) % 2 - 1)
        shared = largest / largest.sum() * (factor if largest.sum() > 1 else 1)
        return {"x": u * slope * np.sign(x) * shared}

    return Subject("wave", forward, vjp, {"x": "n"})


@pytest.mark.parametrize("seed", range(4))
def test_kinks_nearer_than_the_sides_are_no_defect_of_a_tie(seed):
    x = np.array([1.0, -1.0, 1.0, 0.5, -1.0, 1.0])
    fine = check(wave(2.0**21 * 1.7, 1), at={"x": x}, seed=seed)
    assert fine.verdict in ("correct", "inconclusive"), str(fine)
    assert check(wave(2.0**18 * 1.7, 1), at={"x": x}, seed=seed).passed
    assert check(wave(2.0**18 * 1.7, 2), at={"x": x}, seed=seed).verdict == "wrong_at_kink"
