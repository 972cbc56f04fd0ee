"""Where there is more to see than an input's scale suggests: bounds, creeps, tiny lengths."""

import numpy as np
import pytest
from scipy import special

from gradcheck import Subject, array, check
from gradcheck.judgement.comparison import Comparison
from gradcheck.judgement.problem import Level
from gradcheck.oracles.finite_difference import Scan
from tests.gradcheck.judgement.cases import judged, one


def verdicts(subject, seeds=3):
    return {check(subject, seed=seed, checks=["gradient"]).verdict for seed in range(seeds)}


def elementwise(forward, slope, **domain):
    return Subject("f", forward, lambda u, x: {"x": u * slope(x)}, {"x": array("n", **domain)})


NEAR_A_BOUND = {
    "log gamma": (special.gammaln, special.digamma, {"low": 1e-6, "high": 1e6}),
    "log": (np.log, lambda x: 1 / x, {"low": 1e-8, "high": 1.0}),
    "arc sine": (
        np.arcsin,
        lambda x: 1 / np.sqrt((1 - x) * (1 + x)),
        {"low": -1, "high": 1, "open": True},
    ),
    "normal quantile": (
        special.ndtri,
        lambda x: np.sqrt(2 * np.pi) * np.exp(special.ndtri(x) ** 2 / 2),
        {"low": 1e-12, "high": 1 - 1e-6},
    ),
}


@pytest.mark.parametrize("name", NEAR_A_BOUND)
def test_entries_at_a_bound_are_stepped_in_their_own_units(name):
    forward, slope, domain = NEAR_A_BOUND[name]
    assert verdicts(elementwise(forward, slope, **domain)) == {"correct"}
    wrong = elementwise(forward, lambda x: slope(x) * (1 + 1e-4), **domain)
    assert verdicts(wrong, 1) == {"wrong"}


def clip_at(slope_at_bound):
    def vjp(u, x):
        return {"x": u * np.where((x == 0) | (x == 1), slope_at_bound, 1.0)}

    return Subject("clip", lambda x: np.clip(x, 0, 1), vjp, {"x": array("n", low=0, high=1)})


@pytest.mark.parametrize("slope", [0.0, 0.5, 1.5])
def test_at_a_bound_the_slope_inside_is_due(slope):
    """A clip has a kink there that its domain does not show, and a guard looks the same."""
    assert check(clip_at(1.0), seed=0).verdict == "correct"
    report = check(clip_at(slope), seed=0)
    assert report.verdict == "wrong_at_kink"
    assert "at a bound of its domain" in report.findings[0].message
    lenient = check(clip_at(slope), seed=0, kinks="autodiff")
    assert lenient.verdict == "correct"
    assert any("at a bound of its domain" in remark for remark in lenient.remarks)


@pytest.mark.parametrize("power", [1.05, 1.1, 1.3])
def test_a_creeping_derivative_is_not_read_off_too_early(power):
    def slope(x):
        return power * x ** (power - 1)

    assert verdicts(elementwise(lambda x: x**power, slope, low=0, high=1)) == {"correct"}
    wrong = elementwise(lambda x: x**power, lambda x: 1.01 * slope(x), low=0, high=1)
    assert verdicts(wrong, 1) == {"wrong"}


def test_a_finite_claim_against_an_infinite_derivative():
    def root(at_zero):
        def vjp(u, x):
            safe = np.where(x == 0, 1, x)
            return {"x": u * np.where(x == 0, at_zero, 0.5 / np.sqrt(safe))}

        return Subject("root", np.sqrt, vjp, {"x": array("n", low=0)})

    assert verdicts(root(0.0)) == {"correct"}
    assert verdicts(root(np.inf)) == {"correct"}
    assert verdicts(root(-5.0)) == {"wrong"}


