"""Document (002): when relu'(0) matters, counted on the documented data."""

import numpy as np
import pytest

from reference.schemes import baseline, data, mlp, relu_demo
from reference.schemes.step import last


def random_start(seed):
    r = np.random.RandomState(seed)
    x = np.column_stack([r.randn(4, 2), np.ones(4)])
    return x, r.randn(4, 1), r.randn(3, 30), r.randn(30, 1)


@pytest.mark.parametrize("seed", range(5))
def test_from_random_weights_the_convention_is_never_used(seed):
    """The answer's claim, where it holds: continuous data, random weights, a bias column."""
    x, y, w1, w2 = random_start(seed)
    runs = [list(relu_demo.train(x, y, w1, w2, at_zero=c)) for c in (0, 0.5, 1)]
    assert sum(relu_demo.zeros_at(step.before, x) for run in runs for step in run) == 0
    for run in runs[1:]:
        np.testing.assert_array_equal([s.loss for s in run], [s.loss for s in runs[0]])


@pytest.mark.parametrize(("at_zero", "learns"), [(0, False), (0.5, True), (1, True)])
def test_from_zero_weights_the_convention_decides(at_zero, learns):
    x, y, _, w2 = random_start(0)
    w1 = np.zeros((3, 30))
    assert relu_demo.zeros_at({"w1": w1}, x) == 120
    run = list(relu_demo.train(x, y, w1, w2, at_zero=at_zero))
    assert (run[-1].loss < 0.9 * run[0].loss) == learns
    if not learns:
        assert all(not step.gradient["w1"].any() for step in run)


def test_exact_zeros_are_not_rare_in_the_documented_data():
    """The claim where it fails: 7 of the 10,000 rows of (000) are all zero and biases start at 0,
    so every hidden unit of every network there is exactly at the kink in its first epoch."""
    X, _ = data.lift()["train"]
    zero = np.flatnonzero((X == 0).all(1))
    assert len(zero) == 7
    start = {k: w[0] for k, w in baseline.start(baseline.TEST2, [0]).items()}
    z = mlp.trace(start, X)
    assert np.count_nonzero(z[0] == 0) == 7 * 10
    assert np.count_nonzero(z[1] == 0) >= 7 * 10


def test_an_all_zero_row_moves_only_biases():
    """The kernel's x^T dz is zero under every convention; the bias's gradient depends on it."""
    start = {k: w[0] for k, w in baseline.start(baseline.TEST1, [0]).items()}
    x, y = np.zeros((1, 3)), np.ones((1, 1))
    gradients = []
    for at_zero in (0.0, 1.0):
        error = 2 * (mlp.forward(start, x) - y)
        gradients.append(mlp.vjp(error, start, x, at_zero=at_zero))
    assert not gradients[0]["W1"].any()
    assert not gradients[1]["W1"].any()
    assert not gradients[0]["b1"].any()
    assert gradients[1]["b1"].all()


def test_divergence_and_bad_shapes():
    x, y, w1, w2 = random_start(0)
    assert last(relu_demo.train(x, y, w1, w2, lr=1e200)).stopped == "diverged"
    with pytest.raises(ValueError, match=r"w1 has shape \(3, 30\)"):
        list(relu_demo.train(x[:, :2], y, w1, w2))
    with pytest.raises(ValueError, match="y has shape"):
        list(relu_demo.train(x, y[:, 0], w1, w2))
