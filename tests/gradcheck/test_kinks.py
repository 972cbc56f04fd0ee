"""Claims at kinks: conventions named, the hull enforced, near kinks left alone."""

import numpy as np
import pytest

from gradcheck.judgement.problem import Judgement
from tests.gradcheck.judgement.cases import judged, normal, one


def relu(x):
    return np.maximum(x, 0)


def slope(alpha, *, multiplied=True):
    """The gradient of relu with alpha at 0, or with alpha in place of alpha times u."""

    def vjp(u, x):
        return np.where(x == 0, alpha * (u if multiplied else 1.0), u * (x > 0))

    return vjp


def with_zeros(count, seed, size=40):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(size)
    x[rng.choice(size, count, replace=False)] = 0.0
    return x


@pytest.mark.parametrize("count", [1, 2, 12])
@pytest.mark.parametrize("alpha", [0.0, 0.3, 0.5, 1.0])
def test_a_convention_is_accepted_and_named(count, alpha):
    for seed in range(4):
        found = one(relu, slope(alpha), with_zeros(count, seed), seed)
        assert found.verdict == "correct"
        assert found.kink.alpha == pytest.approx(alpha, abs=0.02)
        assert found.kink.count == count


@pytest.mark.parametrize("count", [1, 2, 12])
@pytest.mark.parametrize("alpha", [-0.2, 1.2, 5.0])
def test_outside_the_generalised_gradient(count, alpha):
    for seed in range(4):
        found = one(relu, slope(alpha), with_zeros(count, seed), seed)
        assert found.verdict == "wrong_at_kink"
        assert np.isnan(found.kink.alpha)
        assert len(found.entries) == count


@pytest.mark.parametrize("alpha", [0.5, 1.0])
def test_not_multiplied_by_the_cotangent(alpha):
    for seed in range(4):
        found = one(relu, slope(alpha, multiplied=False), with_zeros(3, seed), seed)
        assert found.verdict == "wrong_at_kink"