def normalised(at_zero):
    def forward(x):
        return x / np.maximum(np.abs(x).sum(-1, keepdims=True), 1e-12)

    def vjp(u, x):
        norm = np.abs(x).sum(-1, keepdims=True)
        size = np.maximum(norm, 1e-12)
        pulled = np.sign(x) * (u * x).sum(-1, keepdims=True) / size**2
        slope = np.where(norm == 0, at_zero / 1e-12, 1 / size)
        return {"x": u * slope - pulled * (norm > 1e-12)}

    return Subject("normalise", forward, vjp, {"x": "b n"}, dims={"n": (1, 9)})


def test_a_slope_of_1e12_is_no_leap():
    assert verdicts(normalised(1.0)) == {"correct"}
    assert "correct" not in verdicts(normalised(0.0))


def test_steps_too_small_to_move_anything_say_nothing():
    def forward(a, b):
        return (a + 1e6) ** 2 - (b + 1e6) ** 2

    def vjp(u, a, b):
        return {"a": 2 * u * (a + 1e6), "b": -2 * u * (b + 1e6)}

    squares = Subject("squares", forward, vjp, {"a": "n", "b": "n"})
    at = {"a": np.array([-0.1326]), "b": np.array([2.228e-13])}
    assert check(squares, at=at, seed=0, checks=["gradient"]).verdict in ("correct", "inconclusive")
    assert verdicts(squares) == {"correct"}


def test_a_wide_step_that_smaller_ones_contradict():
    """A constant row under a norm: its slope is that over a length of sqrt(eps)."""

    def forward(x):
        return 1e-9 * x / np.sqrt(x**2 + 1e-5) - 1.25

    def vjp(u, x, factor=1.0):
        return factor * 1e-9 * u * 1e-5 / (x**2 + 1e-5) ** 1.5

    x = np.append(np.zeros(7), np.random.default_rng(3).standard_normal(9) * 70)
    for seed in range(8):
        found = one(forward, vjp, x, seed)
        assert found.verdict in ("correct", "inconclusive")
        wrong = one(forward, lambda u, x: vjp(u, x, 3.0), x, seed)
        assert wrong.verdict != "correct"


def test_saturated_beside_1():
    """Entropy of a nearly certain choice: what float64 rounds away is as large as the gradient."""

    def entropy(x):
        p = special.softmax(x, axis=-1)
        return -np.sum(p * np.log(p), axis=-1)

    def vjp(u, x):
        log_p = special.log_softmax(x, axis=-1)
        p = np.exp(log_p)
        mean = np.sum(p * log_p, axis=-1, keepdims=True)
        return u[..., None] * p * (mean - log_p)

    rng = np.random.default_rng(0)
    for seed in range(60):
        x = 20 * rng.standard_normal((2, 6))
        x[0, 0] += 30
        assert one(entropy, vjp, x, seed).verdict in ("correct", "inconclusive")


@pytest.mark.parametrize("seed", range(4))
def test_a_claim_below_the_rounding_of_what_never_moves_is_zero(seed):
    """The softmax of one class is 1, and p - 1 all rounding; ten times more is none."""
    x = np.array([[0.6], [-1.5]])
    for dust, verdict in ((4e-16, "correct"), (4e-15, "wrong")):
        found = one(lambda x: 0.0 * x, lambda u, x, dust=dust: dust * u, x, seed)
        assert found.verdict == verdict


def shut_gate(kernel):
    """(1 - sigmoid) times a candidate; the claim keeps the digits that forward has lost."""

    def parts(x, w, b):
        gate = x @ w + b
        return special.expit(gate), special.expit(-gate), np.tanh(x @ kernel)

    def forward(x, w, b):
        z, _, candidate = parts(x, w, b)
        return (1.0 - z) * candidate

    def vjp(u, x, w, b):
        z, rest, candidate = parts(x, w, b)
        shut = -u * candidate * z * rest
        return {
            "x": shut @ w.T + (u * rest * (1 - candidate**2)) @ kernel.T,
            "w": x.T @ shut,
            "b": shut.sum(axis=0),
        }

    return forward, vjp


