"""Document (004): contiguous batches, and the library's epochs with momentum."""

import numpy as np
import pytest

from reference.optimizers import momentum
from reference.schemes import data, mlp, puzzlelib, tutorial


def test_rows_that_are_never_drawn():
    """1000 is written for 1,024 rows and the upper end is exclusive: 25 rows are never seen."""
    random = np.random.RandomState(0)
    windows = tutorial.contiguous(random, 1024, 100)
    seen = np.zeros(1024, bool)
    for _ in range(20000):
        seen[slice(*next(windows))] = True
    assert np.flatnonzero(~seen).tolist() == list(range(999, 1024))
    all_rows = tutorial.contiguous(random, 1024, 100, rows_drawn=None)
    for _ in range(20000):
        seen[slice(*next(all_rows))] = True
    assert seen.all()


def test_each_step_is_its_gradient():
    run = list(tutorial.train(4, steps=5, batch=7, seed=1))
    for step in run:
        for name, gradient in step.gradient.items():
            np.testing.assert_array_equal(step.weights[name], step.before[name] - 0.01 * gradient)
    assert run[-1].stopped == "limit"


def test_both_layers_move_from_one_point():
    """All gradients are taken before any update: the first layer's uses the old W2."""
    step = next(tutorial.train(4, steps=1, batch=7, seed=1))
    random = np.random.RandomState(1)
    tutorial.start(random, 4)
    X = data.sine()[0][random.permutation(1024)][slice(*step.batch)]
    y = (2 * np.sin(X.astype(float)) + 5).astype(np.float32)
    _, gradient = tutorial.loss_and_gradient(step.before, X, y)
    np.testing.assert_array_equal(gradient["W1"], step.gradient["W1"])
    mixed = step.before | {"W2": step.weights["W2"]}
    assert not np.allclose(tutorial.loss_and_gradient(mixed, X, y)[1]["W1"], gradient["W1"])


def test_a_constant_is_what_a_net_without_hidden_units_would_give():
    _, Y = data.sine()
    assert 0.5 * Y.var() == pytest.approx(1.0456, abs=5e-5)


def test_an_epoch_takes_every_row_once():
    run = list(puzzlelib.train(3, epochs=2))
    for epoch in (1, 2):
        rows = [s.batch[1] for s in run if s.batch[0] == epoch]
        np.testing.assert_array_equal(np.sort(np.concatenate(rows)), np.arange(1024))
        assert sorted(map(len, rows))[:2] == [4, 10]
    assert len(run) == 2 * (100 + 3)
    assert run[-1].stopped == "limit"


def test_macro_batches_come_in_random_order():
    """The mini-batches of the 24 last rows come together, before or after the other 100."""
    places = []
    for seed in range(8):
        run = list(puzzlelib.train(1, seed=seed))
        late = [k for k, s in enumerate(run) if s.batch[1].min() >= 1000]
        assert late in ([0, 1, 2], [100, 101, 102])
        places.append(late[0])
    assert set(places) == {0, 100}


def test_adding_the_negative_gradient_is_the_same_step():
    """PuzzleLib: m = 0.9 m + lr (t - p) / n pulled back, w += m."""
    run = list(puzzlelib.train(4, epochs=1))
    m = np.zeros_like(run[0].before["W1"])
    for step in run[:20]:
        m = 0.9 * m + 0.01 * -step.gradient["W1"]
        np.testing.assert_allclose(step.weights["W1"], step.before["W1"] + m, rtol=1e-12)
    w, _ = momentum.step(np.ones(2), np.ones(2), lr=0.01)
    np.testing.assert_array_equal(w, 1 - 0.01 * np.ones(2))


def test_mean_errors_are_weighted_by_rows():
    run = list(puzzlelib.train(3, epochs=1))
    sizes = np.array([len(s.batch[1]) for s in run])
    losses = np.array([s.loss for s in run])
    assert puzzlelib.epoch_errors(run) == [pytest.approx(losses @ sizes / 1024)]


def test_weights_of_the_perceptron_are_named():
    with pytest.raises(ValueError, match="W1, b1, W2, b2"):
        mlp.forward({"W": np.ones((1, 1)), "b": np.ones(1)}, np.ones((1, 1)))


def test_divergence_is_recorded():
    assert list(tutorial.train(5, batch=10, lr=1e100))[-1].stopped == "diverged"


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: list(tutorial.train(5, batch=1000)), "batch is 1000"),
        (lambda: list(tutorial.train(5, batch=0)), "batch is 0"),
        (lambda: list(tutorial.train(5, batch=1025, rows_drawn=None)), "batch is 1025"),
        (lambda: list(tutorial.train(0)), "size is 0"),
        (lambda: list(tutorial.train(5, lr=-0.1)), "lr is -0.1"),
        (lambda: puzzlelib.train(5, epochs=0), "epochs is 0"),
        (lambda: puzzlelib.train(5, batch=0), "batch is 0"),
        (
            lambda: tutorial.loss_and_gradient(
                tutorial.start(np.random.RandomState(0), 2), np.ones((3, 1)), np.ones(3)
            ),
            "y has shape",
        ),
    ],
)
def test_bad_arguments(call, said):
    with pytest.raises(ValueError, match=said):
        call()