@pytest.mark.parametrize("declared", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_a_declared_convention_is_enforced(declared, alpha):
    found = one(relu, slope(alpha), with_zeros(2, 1), kinks=declared, elementwise=True)
    assert found.verdict == ("correct" if alpha == declared else "wrong_at_kink")


def test_a_callable_says_what_is_expected():
    def rule(cotangent, arrays):
        return {"x": slope(0.25)(cotangent[0], arrays["x"])}

    assert one(relu, slope(0.25), with_zeros(2, 1), kinks=rule).verdict == "correct"
    assert one(relu, slope(0.5), with_zeros(2, 1), kinks=rule).verdict == "wrong_at_kink"


TIES = {
    "first": lambda tied: tied & (np.cumsum(tied) == 1),
    "even": lambda tied: tied / tied.sum(),
    "all": lambda tied: tied,
    "none": lambda tied: tied * (tied.sum() == 1),
}


@pytest.mark.parametrize("members", [2, 3])
@pytest.mark.parametrize("rule", TIES)
def test_ties_of_a_maximum(members, rule):
    right = rule in ("first", "even")
    for seed in range(4):
        x = np.minimum(normal(10, seed=seed), 2.5)
        x[:members] = 3.0

        def vjp(u, x):
            return u * TIES[rule](x == x.max()) * 1.0

        found = one(np.max, vjp, x, seed)
        assert found.verdict == ("correct" if right else "wrong_at_kink")


@pytest.mark.parametrize("distance", [10.0**-k for k in range(3, 16)])
@pytest.mark.parametrize("kinks", ["subgradient", 0.5])
def test_near_kinks_raise_no_alarm(distance, kinks):
    for seed in range(3):
        x = with_zeros(0, seed)
        x[:3] = distance * np.array([1.0, -1.0, 2.0])
        assert one(relu, slope(0.5), x, seed, kinks=kinks).verdict == "correct"


@pytest.mark.parametrize("hidden", [1, 3, 8])
@pytest.mark.parametrize(("alpha", "right"), [(0.0, True), (0.5, True), (1.0, True), (1.3, False)])
def test_hidden_kinks(hidden, alpha, right):
    w, bias = normal(20, 6), normal(20, seed=1)
    bias[:hidden] = 0.0

    def vjp(u, x):
        return w.T @ slope(alpha)(u, w @ x + bias)

    found = one(lambda x: relu(w @ x + bias), vjp, np.zeros(6))
    assert found.verdict == ("correct" if right else "wrong_at_kink")


@pytest.mark.parametrize(
    ("kinks", "verdict"), [("subgradient", "wrong_at_kink"), ("autodiff", "correct")]
)
def test_a_defect_at_a_point_is_told_apart(kinks, verdict):
    def vjp(u, x):
        return u * (x > 0) + u * (x < 0)

    found = one(lambda x: relu(x) - relu(-x), vjp, with_zeros(2, 0, 10), kinks=kinks)
    assert found.verdict == verdict
    assert found.kink.point_defect


def test_avoid_moves_away_and_says_so():
    found = one(relu, slope(7.0), with_zeros(2, 0), kinks="avoid")
    assert found.verdict == "correct"
    assert found.details["moved"]


def test_avoid_does_not_hide_an_error_elsewhere():
    def vjp(u, x):
        return 1.01 * slope(7.0)(u, x)

    assert one(relu, vjp, with_zeros(2, 0), kinks="avoid").verdict == "wrong"


def test_zero_at_the_origin_of_a_norm_is_a_subgradient():
    def vjp(u, x):
        length = np.linalg.norm(x)
        return u * x / length if length else 0 * x

    assert one(np.linalg.norm, vjp, np.zeros(5)).verdict == "correct"
    assert one(np.linalg.norm, lambda u, x: vjp(u, x) + 2 * u * (x == 0), np.zeros(5)).verdict in (
        "wrong",
        "wrong_at_kink",
    )


def test_wrong_everywhere_is_not_excused_by_a_kink():
    found = one(np.max, lambda u, x: 0 * x, np.array([3.0, 3.0, 1.0]))
    assert found.verdict == "wrong"


def test_what_its_sides_decide_has_no_error_over_tolerance():
    """The line through a kink sees the mean of its sides, and the claim may be one of them."""
    beside_the_line = {"expected": 1.0, "returned": 0.0, "tolerance": 0.25}
    assert Judgement("x", "correct", **beside_the_line).score == 0.0
    assert Judgement("x", "wrong", **beside_the_line).score == 4.0


def hinge(sign):
    """Margins of 1 at two of four entries; `sign` stands for the labels in the gradient."""
    labels = np.array([1.0, -1.0, 1.0, -1.0])
    return (
        lambda s: np.sum(np.maximum(1 - labels * s, 0)),
        lambda u, s: -u * sign(labels) * (labels * s <= 1),
        np.array([1.0, -1.0, 0.5, 3.0]),
    )


def sorted_gaps(back):
    """Gaps of sorted numbers, of which two are equal; `back` puts a gradient where it belongs."""

    def vjp(u, x):
        order = np.argsort(x, kind="stable")
        return back(np.concatenate([[0], u]) - np.concatenate([u, [0]]), order)

    return lambda x: np.diff(np.sort(x)), vjp, np.array([3.0, 1.0, 1.0, -2.0, 0.0])


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (hinge(lambda labels: labels), hinge(np.abs)),
        (
            sorted_gaps(lambda u, order: u[np.argsort(order)]),
            sorted_gaps(lambda u, order: u[order]),
        ),
    ],
)
def test_a_kink_hides_no_entry_that_is_wrong_beside_it(right, wrong):
    """A claim that jumps within some ulp is not all rounding."""
    assert {one(*right, seed).verdict for seed in range(8)} == {"correct"}
    assert {one(*wrong, seed).verdict for seed in range(8)} == {"wrong"}


def chain(x, w, b):
    """The states of h = tanh(1.5 w h + b), thirty times."""
    states = [x]
    for _ in range(30):
        states.append(np.tanh(1.5 * w * states[-1] + b))
    return states