@pytest.mark.parametrize("bias", [30.0, 34.0, 36.0, 38.0, 45.0])
@pytest.mark.parametrize("seed", range(6))
def test_a_gate_that_its_bias_or_a_product_shuts(bias, seed):
    rng = np.random.default_rng(seed)
    kernel = rng.uniform(-1, 1, (3, 2))
    forward, vjp = shut_gate(kernel)
    for share in (1.0, 0.5, 0.0):
        x = 4 * rng.uniform(-1, 1, (2, 3))
        point = {"x": x, "w": rng.uniform(-0.05, 0.05, (3, 2)), "b": np.full(2, share * bias)}
        # The rest of what shuts it is a product of the inputs.
        point["w"] += (1 - share) * bias * np.linalg.pinv(x) @ np.ones((2, 2))
        found = judged(forward, vjp, point, seed)
        assert {v.verdict for v in found.values()} <= {"correct", "inconclusive"}, found


@pytest.mark.parametrize("bias", [8.0, 16.0])
def test_a_gate_that_is_not_quite_shut_hides_little(bias):
    rng = np.random.default_rng(1)
    forward, vjp = shut_gate(rng.uniform(-1, 1, (3, 2)))
    point = {"x": rng.uniform(-1, 1, (2, 3)), "w": np.full((3, 2), 0.1), "b": np.full(2, bias)}

    def wrong(u, x, w, b):
        right = vjp(u, x, w, b)
        return {**right, "b": 1.01 * right["b"]}

    assert judged(forward, wrong, point)["b"].verdict == "wrong"


def ramp(eps, *, leak=1.0):
    """A leaky relu over its size, at least eps, as in a row of one feature: it rises within eps."""

    def parts(x):
        y = np.where(x > 0, x, leak * x)
        return y, np.where(x > 0, 1.0, leak), np.maximum(np.abs(y), eps)

    def forward(x):
        y, _, size = parts(x)
        return y / size

    def vjp(u, x):
        y, slope, size = parts(x)
        # As written by hand: in a row of one feature two numbers of 1 / eps cancel.
        return slope * (u / size - np.where(np.abs(y) >= eps, u * y / size**2, 0) * np.sign(y))

    return forward, vjp


@pytest.mark.parametrize("eps", [1e-12, 1e-9, 1e-4])
@pytest.mark.parametrize("entry", [0.0, 1e-9, 2e-9, 1e-6])
def test_a_normalised_row_of_one_feature(eps, entry):
    for leak in (1.0, 0.1):
        forward, vjp = ramp(eps, leak=leak)
        for seed in range(4):
            x = np.append(entry, np.random.default_rng(seed).standard_normal(2))
            assert one(forward, vjp, x, seed).verdict in ("correct", "inconclusive")
    forward, vjp = ramp(eps)
    assert one(forward, lambda u, x: vjp(u, x) + u, np.ones(3)).verdict == "wrong"


@pytest.mark.parametrize("shift", [0.0, 1e5])
def test_a_ramp_of_1e_12_beside_a_large_number(shift):
    forward, vjp = ramp(1e-12)
    for seed in range(6):
        x = np.append(np.zeros(3), 10 * np.random.default_rng(seed).standard_normal(60))
        found = one(lambda x: forward(x) + shift, vjp, x, seed)
        assert found.verdict in ("correct", "inconclusive")


def test_a_gradient_that_explodes_at_zero():
    """Through tanh(1e5 h + v) from h = 0: 1e5 to the number of steps, over a hair."""

    def states(v):
        h, found = np.zeros_like(v), []
        for _ in range(8):
            h = np.tanh(1e5 * h + v)
            found.append(h)
        return found

    def vjp(u, v):
        g, d = np.zeros_like(v), u
        for h in reversed(states(v)):
            d = d * (1 - h * h)
            g, d = g + d, 1e5 * d
        return g

    for seed in range(4):
        found = one(lambda v: states(v)[-1], vjp, np.zeros(3), seed)
        assert found.verdict in ("correct", "inconclusive")


