"""Right gradients pass, wrong ones do not, and noise is called noise."""

import numpy as np
import pytest

from gradcheck import Subject, check
from gradcheck.judgement.problem import Domain
from tests.gradcheck.judgement.cases import judged, normal, one

SEEDS = range(5)


def sine(u, x):
    return u * np.cos(x)


def twisted(change):
    """The gradient of sin with something done to it."""
    return lambda u, x: change(np.array(u * np.cos(x)))


def at(index, factor):
    def change(g):
        g.reshape(-1)[index] *= factor
        return g

    return change


CORRECT = {
    "sine": (np.sin, sine, normal(50)),
    "scalar": (np.sin, sine, normal()),
    "identity returns its input": (lambda x: x, lambda u, x: u, normal(3, 4)),
    "in place": (lambda x: np.multiply(x, 2, out=x), lambda u, x: 2 * u, normal(7)),
    "scale 1e8": (np.tanh, lambda u, x: u / np.cosh(x) ** 2, 1e-8 * normal(20)),
    "tiny input, exp": (np.exp, lambda u, x: u * np.exp(x), 1e-10 * normal(20)),
    "fast wave": (lambda x: np.sin(50 * x), lambda u, x: 50 * u * np.cos(50 * x), normal(20)),
    "near kinks": (lambda x: np.maximum(x, 0), lambda u, x: u * (x > 0), normal(2000)),
    "round": (np.round, lambda u, x: 0 * u, 3 * normal(500)),
    "decades": (np.log, lambda u, x: u / x, np.array([1e-12, 1e-3, 1.0, 10.0, 1e10])),
    "constant": (lambda x: np.ones(3), lambda u, x: 0 * x, normal(4)),
    "zero at zero": (np.square, lambda u, x: 2 * u * x, np.zeros(4)),
}


@pytest.mark.parametrize("name", CORRECT)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_right_gradient_passes(name, seed):
    forward, vjp, x = CORRECT[name]
    assert one(forward, vjp, x, seed).verdict == "correct"


