"""What no scheme may do: hang, broadcast in silence, or run on through NaN without a word."""

from itertools import islice

import numpy as np
import pytest

from reference.schemes import (
    baseline,
    dense_sgd,
    descent,
    lift,
    masked_training,
    nolearn,
    odr,
    puzzlelib,
    relu_demo,
    scalar,
    tutorial,
    two_layer,
)
from reference.schemes.components import Affinity, Network

RNG = np.random.default_rng(0)
X, Y, V = RNG.standard_normal((10, 3)), RNG.standard_normal((10, 1)), RNG.standard_normal(10)
W, W1, W2 = (RNG.standard_normal(shape) for shape in ((3, 1), (3, 4), (4, 1)))
NET = {"W1": W1, "b1": np.zeros(4), "W2": W2, "b2": np.zeros(1)}


def rows(batch, size):
    return descent.draw(np.random.RandomState(0), size, batch)


def regressor(x, y, *, lr=0.1, batch=4):
    settings = nolearn.Settings(batch=batch, epochs=3, drop=(0.1,), lr=(lr, lr))
    return nolearn.train(x, y, NET, settings)


def component(x, y, *, lr=0.1):
    net = Network([Affinity(np.ones((1, 3)), np.zeros(1))], lr)
    return net.learn(zip(x, y, strict=True))


# name: (a run on x and y, with options; x; y)
ON_DATA = {
    "scalar descent": (lambda x, y, lr=0.1: scalar.gradient_descent(x, y, lr=lr), V, V),
    "scalar sgd": (lambda x, y, lr=0.1: scalar.sgd(x, y, list(range(10)), lr=lr), V, V),
    "dense": (
        lambda x, y, lr=0.1, batch=3: dense_sgd.sgd(x, y, W, rows(batch, len(x)), lr=lr),
        X,
        Y,
    ),
    "two layers": (
        lambda x, y, lr=0.1, batch=3: two_layer.train(x, y, W1, W2, rows(batch, len(x)), lr=lr),
        X,
        Y,
    ),
    "relu demo": (lambda x, y, lr=0.002: relu_demo.train(x, y, W1, W2, lr=lr), X, Y),
    "masked": (
        lambda x, y, lr=0.1: masked_training.train(x, y, np.ones((3, 1)), W, np.zeros(1), lr=lr),
        X,
        Y,
    ),
    "nolearn": (regressor, X, Y),
    "odr": (lambda x, y: odr.solve(x, y, 1, 1), X[:, 0], X[:, 1]),
    "lift": (lambda x, y, lr=0.001: lift.train(x, y, lift.start([0]), lr=lr), X, V),
    "baseline": (
        lambda x, y, lr=0.001: baseline.train(
            x, y, baseline.start(baseline.TEST1, [0]), np.arange(len(x))[None], lr=lr
        ),
        X,
        V,
    ),
    "components": (component, X, Y),
}
WITH_RATE = {name: case for name, case in ON_DATA.items() if name != "odr"}
BATCHED = {
    **{
        name: lambda batch, case=ON_DATA[name]: case[0](*case[1:], batch=batch)
        for name in ("dense", "two layers", "nolearn")
    },
    "tutorial": lambda batch: tutorial.train(5, batch=batch),
    "puzzlelib": lambda batch: puzzlelib.train(5, batch=batch),
}


def end(steps):
    """The last step; a run of 5,000 is taken for a hang."""
    with np.errstate(all="ignore"):
        taken = list(islice(steps, 5000))
    assert len(taken) < 5000
    return taken[-1]


@pytest.mark.parametrize("name", ON_DATA)
def test_a_run_says_what_ended_it(name):
    run, x, y = ON_DATA[name]
    assert end(run(x, y)).stopped in {"margin", "limit", "converged"}


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("which", ["x", "y"])
@pytest.mark.parametrize("name", ON_DATA)
def test_numbers_that_are_not_finite(name, which, value):
    """Recorded as divergence as soon as they are met; ODR refuses them beforehand."""
    run, *data = ON_DATA[name]
    x, y = (a.copy() for a in data)
    (x if which == "x" else y)[:] = value
    if name == "odr":
        with pytest.raises(ValueError, match="must be finite"):
            run(x, y)
    else:
        assert end(run(x, y)).stopped == "diverged"


