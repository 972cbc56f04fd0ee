"""Each oracle against closed forms, and shown to refuse where it does not apply."""

import math

import numpy as np
import pytest

from gradcheck.backends import backend
from gradcheck.judgement import numerical_gradient
from gradcheck.judgement.jacobian import derivative
from gradcheck.judgement.problem import Domain
from gradcheck.oracles import ORACLES, directions, noise, plateaus, stencils
from gradcheck.oracles import finite_difference as fd
from gradcheck.oracles.complex_step import complex_step
from tests.gradcheck.judgement.cases import normal, problem

NUMPY = backend("numpy")


def line(forward, x, v=None, u=None):
    made = problem(lambda **given: forward(given["x"]), lambda u, x: {}, {"x": x})
    base = (np.asarray(forward(np.array(x))),)
    v = np.ones_like(made.point["x"]) if v is None else v
    return fd.Line(made, base, (np.ones_like(base[0]) if u is None else u,), {"x": v})


def test_every_listed_oracle_loads():
    import importlib

    assert {"finite_difference", "complex_step"} <= set(ORACLES)
    for module in ORACLES.values():
        importlib.import_module(module)


@pytest.mark.parametrize("stencil", [stencils.central(), stencils.forward()])
def test_weights_are_exact_for_polynomials(stencil):
    nodes = np.array(stencil.nodes, dtype=float)
    for degree in range(9):
        exact = 1.0 if degree == 1 else 0.0
        assert stencil.high @ nodes**degree == pytest.approx(exact, abs=1e-8)
        if degree <= 6:
            assert stencil.low @ nodes**degree == pytest.approx(exact, abs=1e-8)


def test_central_weights_are_the_textbook_ones():
    assert stencils.partial_central(1) == pytest.approx([1 / 2])
    assert stencils.partial_central(2) == pytest.approx([2 / 3, -1 / 12])
    assert stencils.partial_central(4) == pytest.approx([4 / 5, -1 / 5, 4 / 105, -1 / 280])


def test_differences_measure_noise_and_nothing_smooth():
    rows = stencils.difference_weights()
    nodes = np.arange(9.0)
    assert np.abs(rows @ np.stack([nodes**d for d in range(7)], axis=1)).max() < 1e-6
    samples = rows @ np.random.default_rng(0).standard_normal((9, 20_000))
    assert samples.std(axis=1) == pytest.approx([1, 1], rel=0.03)


@pytest.mark.parametrize(
    ("forward", "slope"),
    [
        (np.sin, np.cos),
        (np.exp, np.exp),
        (np.log, lambda x: 1 / x),
        (lambda x: x**3, lambda x: 3 * x * x),
    ],
)
def test_the_estimated_error_covers_the_true_one(forward, slope):
    for seed in range(50):
        x = np.abs(normal(seed=seed)) + 0.1
        found = derivative(line(forward, x))
        assert abs(found.value - slope(x)) <= found.error
        assert found.error <= 1e-7 * abs(slope(x)) + 1e-12


def test_noise_is_seen_at_its_size():
    rng = np.random.default_rng(1)

    def noisy(x):
        return np.sin(x) + 1e-6 * rng.standard_normal(x.shape)

    scan = fd.scan(line(noisy, normal(400)), 2.0**-9)
    assert scan.eta == pytest.approx(1e-6 * math.sqrt(400), rel=0.3)


def test_lepski_takes_no_step_that_smaller_ones_contradict():
    from gradcheck.judgement.problem import Level

    levels = [Level(2.0**-4, 5.0, 1e-6, 0.0), Level(2.0**-9, 1.0, 1e-3, 0.0)]
    settled = [(level, level.truncation) for level in levels]
    assert noise.choose(settled) == 1


def test_plateaus_tell_a_staircase_from_rounding():
    def scans(forward):
        walk = line(forward, 3 * normal(300), normal(300, seed=1))
        return [fd.scan(walk, 2.0**k) for k in (-4, -9, -14, -19, -24, -29)]

    assert plateaus.staircase(scans(np.round), unit=1.0)
    assert not plateaus.staircase(scans(lambda x: x.astype(np.float32).astype(float)), unit=1.0)