def chain_vjp(u, x, w, b):
    states, dw = chain(x, w, b), np.zeros_like(w)
    for h, after in zip(states[-2::-1], states[:0:-1], strict=True):
        u = u * (1 - after**2)
        dw, u = dw + 1.5 * u * h, 1.5 * u * w
    return dw


# Between the two phases in which the chain may end.
EDGE = -2.4405513228683158


@pytest.mark.parametrize("seed", range(3))
def test_at_the_edge_of_two_basins_the_claim_is_that_of_the_nearest_neighbours(seed):
    """Its gradient is 37 there and 5e-4 a thousand ulp away; a guard speaks at one number."""
    x, b, w = 0.21256450828607362, 0.9940175738618853, np.array([EDGE])

    def guarded(u, w):
        return u * np.where(w == EDGE, 40.0, np.cos(w))

    found = one(lambda w: chain(x, w, b)[-1], lambda u, w: chain_vjp(u, x, w, b), w, seed)
    assert found.verdict in ("correct", "inconclusive")
    assert one(np.sin, guarded, w, seed).verdict == "wrong_at_kink"


TINY = 2.0**-30
NET = {
    "X": TINY * np.array([[3, -3], [4, 6], [-3, -5], [-3, 0], [6, 6.0]]),
    "W1": np.array([[4, -5], [2, 3.0]]),
    "b1": TINY * np.array([6, 0.0]),
    "W2": TINY * np.array([[6, 1, 6, 4], [5, 2, -1, -4.0]]),
    "b2": np.array([1, -3, 0, 1.0]),
}


OF_ROWS = np.array([[3.0], [5.0], [2.0], [-4.0], [-1.0]])


def net(X, W1, b1, W2, b2):
    hidden = relu(X @ W1 + b1)
    return hidden, relu(hidden @ W2 + b2)


def net_vjp(u, X, W1, b1, W2, b2, factor=1.0):
    hidden, y = net(X, W1, b1, W2, b2)
    d2 = u * OF_ROWS * (y > 0)
    d1 = d2 @ W2.T * (hidden > 0)
    return {
        "X": d1 @ W1.T,
        "W1": X.T @ d1,
        "b1": d1.sum(0),
        "W2": hidden.T @ d2,
        "b2": factor * d2.sum(0),
    }


@pytest.mark.parametrize("seed", range(6))
def test_kinks_that_a_tiny_product_shifts_by_less_than_any_step_are_undecided(seed):
    """A bias of 0 beside products of 1e-17: some rows are past their kink, some at it."""

    def forward(**point):
        return np.sum(OF_ROWS * net(**point)[1])

    found = judged(forward, net_vjp, NET, seed)
    assert {v.verdict for v in found.values()} <= {"correct", "inconclusive"}, found
    away = {name: x + 0.3 for name, x in NET.items()}
    wrong = judged(forward, lambda u, **given: net_vjp(u, **given, factor=1.1), away, seed)
    assert wrong["b2"].verdict == "wrong"


@pytest.mark.parametrize("seed", range(4))
def test_kinks_that_cancel_along_one_input_are_seen_with_the_others(seed):
    """Four units of a bias of 0: along x alone both sides are alike, and 0 at each kink is not."""
    A = TINY * np.array([[-1, 3, 5, 1, 4, -1, 4, 0.0]])
    a = np.array([0.0, 1.06, 0.0, 1.74, 0.0, 0.69, 0.0, -2.03])
    B = np.array([[5], [6], [3], [5], [-6], [-2], [1], [0.0]])

    def forward(x, A, a):
        return relu(x @ A + a) @ B - 5

    def vjp(u, x, A, a, kept=1.0):
        d = kept * u @ B.T * (x @ A + a > 0)
        return {"x": d @ A.T, "A": x.T @ d, "a": d.sum(0)}

    point = {"x": np.zeros((1, 1)), "A": A, "a": a}
    found = judged(forward, vjp, point, seed)
    assert found["x"].verdict in ("correct", "inconclusive")
    away = {**point, "a": a + 0.1}
    wrong = judged(forward, lambda u, **given: vjp(u, **given, kept=0.9), away, seed)
    assert wrong["x"].verdict == wrong["a"].verdict == "wrong"