def test_a_claim_whose_weight_overflows_is_undecided_and_no_crash():
    z = np.array([709.5 + 0j, 709.0 + 0j])
    found = one(np.exp, lambda u, z: u * np.conj(np.exp(z)), z)
    assert found.verdict in ("correct", "inconclusive")


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("alpha", "right"), [(0.0, True), (1.0, True), (1.5, False)])
def test_a_bias_far_smaller_than_its_weights_shares_their_kink(alpha, right, seed):
    """With relu'(0) = 0 both rows take a side that W[0, 0] alone gives to one at a time."""
    x, target = np.array([[-1], [2]]), np.array([[0.4, 1.0], [-0.9, -0.3]])

    def forward(W, b):
        return np.sum((np.maximum(x @ W + b, 0) - target) ** 2)

    def vjp(u, W, b):
        z = x @ W + b
        off = 2 * u * (np.maximum(z, 0) - target) * np.where(z == 0, alpha, z > 0)
        return {"W": x.T @ off, "b": off.sum(0)}

    point = {"W": np.array([[0.0, 1.5]]), "b": np.array([0.0, 1e-9])}
    found = {judgement.verdict for judgement in judged(forward, vjp, point, seed).values()}
    assert found <= {"correct", "inconclusive"} if right else "wrong_at_kink" in found


def softmax(x):
    p = np.exp(x - x.max(1, keepdims=True))
    return p / p.sum(1, keepdims=True)


def entropy(x):
    p = softmax(x)
    return -(p * np.log(p)).sum(1, keepdims=True)


def entropy_vjp(u, x):
    p = softmax(x)
    return u * p * (-np.log(p) - entropy(x))


# Saturated rows: log p of the winner stands still under steps of 2^-14, and moves under 2^-9.
CONFIDENT = np.array(
    [
        [12.40773518, 44.21580242, 13.28038105, 4.08772075, -27.94639187, 3.96999459],
        [9.6670667, 4.89287808, -20.9229175, -7.16221925, -4.98864653, 41.4606505],
    ]
)


def test_a_logarithm_that_stands_still_says_nothing():
    for seed in range(60):
        found = one(entropy, entropy_vjp, CONFIDENT, seed)
        assert found.verdict in ("correct", "inconclusive"), seed


def test_a_wrong_entropy_is_found_where_it_is_not_saturated():
    def halved(u, x):
        return 0.99 * entropy_vjp(u, x)

    assert one(entropy, halved, CONFIDENT / 8).verdict == "wrong"


@pytest.mark.parametrize("seed", range(4))
def test_tiny_outputs_are_not_made_of_large_ones(seed):
    x = np.array([-600.0, -550.0, -520.0])
    assert one(np.exp, lambda u, x: u * np.exp(x), x, seed).verdict == "correct"
    assert one(np.exp, lambda u, x: 1.01 * u * np.exp(x), x, seed).verdict == "wrong"


@pytest.mark.parametrize("seed", range(4))
def test_a_kink_that_no_line_resolves_hides_no_other_entry(seed):
    def vjp(u, x, factor):
        return u * factor * 1.1 * np.sign(x) * np.abs(x) ** 0.1

    def power(x):
        return np.abs(x) ** 1.1

    x = np.array([0.0, 0.7, -1.3, 0.0, 2.0])
    assert one(power, lambda u, x: vjp(u, x, 1.0), x, seed).verdict in ("correct", "inconclusive")
    assert one(power, lambda u, x: vjp(u, x, 1.01), x, seed).verdict == "wrong"