WRONG = {
    "sign": twisted(lambda g: -g),
    "scale 1e-6": twisted(lambda g: g * (1 + 1e-6)),
    "scale 1e-7": twisted(lambda g: g * (1 + 1e-7)),
    "one entry 1e-5": twisted(at(7, 1 + 1e-5)),
    "one entry dropped": twisted(at(7, 0.0)),
    "rolled": twisted(lambda g: np.roll(g, 1)),
    "all zero": twisted(lambda g: 0 * g),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_wrong_gradient_fails(name, seed):
    assert one(np.sin, WRONG[name], normal(60, seed=3), seed).verdict == "wrong"


@pytest.mark.parametrize("factor", [2.0, 1 + 1e-2, 1 + 1e-3, 1 + 1e-4])
def test_one_wrong_entry_among_many_is_found_and_named(factor):
    x = normal(100_000, seed=5)
    x[4321] = 0.3
    found = one(np.sin, twisted(at(4321, factor)), x)
    assert found.verdict == "wrong"
    assert [entry.index for entry in found.entries] == [(4321,)]
    assert found.entries[0].returned / found.entries[0].expected == pytest.approx(factor)


def test_a_claim_rounded_to_float32_passes_by_chance_alone():
    rounded = twisted(lambda g: g.astype(np.float32).astype(float))
    found = [one(np.sin, rounded, normal(60, seed=3), seed).verdict for seed in range(60)]
    assert found.count("wrong") > 45


def test_a_straight_through_estimator_is_a_finding():
    assert one(np.round, lambda u, x: u, 3 * normal(300)).verdict == "wrong"


def test_float32_inside_the_function_is_inconclusive_with_a_figure():
    def forward(x):
        return np.sin(x.astype(np.float32)).astype(float)

    found = [one(forward, sine, normal(40, seed=seed), seed) for seed in range(40)]
    unclear = [judgement for judgement in found if judgement.verdict == "inconclusive"]
    # Now and then two numbers that are good to 1e-8 agree to 1e-9.
    assert len(unclear) > 20
    assert {judgement.verdict for judgement in found} <= {"inconclusive", "correct"}
    assert all(1e-7 < judgement.detectable < 1e-3 for judgement in unclear)
    assert one(forward, twisted(lambda g: 1.01 * g), normal(40)).verdict == "wrong"


def test_a_passing_verdict_says_what_it_would_have_seen():
    found = one(np.sin, sine, normal(1000))
    assert found.detectable < 1e-8
    assert found.detectable < found.detectable_entry < 1e-5
    assert abs(found.expected - found.returned) <= found.tolerance


def test_the_number_of_evaluations_does_not_grow_with_the_input():
    spent = {n: one(np.sin, sine, normal(n)).evaluations for n in (100, 10_000, 1_000_000)}
    assert max(spent.values()) <= 10


@pytest.mark.parametrize("condition", [1e3, 1e6])
def test_an_ill_conditioned_inverse_raises_no_alarm(condition):
    left, _, right = np.linalg.svd(normal(6, 6))
    a = left @ np.diag(np.geomspace(1, 1 / condition, 6)) @ right

    def vjp(u, x):
        y = np.linalg.inv(x)
        return -y.T @ u @ y.T

    for seed in SEEDS:
        assert one(np.linalg.inv, vjp, a, seed).verdict in ("correct", "inconclusive")
        wrong = one(np.linalg.inv, lambda u, x: 1.01 * vjp(u, x), a, seed)
        assert wrong.verdict == "wrong"


def test_tuples_of_outputs():
    def forward(x):
        return np.sin(x), x.sum()

    right = judged(forward, lambda u, x: {"x": u[0] * np.cos(x) + u[1]}, {"x": normal(3, 4)})
    missing = judged(forward, lambda u, x: {"x": u[0] * np.cos(x)}, {"x": normal(3, 4)})
    assert right["x"].verdict == "correct"
    assert missing["x"].verdict == "wrong"


def test_complex_numbers_follow_the_conjugate_convention():
    point = {"a": normal(3, 4) + 1j * normal(3, 4, seed=1), "b": normal(4, 2) + 1j}

    def product(a, b):
        return a @ b

    def vjp(u, a, b):
        return {"a": u @ b.conj().T, "b": a.conj().T @ u}

    def unconjugated(u, a, b):
        return {"a": u @ b.T, "b": a.conj().T @ u}

    assert {j.verdict for j in judged(product, vjp, point).values()} == {"correct"}
    found = judged(product, unconjugated, point)
    assert (found["a"].verdict, found["b"].verdict) == ("wrong", "correct")


def test_an_empty_input_passes_with_a_reason():
    found = judged(
        lambda a, b: a.sum() + np.sin(b),
        lambda u, a, b: {"a": np.zeros_like(a), "b": u * np.cos(b)},
        {"a": np.zeros((0, 3)), "b": np.array(1.3)},
    )
    assert found["a"].verdict == "correct"
    assert found["a"].reason == "nothing to differentiate"
    assert found["b"].verdict == "correct"


def test_integers_are_passed_on_and_not_judged():
    found = judged(
        lambda table, i: table[i],
        lambda u, table, i: {"table": _scatter(u, table, i)},
        {"table": normal(5, 2), "i": np.array([0, 3, 3])},
    )
    assert {name: j.verdict for name, j in found.items()} == {"table": "correct"}


def _scatter(u, table, i):
    g = np.zeros_like(table)
    np.add.at(g, i, u)
    return g


def test_steps_never_leave_the_domain():
    seen = []

    def forward(x):
        seen.append((float(x.min()), float(x.max())))
        return np.arcsin(x) * x

    def vjp(u, x):
        return u * (np.arcsin(x) + x / np.sqrt(1 - x * x))

    x = np.array([-0.999999, -0.5, 0.0, 0.3, 0.999, 1.0 - 1e-5])
    assert one(forward, vjp, x, domains={"x": Domain(-1, 1)}).verdict == "correct"
    assert min(low for low, _ in seen) >= -1
    assert max(high for _, high in seen) <= 1


@pytest.mark.parametrize("factor", [1.0, 1.001])
def test_a_point_on_the_bound_is_judged_from_inside(factor):
    def vjp(u, x):
        return u * 3 * x**2 * np.where(np.arange(x.size) == 1, factor, 1.0)

    found = one(lambda x: x**3, vjp, np.array([-1.0, 1.0, 0.5]), domains={"x": Domain(-1, 1)})
    assert found.verdict == ("correct" if factor == 1.0 else "wrong")


def test_the_adapters_own_error_widens_the_tolerance():
    x = normal(30)

    def off(u, x):
        return sine(u, x) + 1e-5

    assert one(np.sin, off, x).verdict == "wrong"
    assert one(np.sin, off, x, claim_error={"x": 1e-5}).verdict != "wrong"


def test_what_is_known_to_be_wrong_elsewhere_costs_little_here():
    point = {"a": normal(20), "b": normal(20, seed=1)}

    def vjp(u, a, b):
        return {"a": u * np.cos(a) * 1.01, "b": u * np.cos(b)}

    in_full = judged(lambda a, b: np.sin(a) + np.sin(b), vjp, point)
    briefly = judged(lambda a, b: np.sin(a) + np.sin(b), vjp, point, known=frozenset({"a"}))
    assert [j["a"].verdict for j in (in_full, briefly)] == ["wrong", "wrong"]
    assert [j["b"].verdict for j in (in_full, briefly)] == ["correct", "correct"]
    assert in_full["a"].entries
    assert not briefly["a"].entries
    assert 5 * briefly["a"].evaluations < in_full["a"].evaluations


def test_what_is_known_to_be_wrong_elsewhere_may_be_right_here():
    point = {"x": normal(20)}

    def vjp(u, x):
        return {"x": 2 * u * np.cos(2 * x)}

    found = judged(lambda x: np.sin(2 * x), vjp, point, known=frozenset({"x"}))
    assert found["x"].verdict == "correct"


@pytest.mark.parametrize("alpha", [0.5, 1.5])
def test_a_kink_is_looked_at_whatever_is_known(alpha):
    point = {"x": np.array([0.0, 1.0, -1.0])}

    def vjp(u, x):
        return {"x": u * np.where(x == 0, alpha, x > 0)}

    found = judged(lambda x: np.maximum(x, 0), vjp, point, known=frozenset({"x"}))
    assert found["x"].verdict == ("correct" if alpha == 0.5 else "wrong_at_kink")


def test_a_small_entry_beside_large_ones_is_told_in_its_own_units():
    """The tanh of a width of 1e-11, in steps of what 1e6 asks for, is saturated all along."""
    middle, width = np.array([1e6, 0.0, -3.0, 1e-9]), np.array([1e4, 1e-8, 1.0, 1e-11])
    off = np.array([1.0, 1.0, 1.0, 0.9])

    def slope(x):
        return (1 - np.tanh((x - middle) / width) ** 2) / width

    subject = Subject(
        "narrow",
        lambda x: np.tanh((x - middle) / width),
        lambda u, x: {"x": u * slope(x) * off},
        {"x": "n"},
    )
    x = (
        middle
        + np.array([0.39974502715624, 0.86686052949154, -0.00449911025632, 0.65528734471]) * width
    )
    u = np.array([-0.67558193207, 0.93269443512, 0.87109184265, 0.65212345123])
    (found,) = check(subject, at={"x": x}, cotangent=u, checks=["gradient"], seed=11).findings
    assert found.index == (3,)
    assert found.returned / found.expected == pytest.approx(0.9, rel=1e-3)
