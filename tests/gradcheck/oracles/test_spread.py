"""Spread: errors are told from honest ones by what replicas show, one by one and added up."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.oracles.spread import Outcome, pooled

UNIT = 1e-3


def outcomes(points, scale=0.0, shared=0.0, seed=0, size=40, count=12):
    """Gradients off by UNIT and `scale`, with replicas; `shared`: a factor common to all points."""
    rng = np.random.default_rng(seed)
    common = shared * rng.standard_normal(count + 1)
    made = []
    for _ in range(points):
        wide = rng.standard_normal(size)
        noise = wide * UNIT * rng.standard_normal((count + 1, size)) + np.outer(common, wide)
        made.append(Outcome(wide * (1 + scale) + noise[0], wide, noise[1:]))
    return made


def score(made, way=0):
    return pooled([outcome.alongs[way] for outcome in made]).score


@pytest.mark.parametrize("way", [0, 1])
def test_honest_errors_do_not_add_up(way):
    scores = [score(outcomes(8, seed=seed), way) for seed in range(60)]
    assert max(scores) < 4
    assert np.sqrt(np.mean(np.square(scores))) == pytest.approx(1.0, rel=0.35)


@pytest.mark.parametrize("way", [0, 1])
def test_a_factor_too_small_for_one_gradient_shows_in_many(way):
    alone = [score(outcomes(1, 6e-4, seed=s), way) for s in range(20)]
    added = [score(outcomes(16, 6e-4, seed=s), way) for s in range(20)]
    assert np.median(alone) < 4
    assert np.median(added) > 8


def test_what_one_rounding_does_to_all_points_does_not_average_out():
    scores = [score(outcomes(16, shared=5 * UNIT, seed=seed)) for seed in range(60)]
    assert max(scores) < 4
    assert np.sqrt(np.mean(np.square(scores))) == pytest.approx(1.0, rel=0.35)


def test_the_factor_itself_is_told():
    found = pooled([o.alongs[0] for o in outcomes(16, scale=-0.02)])
    assert found.error == pytest.approx(-0.02, rel=0.05)
    assert found.spread < 3e-4


def test_gradients_that_are_zero_tell_nothing():
    zero = Outcome(np.zeros(3), np.zeros(3), np.zeros((4, 3)))
    assert pooled([zero.alongs[0]]).score == 0.0
    assert pooled([]).score == 0.0


def test_one_entry_stands_out():
    (made,) = outcomes(1)
    made.narrow[7] += 20 * UNIT * abs(made.wide[7])
    assert made.score > 1
    assert made.index == (7,)