def faint(seed, factor):
    """A loss near 1 that weights of 1e-9 barely move, with hidden units exactly at their kinks."""
    rng = np.random.default_rng(seed)
    x, b = np.array([[-2.0, -0.25]]), 64 * rng.standard_normal(8)
    b[::2] = 0
    inner, outer = 64 * rng.standard_normal((8, 2)), 1e-9 * rng.standard_normal((2, 1))

    def passed(W, b):
        z = x @ W + b
        q = np.maximum(z, 0) @ inner + 0.75
        return z, q, np.maximum(q, 0) @ outer + 1.0

    def vjp(u, W, b):
        z, q, off = passed(W, b)
        d = 2 * factor * u * off @ outer.T * (q > 0) @ inner.T * (z > 0)
        return {"W": x.T @ d, "b": d.sum(0)}

    point = {"W": np.zeros((2, 8)), "b": b}
    found = judged(lambda W, b: (passed(W, b)[2] ** 2).sum(), vjp, point, seed)
    return [judgement.verdict for judgement in found.values()]


def test_sides_that_noise_hides_reject_nothing_and_wrong_ones_do():
    right = [verdict for seed in range(40) for verdict in faint(seed, 1.0)]
    assert set(right) <= {"correct", "inconclusive"}
    wrong = [verdict for seed in range(40) for verdict in faint(seed, 2.0)]
    assert set(wrong) <= {"correct", "wrong", "inconclusive"}  # correct where no unit is alive
    assert wrong.count("wrong") > 20 * wrong.count("inconclusive")
    assert wrong.count("wrong") > 40


def far_from_the_largest(factor):
    """sqrt(l^2 + 0.01) of the mean distance l from the largest of each column."""

    def parts(x, y):
        first = x.argmax(0)
        apart = np.take_along_axis(x, first[None], 0)[0] - y
        loss = np.abs(apart).mean()
        return first, apart, loss, np.sqrt(loss**2 + 0.01)

    def vjp(u, x, y):
        first, apart, loss, root = parts(x, y)
        into, back = np.zeros_like(x), factor * u * loss / root * np.sign(apart) / apart.size
        np.put_along_axis(into, first[None], back[None], 0)
        return {"x": into, "y": -back}

    return Subject("far", lambda x, y: parts(x, y)[3], vjp, {"x": "rows columns", "y": "columns"})


def test_entries_that_part_in_turns_at_a_tie_come_to_an_end():
    """Of three tied entries two part beside the point; without them, the third and another."""
    at = {"x": np.zeros((3, 2)), "y": np.zeros(2)}
    found = {check(far_from_the_largest(1.0), at=at, seed=seed).verdict for seed in range(3)}
    assert found <= {"correct", "inconclusive"}
    limits = {"rows": (1, 4), "columns": (1, 3)}
    assert check(far_from_the_largest(1.0), dims=limits, seed=0).verdict == "correct"
    assert check(far_from_the_largest(1.1), dims=limits, seed=0).verdict == "wrong"


def failed(jump, slopes=(20786378.4, 20787795.4, 19105253.2, -124195096.7)):
    """A solve of condition 1e10 against 20783113: noise of 0.1 at steps of 2^-14 and 2^-19."""
    steps, noises = (2.0**-14, 2.0**-19, 2.0**-29, 2.0**-34), (0.118, 0.06, 1.6e-5, 1.4e-5)
    scans = tuple(
        Scan(step, slope, slope, eta, 1e-13, 6, jump)
        for step, slope, eta in zip(steps, slopes, noises, strict=True)
    )
    level = Level(steps[-1], slopes[-1], 17327.0, 247154.0, chosen=True)
    weight = 20783113.1
    return Comparison(
        False, slopes[-1], weight, 2.5e6, 2.5e6, weight, weight, levels=(level,), scans=scans
    )


def test_rounding_that_turns_into_a_slope_contests_what_wider_steps_do_not_see():
    assert failed(jump=1e-4).contested
    assert not failed(jump=0.1).contested  # no rounding: a slope that wider steps miss
    one_of_them = (20786378.4, 30787795.4, 19105253.2, -124195096.7)
    assert not failed(1e-4, one_of_them).contested
