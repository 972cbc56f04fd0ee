"""Document (003): the component network, its bench, and what its author ran into."""

import copy
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.schemes import bench
from reference.schemes.components import Affinity, Identity, Map, Network
from reference.schemes.step import last

SEEDS = st.integers(0, 2**31 - 1)
TANH = Map(np.tanh, lambda x: 1 - np.tanh(x) ** 2)


def network(seed, *sizes, alpha=0.1):
    """Affinities of these sizes with tanh between."""
    random, layers = np.random.RandomState(seed), []
    for n, m in pairwise(sizes):
        layers += [Affinity.drawn(n, m, random), TANH]
    return Network(layers[:-1], alpha)


@settings(max_examples=25)
@given(SEEDS, st.lists(st.integers(1, 4), min_size=2, max_size=4), st.floats(0, 1))
def test_folding_alpha_into_the_gradient_is_a_step_of_sgd(seed, sizes, alpha):
    """Every parameter moves by alpha times its own gradient, all taken before any moved."""
    net = network(seed, *sizes, alpha=alpha)
    rng = np.random.default_rng(seed)
    facts = [(rng.standard_normal(sizes[0]), rng.standard_normal(sizes[-1])) for _ in range(3)]
    for step in net.learn(facts):
        for name, before in step.before.items():
            np.testing.assert_allclose(
                step.weights[name], before - alpha * step.gradient[name], rtol=1e-12, atol=1e-14
            )


@given(SEEDS)
def test_the_input_gradient_takes_the_old_matrix(seed):
    """With the updated one it is off by -|g|^2 x, exactly that."""
    random = np.random.RandomState(seed)
    layer, x, g = Affinity.drawn(3, 2, random), random.randn(3), random.randn(2)
    dx = layer.backprop(g, x)
    late = layer.weights["M"].T @ g
    np.testing.assert_allclose(late - dx, -(g @ g) * x, rtol=1e-9, atol=1e-12)


def test_the_wrong_transpose_is_invisible_with_one_affine_layer():
    """M g instead of M^T g: the first layer's dx is thrown away; with two layers it shows."""

    class Documented(Affinity):
        def gradient(self, g, x):
            return self.weights["M"] @ g, super().gradient(g, x)[1]

    def losses(kind, layers):
        random = np.random.RandomState(0)
        net = Network([kind.drawn(2, 2, random) for _ in range(layers)])
        return [step.loss for step in bench.Bench(net).learn(20)]

    assert losses(Documented, 1) == losses(Affinity, 1)
    assert losses(Documented, 2) != losses(Affinity, 2)
    with pytest.raises(ValueError, match="matmul"):
        Documented.drawn(2, 3, np.random.RandomState(0)).backprop(np.ones(3), np.ones(2))


def test_a_network_without_parameters_does_not_learn():
    net = Network([Identity()])
    steps = list(net.learn([(np.ones(2), np.zeros(2))] * 3))
    assert [s.loss for s in steps] == [1.0, 1.0, 1.0]
    assert steps[0].weights == {}


def test_integer_parameters_learn():
    """In the notebook M -= float on an integer M raises; here parameters are kept as floats."""
    net = Network([Affinity([[1, 0], [0, 1]], [0, 0])])
    assert last(net.learn([(np.array([1.0, 2]), np.zeros(2))])).weights["M1"].dtype == float


def test_rollback_reaches_whoever_holds_the_network():
    net = network(0, 2, 2)
    tested = bench.Bench(net)
    start = net.weights
    list(tested.learn(20))
    assert not np.array_equal(net.weights["M1"], start["M1"])
    tested.rollback()
    assert tested.network is net
    for name, value in net.weights.items():
        np.testing.assert_array_equal(value, start[name])


def test_the_documented_rollback_leaves_the_notebooks_network_behind():
    """Binding the bench to a copy is the fault its author saw: losses fall, `net` stands still."""
    net = network(0, 2, 2)
    tested = bench.Bench(net)
    tested.network = copy.deepcopy(net)
    start = net.weights
    losses = [step.loss for step in tested.learn(50)]
    assert losses[-1] < 1e-3 * losses[0]
    np.testing.assert_array_equal(net.weights["M1"], start["M1"])


