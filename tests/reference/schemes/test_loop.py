"""Steps, stop rules and the loop that all schemes share."""

from importlib import import_module
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from reference import schemes
from reference.schemes import descent, stop
from reference.schemes.step import Step, last
from reference.schemes.stop import Rule


def quadratic(weights, _):
    w = weights["w"]
    return np.sum(w * w), {"w": 2 * w}


def steps(rule, lr=0.25, batches=range(100), start=1.0):
    return list(descent.descend(quadratic, {"w": np.array([start])}, batches, rule, lr=lr))


def at(number, loss, before=1.0, after=0.5):
    w = {"w": np.array([after])}
    return Step(number, {"w": np.array([before])}, {"w": np.ones(1)}, loss, w)


def test_the_lists_are_the_folder():
    folder = Path(schemes.__file__).parent
    files = sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__")
    assert files == sorted(schemes.SCHEMES + schemes.TOOLS)


@pytest.mark.parametrize("name", sorted(set(schemes.SCHEMES) - {"components", "puzzlelib"}))
def test_every_scheme_shows_the_function_it_descends(name):
    """The component network has it as a method; PuzzleLib's net is the tutorial's."""
    assert callable(import_module(f"reference.schemes.{name}").loss_and_gradient)


def test_each_step_begins_where_the_last_ended():
    run = steps(Rule(limit=5))
    assert [s.number for s in run] == [1, 2, 3, 4, 5]
    assert [s.stopped for s in run] == [None] * 4 + ["limit"]
    for one, following in pairwise(run):
        assert one.weights is following.before
    np.testing.assert_array_equal([s.weights["w"][0] for s in run], 0.5 ** np.arange(1, 6))


def test_a_finite_list_of_batches_ends_the_run():
    assert steps(Rule(), batches=[None] * 3)[-1].stopped == "limit"
    with pytest.raises(ValueError, match="batches is empty"):
        steps(Rule(), batches=[])
    with pytest.raises(ValueError, match="no step"):
        last([])


def test_batches_are_drawn_one_at_a_time():
    """Whoever goes on drawing from the same stream finds it where the run left it."""
    drawn = iter(range(100))
    run = list(descent.descend(quadratic, {"w": np.ones(1)}, drawn, Rule(limit=3), lr=0.1))
    assert [s.batch for s in run] == [0, 1, 2]
    assert next(drawn) == 3


@pytest.mark.parametrize(
    ("measure", "first", "second"),
    [
        (stop.loss_change, None, 1.5),
        (stop.loss_itself, None, 0.5),
        (stop.loss_against_itself, 0.0, 0.0),
        (stop.weight_change, 0.5, 0.5),
    ],
)
def test_what_each_rule_measures(measure, first, second):
    one, two = at(1, 2.0), at(2, 0.5)
    assert measure(None, one) == first
    assert measure(one, two) == second


def test_margins_are_inclusive():
    one, two = at(1, 2.0), at(2, 0.5)
    assert Rule(stop.loss_change, 1.5).reason(one, two) == "margin"
    assert Rule(stop.loss_change, 1.4999).reason(one, two) is None


def test_divergence_is_recorded_only_by_a_watchful_rule():
    """A rate of 3 multiplies the weight by -5: it overflows after some 440 steps."""
    watched = steps(Rule(stop.loss_change, 0.0, watchful=True), 3.0, range(2000))
    assert watched[-1].stopped == "diverged"
    assert len(watched) < 500
    assert all(s.finite() for s in watched[:-1])
    blind = steps(Rule(stop.loss_change, 0.0, limit=2000), 3.0, iter(range(9999)))
    assert blind[-1].stopped == "limit"
    assert np.isnan(blind[-1].loss)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: Rule(margin=-1.0), "margin is -1.0"),
        (lambda: Rule(limit=0), "limit is 0"),
        (lambda: stop.pick("wished", {}), "'wished'"),
        (lambda: steps(Rule(), lr=-0.1), "lr is -0.1"),
        (lambda: next(descent.draw(np.random.RandomState(0), 3, 4)), "batch is 4 .* 3 rows"),
        (lambda: next(descent.draw(np.random.RandomState(0), 3, 0)), "batch is 0"),
        (lambda: descent.rows("X", np.empty((0, 3))), r"X has shape \(0, 3\)"),
        (lambda: descent.rows("X", 3.0), r"X has shape \(\)"),
    ],
)
def test_bad_arguments(call, said):
    with pytest.raises(ValueError, match=said):
        call()