def test_nan_in_held_out_rows_is_no_silence():
    x = X.copy()
    x[0] = np.nan
    assert end(regressor(x, Y)).stopped == "diverged"


@pytest.mark.parametrize("name", WITH_RATE)
def test_a_rate_that_is_too_large(name):
    run, x, y = ON_DATA[name]
    assert end(run(x, y, lr=1e200)).stopped == "diverged"


@pytest.mark.parametrize("name", WITH_RATE)
@pytest.mark.parametrize("rate", [-0.1, np.nan])
def test_rates_that_are_none(name, rate):
    run, x, y = ON_DATA[name]
    with pytest.raises(ValueError, match=r"(lr|alpha|start) is (-0.1|nan)"):
        end(run(x, y, lr=rate))


@pytest.mark.parametrize("name", ON_DATA)
def test_empty_data(name):
    run, x, y = ON_DATA[name]
    with pytest.raises(ValueError, match=r"shape \(0|is empty|points is 0"):
        end(run(x[:0], y[:0]))


@pytest.mark.parametrize(
    "change",
    [lambda y: y[:-1], lambda y: np.concatenate([y, y]), lambda y: y[None]],
    ids=["too few", "too many", "one dimension more"],
)
@pytest.mark.parametrize("name", sorted(set(ON_DATA) - {"components"}))
def test_targets_of_another_shape(name, change):
    """The component network takes facts, each with its own target."""
    run, x, y = ON_DATA[name]
    with pytest.raises(ValueError, match="shape"):
        end(run(x, change(y)))


@pytest.mark.parametrize("name", sorted(set(ON_DATA) - {"nolearn", "components"}))
def test_a_column_is_not_a_vector(name):
    """(n, 1) against (n,) is the broadcast of (001). nolearn reshapes a vector, and says so;
    a component's fact has no rows."""
    run, x, y = ON_DATA[name]
    with pytest.raises(ValueError, match="shape"):
        end(run(x, y[:, 0] if y.ndim == 2 else y[:, None]))


@pytest.mark.parametrize("batch", [0, -1, 5000])
@pytest.mark.parametrize("name", BATCHED)
def test_batches_that_the_data_cannot_fill(name, batch):
    with pytest.raises(ValueError, match=f"batch is {batch}"):
        end(BATCHED[name](batch))


WORDS = "written", "implemented", "intended"
WORDED = {
    "scalar descent": lambda **stop: scalar.gradient_descent(V, V, **stop),
    "scalar sgd": lambda **stop: scalar.sgd(V, V, np.arange(200) % 10, lr=0.1, **stop),
    "min-max": lambda **stop: scalar.sgd(
        V, V, np.arange(200) % 10, lr=0.1, rules=scalar.MINMAX_RULES, **stop
    ),
    "dense": lambda **stop: dense_sgd.sgd(X, Y, W, rows(1, 10), **stop),
    "mini-batch": lambda **stop: dense_sgd.sgd(
        X, Y, W, rows(3, 10), rules=dense_sgd.BATCH_RULES, **stop
    ),
    "two layers": lambda **stop: two_layer.train(X, Y, W1, W2, rows(1, 10), lr=0.01, **stop),
}


@pytest.mark.parametrize("name", WORDED)
def test_each_reading_of_a_stop_rule_can_be_chosen(name):
    """Intended by default; as printed, |L - L| <= margin ends every run of (001) but the first in
    its first step."""
    taken = {word: list(islice(WORDED[name](stop=word), 5000)) for word in WORDS}
    for steps in taken.values():
        assert steps[-1].stopped in {"margin", "limit"}
    assert len(list(islice(WORDED[name](), 5000))) == len(taken["intended"])
    if name != "scalar descent":
        assert len(taken["written"]) == 1
