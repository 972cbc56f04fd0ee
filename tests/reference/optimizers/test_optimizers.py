"""Optimizers by their laws: closed forms, equalities, and how far two forms are apart."""

from functools import partial
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from reference import optimizers
from reference.optimizers import adam, leafwise, momentum, nesterov, rmsprop, sgd, weight_decay

FLOATS = st.floats(-10, 10).filter(lambda v: v == 0 or abs(v) > 1e-6)
RATES = st.floats(1e-4, 1)
FRACTIONS = st.floats(0, 0.99)
GRADIENTS = arrays(float, (6, 3), elements=FLOATS)
WEIGHTS = arrays(float, 3, elements=FLOATS)
STEPS = {
    "sgd": partial(sgd.step, lr=0.1),
    "momentum": partial(momentum.step, lr=0.1),
    "nesterov": partial(nesterov.step, lr=0.1),
    "rmsprop": rmsprop.step,
    "adam": adam.step,
}


def run(step, weights, gradients, rates=None, **options):
    """Weights after each step."""
    state, path = None, []
    for k, gradient in enumerate(gradients):
        given = options if rates is None else options | {"lr": rates[k]}
        weights, state = step(weights, gradient, state, **given)
        path.append(weights)
    return np.array(path)


def test_the_lists_are_the_folder():
    folder = Path(optimizers.__file__).parent
    files = sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__")
    assert files == sorted(optimizers.OPTIMIZERS + optimizers.TOOLS)
    assert set(STEPS) == set(optimizers.OPTIMIZERS)
    assert all(callable(import_module(f"reference.optimizers.{n}").step) for n in STEPS)


@given(WEIGHTS, GRADIENTS, RATES)
def test_sgd_is_the_sum_of_the_gradients(w, g, lr):
    np.testing.assert_allclose(run(sgd.step, w, g, lr=lr)[-1], w - lr * g.sum(0), atol=1e-12)


@given(WEIGHTS, GRADIENTS, RATES, FRACTIONS)
def test_classical_momentum_in_closed_form(w, g, lr, mu):
    """The velocity after t steps is the sum of mu^(t - k) g_k."""
    velocity = np.array([sum(mu ** (t - k) * g[k] for k in range(t + 1)) for t in range(len(g))])
    for rate in ("inside", "outside"):
        path = run(momentum.step, w, g, lr=lr, momentum=mu, rate=rate)
        np.testing.assert_allclose(path, w - lr * np.cumsum(velocity, 0), atol=1e-9, rtol=1e-12)


@given(WEIGHTS, GRADIENTS, RATES, FRACTIONS)
def test_nesterov_is_one_at_a_constant_rate(w, g, lr, mu):
    """Lasagne's form, torch's, and PuzzleLib's w + mu^2 v + (1 + mu) lr g_neg with the old v."""
    inside = run(nesterov.step, w, g, lr=lr, momentum=mu)
    outside = run(nesterov.step, w, g, lr=lr, momentum=mu, rate="outside")
    velocity, at, expanded = 0.0, w, []
    for gradient in g:
        at = at + mu**2 * velocity - (1 + mu) * lr * gradient
        velocity = mu * velocity - lr * gradient
        expanded.append(at)
    np.testing.assert_allclose(inside, outside, atol=1e-9, rtol=1e-12)
    np.testing.assert_allclose(inside, expanded, atol=1e-9, rtol=1e-12)


@pytest.mark.parametrize("step", [momentum.step, nesterov.step])
def test_the_forms_differ_under_a_schedule(step):
    """By how much: the memory of step 1 keeps rate 0.1 inside, and takes the new rate outside."""
    w, g, rates = np.zeros(1), np.array([[1.0], [0.0]]), (0.1, 0.01)
    mu = 0.9
    inside = run(step, w, g, rates, momentum=mu)
    outside = run(step, w, g, rates, momentum=mu, rate="outside")
    ahead = mu if step is nesterov.step else 1
    np.testing.assert_allclose(outside[1] - inside[1], ahead * mu * (0.1 - 0.01), rtol=1e-12)
    rates = np.linspace(0.1, 0.001, 10)
    ones = np.ones((10, 1))
    gap = run(step, w, ones, rates) - run(step, w, ones, rates, rate="outside")
    assert np.abs(gap[-1]) > 0.3


@given(arrays(float, 3, elements=st.floats(0.1, 1e6)), FRACTIONS, RATES)
def test_the_first_rmsprop_step_is_a_sign(g, rho, lr):
    for where in ("inside", "outside"):
        w, _ = rmsprop.step(np.zeros(3), g, lr=lr, rho=rho, epsilon=0.0, epsilon_at=where)
        np.testing.assert_allclose(w, -lr * np.sign(g) / np.sqrt(1 - rho), rtol=1e-12)


def test_the_place_of_epsilon_matters_for_small_gradients():
    """Far below sqrt(epsilon) the inside form is SGD with lr / sqrt(epsilon)."""
    g = np.array([1e-7])
    inside = rmsprop.step(np.zeros(1), g, lr=1.0, epsilon_at="inside")[0]
    outside = rmsprop.step(np.zeros(1), g, lr=1.0, epsilon_at="outside")[0]
    np.testing.assert_allclose(inside, -g / np.sqrt(1e-7 + 1e-15), rtol=1e-12)
    np.testing.assert_allclose(outside, -g / (np.sqrt(0.1) * 1e-7 + 1e-7), rtol=1e-12)
    assert outside / inside > 2000


