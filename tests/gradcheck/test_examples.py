"""Points that a run comes to: across a domain, inputs alike, and one of them zero alone."""

import numpy as np
import pytest
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants
from scipy import special

from gradcheck import Subject, array, check
from gradcheck.examples import arrays_of, canonical, drawn
from gradcheck.inputs import Array
from gradcheck.values import Fill, fill

PAIR = {"x": "n", "y": "n"}


@pytest.mark.parametrize(("low", "high"), [(-3.0, 50.0), (1e-6, 1e6), (0.0, 1e3)])
@pytest.mark.parametrize("open", [False, True])
def test_a_domain_is_filled_from_end_to_end(low, high, open):
    item = array("n", low=low, high=high, open=open)
    assert isinstance(item, Array)
    x = fill(item, Fill("across", seed=1), {"n": 400}, ())
    assert np.all((x > low) & (x < high))
    evenly = np.log(x / low) / np.log(high / low) if low > 0 else (x - low) / (high - low)
    assert np.histogram(evenly, 8, (0, 1))[0].min() > 20


def test_what_is_wrong_far_from_zero_is_seen():
    def subject(factor):
        def slope(x):
            right = 2 * x * special.erfcx(x) - 2 / np.sqrt(np.pi)
            return right * np.where(x * 3 > 60, factor, 1.0)

        inputs = {"x": array("a b", low=-3, high=50)}
        return Subject("f", special.erfcx, lambda u, x: {"x": u * slope(x)}, inputs)

    assert check(subject(1.01), seed=1, checks=["gradient"]).verdict == "wrong"
    assert check(subject(1.0), seed=1, checks=["gradient"]).verdict == "correct"


def test_one_input_is_zero_alone_and_two_are_alike():
    subject = Subject("f", np.add, lambda u, x, y: {"x": u, "y": u}, PAIR)
    points = [arrays_of(subject, example) for example in canonical(subject, 0)]
    zero = [(not p["x"].any(), not p["y"].any()) for p in points if p["x"].size]
    assert (True, False) in zero
    assert (False, True) in zero
    assert any(p["x"].any() and np.array_equal(p["x"], p["y"]) for p in points)


@pytest.mark.parametrize(
    "where", [lambda x, y: np.all(x == 0) & (y != 0), lambda x, y: (x == y) & (x != 0)]
)
def test_wrong_at_such_points_alone(where):
    def vjp(u, x, y, factor):
        g = {"x": u * y * np.cos(x * y), "y": u * x * np.cos(x * y)}
        return {n: np.where(where(x, y), factor * a, a) for n, a in g.items()}

    for factor in (1.0, 0.5):
        subject = Subject(
            "f",
            lambda x, y: np.sin(x * y),
            lambda u, x, y, factor=factor: vjp(u, x, y, factor),
            PAIR,
        )
        assert check(subject, seed=0).passed == (factor == 1.0)


def test_a_seed_means_the_same_examples_whatever_is_loaded(monkeypatch):
    """Hypothesis draws numbers from the source of the modules that happen to be loaded."""

    def examples():
        subject = Subject("f", lambda x: x, lambda u, x: {"x": u}, {"x": "n m"})
        providers.CONSTANTS_CACHE.cache.clear()
        return drawn(subject, 200, seed=3)

    before = examples()
    loaded = Constants(integers=set(range(2, 19)))
    monkeypatch.setattr(providers, "_get_local_constants", lambda: loaded)
    assert examples() == before
    assert providers._get_local_constants() is loaded