def test_a_checkpoint_remembers_layers_and_alpha():
    net = network(0, 2, 3, 2)
    tested = bench.Bench(net)
    tested.checkpoint()
    net.layers[:], net.alpha = net.layers[:1], 0.7
    tested.rollback()
    assert len(net.layers) == 3
    assert net.alpha == 0.1


def test_learning_potential_and_curves_leave_the_network_alone():
    net = network(0, 2, 2)
    tested, start = bench.Bench(net), net.weights
    potential = tested.learning_potential(alpha=0.2)
    curve = tested.curve(alpha=0.2)
    assert potential == pytest.approx(-math.log(curve[-1]))
    assert net.alpha == 0.1
    np.testing.assert_array_equal(net.weights["M1"], start["M1"])
    smooth = tested.curve(alpha=0.2, smooth=3)
    assert np.abs(np.diff(smooth)).max() < np.abs(np.diff(curve)).max()
    assert smooth.sum() == pytest.approx(curve.sum(), rel=0.5)


def test_a_perfect_network_has_infinite_potential():
    net = Network([Affinity(np.eye(2), np.zeros(2))])
    assert bench.Bench(net).learning_potential() == math.inf


@settings(max_examples=25)
@given(SEEDS, st.floats(0, 0.3))
def test_the_last_error_of_an_affine_network_is_known_beforehand(seed, alpha):
    """LP = -ln(|(M0 - A | b0 - d) c|^2 / 2) for any affine ideal A v + d."""
    random = np.random.RandomState(seed)
    A, d = random.randn(2, 2), random.randn(2)
    net = Network([Affinity.drawn(2, 2, random)], alpha)
    tested = bench.Bench(net, lambda v: A @ v + d)
    M, b = net.layers[0].weights.values()
    c = bench.sensitivity(list(tested.facts(60)), alpha)
    error = np.column_stack([M - A, b - d]) @ c
    found = tested.learning_potential(60)
    assert found == pytest.approx(-math.log(error @ error / 2), abs=1e-4)


def test_stable_rates_of_an_affine_network():
    """E <- E (I - alpha x~ x~^T) cannot grow while alpha < 2 / max |x~|^2."""
    net = network(1, 2, 2)
    tested = bench.Bench(net)
    largest = max(1 + x @ x for x, _ in tested.facts(100))

    def errors(alpha):
        state = Network([Affinity(**net.layers[0].weights)], alpha)
        steps = bench.Bench(state).learn(100)
        ideal = np.column_stack([np.eye(2), np.zeros(2)])
        return [np.linalg.norm(np.column_stack([*s.weights.values()]) - ideal) for s in steps]

    assert np.all(np.diff(errors(1.99 / largest)) <= 1e-12)
    assert np.any(np.diff(errors(3 / largest)) > 0)


def test_the_bench_leaves_the_global_random_state_alone():
    before = np.random.get_state()[1].copy()
    list(bench.Bench(network(0, 2, 2)).learn(5))
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_the_slider():
    assert bench.slider(0) == pytest.approx(2.0**-201)
    assert bench.slider(1) == pytest.approx(0.5)
    with pytest.raises(ValueError, match="s is 2"):
        bench.slider(2)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: list(Network([Identity()]).learn([])), "facts is empty"),
        (lambda: Network([], alpha=-0.1), "alpha is -0.1"),
        (lambda: Affinity(np.ones((2, 3)), np.ones(3)), "b has shape"),
        (lambda: list(network(0, 2, 2).learn([(np.ones(2), np.ones((2, 1)))])), "target has shape"),
        (lambda: list(network(0, 2, 2).learn([(np.ones(3), np.ones(2))])), "x has shape"),
        (lambda: list(bench.Bench(network(0, 2, 2)).facts(0)), "n is 0"),
    ],
)
def test_bad_arguments(call, said):
    with pytest.raises(ValueError, match=said):
        call()
