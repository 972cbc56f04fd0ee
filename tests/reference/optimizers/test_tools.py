"""Clipping, schedules and early stopping by their laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from reference.optimizers import clipping, schedules
from reference.optimizers.early_stopping import EarlyStopping

VALUES = arrays(float, 4, elements=st.floats(-1e3, 1e3))


@given(VALUES, st.floats(0, 10))
def test_clipping_by_value(g, limit):
    clipped = clipping.by_value(g, limit)
    assert np.all(np.abs(clipped) <= limit)
    inside = np.abs(g) <= limit
    np.testing.assert_array_equal(clipped[inside], g[inside])


@given(VALUES, VALUES, st.floats(1e-3, 1e3))
def test_clipping_by_norm_keeps_the_direction(a, b, limit):
    clipped = clipping.by_norm({"a": a, "b": b}, limit)
    before, after = np.append(a, b), np.append(clipped["a"], clipped["b"])
    norm = np.linalg.norm(before)
    assert np.linalg.norm(after) <= limit * (1 + 1e-12)
    expected = before if norm <= limit else before * (limit / norm)
    np.testing.assert_allclose(after, expected, rtol=1e-9, atol=1e-300)


def test_clipping_is_not_linear_in_the_gradient():
    """A rate folded into the gradient, as (003) does, is clipped with it."""
    g, alpha = {"w": np.array([3.0, 4.0])}, 0.1
    after = clipping.by_norm({"w": alpha * g["w"]}, 1.0)["w"]
    before = alpha * clipping.by_norm(g, 1.0)["w"]
    np.testing.assert_allclose(after / before, 5.0)


def test_a_norm_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="nan"):
        clipping.by_norm({"w": np.array([np.nan])}, 1.0)
    with pytest.raises(ValueError, match=r"limit is -1\.0"):
        clipping.by_value(np.ones(1), -1.0)
    np.testing.assert_array_equal(clipping.by_norm({"w": np.zeros(2)}, 1.0)["w"], np.zeros(2))


@given(st.floats(0, 1), st.floats(0, 1), st.integers(1, 20))
def test_adjust_variable_is_one_epoch_late(start, stop, epochs):
    line = schedules.linear(start, stop, epochs)
    late = schedules.adjust_variable(start, stop, epochs)
    assert len(late) == len(line) == epochs
    np.testing.assert_array_equal(late[1:], line[:-1])
    assert late[0] == start
    if epochs > 1:
        assert late[1] == start
        assert line[-1] == stop


def test_schedules_refuse_bad_arguments():
    with pytest.raises(ValueError, match="epochs is 0"):
        schedules.linear(0.1, 0.01, 0)
    with pytest.raises(ValueError, match="stop is -1"):
        schedules.adjust_variable(0.1, -1, 3)


@given(st.lists(st.floats(0, 10), min_size=1, max_size=30), st.integers(0, 5))
def test_early_stopping_keeps_the_best(losses, patience):
    early = EarlyStopping(patience)
    stopped = None
    for epoch, loss in enumerate(losses, 1):
        if early.observe(epoch, loss, {"w": np.array([loss])}):
            stopped = epoch
            break
    seen = losses[:stopped]
    assert early.best_loss == min(seen)
    assert early.best_epoch == seen.index(min(seen)) + 1
    assert early.best_weights["w"] == min(seen)
    assert (stopped is None) or stopped == early.best_epoch + patience + 1


def test_early_stopping_keeps_a_copy_and_ignores_nan():
    early = EarlyStopping(1)
    w = {"w": np.ones(1)}
    early.observe(1, 2.0, w)
    w["w"] += 1
    assert early.best_weights["w"] == 1
    assert not early.observe(2, float("nan"), w)
    assert early.observe(3, float("nan"), w)
    with pytest.raises(ValueError, match="patience is -1"):
        EarlyStopping(-1)