@pytest.mark.parametrize("bounds", [Domain(-1, 1), Domain(0, None), Domain(None, 1, open=True)])
def test_directions_stay_in_their_domain(bounds):
    for seed in range(20):
        x = np.random.default_rng(seed).uniform(0, 1, 30)
        x[:3] = (0.5 if bounds.open else 1.0), 1e-9, 1 - 1e-12
        v = directions.random_direction(NUMPY, x, seed)
        covered = np.zeros(30, dtype=bool)
        for group in directions.place(NUMPY, x, v, bounds):
            for placed in group:
                covered |= placed.direction != 0
                ends = (placed.reach, -placed.reach if placed.stencil.nodes[0] < 0 else 0.0)
                for t in ends:
                    y = x + t * placed.direction
                    assert bounds.low is None or y.min() >= bounds.low
                    assert bounds.high is None or y.max() <= bounds.high
                    assert not bounds.open or y.max() < bounds.high
        assert covered.all()


def test_complex_step_is_exact_where_it_applies():
    x = normal(20)
    v = normal(20, seed=1)
    assert complex_step(line(np.sin, x, v)) == pytest.approx(np.cos(x) @ v, rel=1e-14)
    assert complex_step(line(lambda x: np.exp(x) / x, x, v)) == pytest.approx(
        (np.exp(x) * (x - 1) / x**2) @ v, rel=1e-13
    )


@pytest.mark.parametrize("forward", [np.abs, np.cbrt, lambda x: np.real(x) ** 2])
def test_complex_step_declines_what_is_not_analytic(forward):
    assert complex_step(line(forward, normal(20), normal(20, seed=1))) is None


def test_numerical_gradient_entry_by_entry():
    a = normal(3, 4)
    made = problem(lambda a: np.tanh(a) ** 2, lambda u, a: {}, {"a": a})
    u = normal(3, 4, seed=1)
    exact = u * 2 * np.tanh(a) / np.cosh(a) ** 2
    values, errors = numerical_gradient(made, "a", (u,))
    assert values.shape == errors.shape == (3, 4)
    assert np.all(np.abs(values - exact) <= errors)
    assert np.all(errors < 1e-9)
    some, _ = numerical_gradient(made, "a", (u,), [5, 7])
    assert some == pytest.approx(exact.reshape(-1)[[5, 7]])


QUIET = {
    "a dead unit": (lambda x: np.maximum(x, 0), [-3.0], 0.0, 3),
    "a small slope beside 1": (lambda x: 1 + 1e-5 * x, [0.5], 1e-5, 3),
    "smooth": (np.sin, [1.0], math.cos(1.0), 1),
    "a fast wave": (lambda x: np.sin(1e6 * x), [0.0], 1e6, 6),
    "a root at 0": (lambda x: np.sqrt(np.abs(x)) * np.sign(x), [0.0], math.inf, 8),
}


@pytest.mark.parametrize(("forward", "x", "slope", "scans"), QUIET.values(), ids=QUIET)
def test_steps_end_where_only_noise_is_left(forward, x, slope, scans):
    """Finer steps have more of it; what still changes with the step is followed down."""
    walked = line(forward, np.array(x))
    estimate = derivative(walked)
    assert walked.evaluations == 8 * scans
    if math.isfinite(slope):
        assert abs(estimate.value - slope) <= max(estimate.error, 1e-12 * abs(slope))
    else:
        assert estimate.error > 0.1 * abs(estimate.value)


def test_numerical_gradient_of_complex_input_and_at_a_bound():
    z = normal(3) + 1j * normal(3, seed=1)
    made = problem(lambda z: z * z, lambda u, z: {}, {"z": z})
    u = np.ones(3) + 0.5j
    values, _ = numerical_gradient(made, "z", (u,))
    assert values == pytest.approx(u * np.conj(2 * z))
    made = problem(
        lambda x: x**3, lambda u, x: {}, {"x": np.array([0.5, 1.0])}, domains={"x": Domain(0, 1)}
    )
    values, _ = numerical_gradient(made, "x", (np.ones(2),))
    assert values == pytest.approx([0.75, 3.0])