@given(GRADIENTS, st.floats(1e-3, 1e3))
def test_rmsprop_without_epsilon_ignores_the_scale(g, scale):
    g = np.where(g == 0, 1.0, g)
    one = run(rmsprop.step, np.zeros(3), g, epsilon=0.0)
    np.testing.assert_allclose(
        run(rmsprop.step, np.zeros(3), scale * g, epsilon=0.0), one, rtol=1e-9, atol=1e-15
    )


@given(GRADIENTS, RATES)
def test_the_two_epsilons_of_adam_are_one_formula(g, lr):
    """Corrected with epsilon e is uncorrected with e sqrt(1 - b2^t), step by step."""
    state = other = None
    w = v = np.zeros(3)
    for t, gradient in enumerate(g, 1):
        scaled = 1e-8 * np.sqrt(1 - 0.999**t)
        w, state = adam.step(w, gradient, state, lr=lr)
        v, other = adam.step(v, gradient, other, lr=lr, epsilon=scaled, epsilon_at="uncorrected")
        np.testing.assert_allclose(w, v, rtol=1e-9, atol=1e-12)


@given(arrays(float, 3, elements=st.floats(0.01, 100)), RATES)
def test_the_first_adam_step_is_a_sign(g, lr):
    w, _ = adam.step(np.zeros(3), g, lr=lr, epsilon=0.0)
    np.testing.assert_allclose(w, -lr * np.sign(g), rtol=1e-9)


@given(WEIGHTS, GRADIENTS, RATES, st.floats(0, 0.5))
def test_both_decays_are_one_under_sgd(w, g, lr, decay):
    both = [run(d(sgd.step, decay), w, g, lr=lr) for d in DECAYS]
    np.testing.assert_allclose(*both, atol=1e-9, rtol=1e-12)


DECAYS = weight_decay.coupled, weight_decay.decoupled


def test_the_decays_differ_under_adam():
    """Coupled, a penalty on an idle weight becomes a full step of lr; decoupled, lr decay w."""
    w, g = np.ones(1), np.zeros((1, 1))
    coupled, decoupled = (run(d(adam.step, 0.1), w, g, lr=0.01)[0] for d in DECAYS)
    np.testing.assert_allclose(1 - coupled, 0.01, rtol=1e-6)
    np.testing.assert_allclose(1 - decoupled, 0.01 * 0.1, rtol=1e-12)


@pytest.mark.parametrize("name", STEPS)
def test_nothing_is_changed_in_place_and_the_dtype_stays(name):
    for dtype in (np.float32, np.float64):
        w, g = np.ones(3, dtype), np.full(3, 0.5, dtype)
        after, state = STEPS[name](w, g)
        kept = (w.copy(), g.copy(), after.copy())
        later, _ = STEPS[name](after, g, state)
        assert after.dtype == later.dtype == dtype
        np.testing.assert_array_equal(np.array([w, g, after]), kept)


@pytest.mark.parametrize("name", STEPS)
def test_a_step_acts_entry_by_entry(name):
    rng = np.random.default_rng(0)
    w, g = rng.standard_normal((2, 3)), rng.standard_normal((4, 2, 3))
    whole = run(STEPS[name], w, g)
    for i in np.ndindex(2, 3):
        np.testing.assert_array_equal(whole[(slice(None), *i)], run(STEPS[name], w[i], g[:, *i]))


@pytest.mark.parametrize("name", STEPS)
def test_leafwise_is_each_array_alone(name):
    rng = np.random.default_rng(0)
    w = {"a": rng.standard_normal(2), "b": rng.standard_normal((2, 2))}
    state, at = None, w
    for _ in range(3):
        at, state = leafwise(STEPS[name])(at, w, state)
    for leaf in w:
        np.testing.assert_array_equal(at[leaf], run(STEPS[name], w[leaf], [w[leaf]] * 3)[-1])


BAD = [
    (lambda: sgd.step(np.ones(3), np.ones((3, 1)), lr=0.1), r"\(3, 1\).*\(3,\)"),
    (lambda: sgd.step(np.ones(3), np.ones(3), lr=-0.1), "lr is -0.1"),
    (lambda: sgd.step(np.ones(3), np.ones(3), lr=np.inf), "lr is inf"),
    (lambda: momentum.step(np.ones(3), np.ones(3), lr=0.1, momentum=1.0), "momentum is 1.0"),
    (lambda: momentum.step(np.ones(3), np.ones(3), lr=0.1, rate="within"), "'within'"),
    (lambda: nesterov.step(np.ones(3), np.ones(3), lr=0.1, rate="within"), "'within'"),
    (lambda: rmsprop.step(np.ones(3), np.ones(3), rho=-0.1), "rho is -0.1"),
    (lambda: rmsprop.step(np.ones(3), np.ones(3), epsilon=-1.0), "epsilon is -1.0"),
    (lambda: rmsprop.step(np.ones(3), np.ones(3), epsilon_at="under"), "'under'"),
    (lambda: adam.step(np.ones(3), np.ones(3), beta1=1.0), "beta1 is 1.0"),
    (lambda: adam.step(np.ones(3), np.ones(3), epsilon_at="both"), "'both'"),
    (lambda: weight_decay.coupled(sgd.step, -1.0), "decay is -1.0"),
    (lambda: weight_decay.decoupled(sgd.step, np.nan), "decay is nan"),
    (lambda: leafwise(sgd.step)({"a": 1.0}, {"b": 1.0}, lr=1), "'a'.*'b'"),
]


@pytest.mark.parametrize(("call", "said"), BAD)
def test_bad_arguments(call, said):
    with pytest.raises(ValueError, match=said):
        call()


def test_integer_weights_are_refused():
    """What (003) would have met: float gradients cannot be taken off integer weights in place."""
    with pytest.raises(TypeError, match="int64"):
        sgd.step(np.ones(3, dtype=np.int64), np.ones(3), lr=0.1)
