"""What the library computes for document (000): the Lift hypernetwork and its baselines."""

from functools import cache

import numpy as np

from reference.optimizers import rmsprop
from reference.schemes import baseline, data, lift
from tests.golden import entries

SEEDS = range(10)
MORE_SEEDS = range(40)  # of ten the median is too loose for ten epochs: 6.7 where 4.6 is usual


@cache
def tables():
    return data.lift()


def table(name):
    return tables()[name]


def variance(name):
    return table(name)[1].var()


def ints(array):
    return np.asarray(array).astype(int).tolist()


@cache
def replay(where):
    """Weights after 1, 10, ... steps from RandomState(0), in float64."""
    kept = {}
    for step in lift.train(*table("train"), lift.start([0]), epsilon_at=where):
        if step.number in (1, 10, 100, 1000, 10000):
            kept[step.number] = step.weights
    return kept


def sums(weights):
    squares = sum((w**2).sum() for w in weights.values())
    return np.array([*(weights[name].sum() for name in "AaBc"), squares])


def errors(predicted, where):
    X, y = table(where)
    return ((predicted(X) - y) ** 2).mean(-1)


@cache
def lifted(where="outside", epochs=1, **options):
    """Weights of the Lift networks; epochs repeat the data in order."""
    X, y = (np.concatenate([a] * epochs) for a in table("train"))
    seeds = SEEDS if epochs == 1 else MORE_SEEDS
    return lift.fit(X, y, lift.start(seeds), epsilon_at=where, **options)


@cache
def compared(sizes, epochs):
    """Learner of ten baseline networks after `epochs`; fewer epochs are a prefix of more."""
    if not epochs:
        return baseline.Learner(baseline.start(sizes, SEEDS), dtype=float)
    learner = compared(sizes, epochs - 1)
    fresh = baseline.Learner(learner.net.view, dtype=float)
    fresh.step.mean_square[...] = learner.step.mean_square
    order = orders()[epochs - 1]
    return baseline.fit(*table("train"), None, order, learner=fresh)


@cache
def orders():
    return baseline.orders(SEEDS, 10000, 10)


def lift_errors(key, where):
    """The seeds' errors for a key such as lift_1 or lift_10_oor."""
    weights = lifted(where, int(key.split("_")[1]))
    return errors(lambda X: lift.predict(weights, X), "far" if key.endswith("oor") else "test")


def baseline_errors(key):
    """The ten seeds' errors for a key such as t1_1 or t2_10_oor."""
    name, epochs, *far = key.split("_")
    weights = compared({"t1": baseline.TEST1, "t2": baseline.TEST2}[name], int(epochs)).net.view
    return errors(lambda X: baseline.predict(weights, X), "far" if far else "test")


def headline(key, where="outside"):
    """The ten seeds' errors of any headline."""
    return lift_errors(key, where) if key.startswith("lift") else baseline_errors(key)


def control(key):
    """The ten seeds' errors of a control."""
    if key.startswith("mlp"):
        epochs = int(key.split("_ep")[1].split("_")[0])
        weights = compared((3, 16, 15, 1), epochs).net.view
        return errors(lambda X: baseline.predict(weights, X), "test")
    options = {"inner": "sgd"} if "inner_sgd" in key else {"rule": "end_to_end"}
    weights = lifted("outside", 1, **options)
    return errors(lambda X: lift.predict(weights, X), "test")


def stochastic(key):
    """The ten seeds' errors of any stochastic entry."""
    kind, *rest = key.split(".")[1:]
    return headline(rest[1], rest[0]) if kind == "headline" else control(rest[0])


def parameters(shapes):
    return sum(int(np.prod(shape)) for shape in shapes.values())


def weight_layout():
    """(P, then first, last and shape of W1, b1, W2, b2 in the Task's flat weights)."""
    spans, end = [26], 0
    for name, shape in baseline.layout(baseline.TEST1).items():
        first, end = end, end + int(np.prod(shape))
        spans.append([first, end, list(shape)] if name.startswith("W") else [first, end])
    return spans


def first_step():
    """The size of RMSprop's first step for any gradient far above epsilon."""
    return abs(rmsprop.step(np.zeros(1), np.ones(1), epsilon=0.0)[0][0])


def first_outer():
    """The largest |dL/dw| of Lift's first step from a sample that is not zero, and its v."""
    X, y = table("train")
    step = next(lift.train(X[:1], y[:1], lift.start([0])))
    largest = np.abs(step.gradient["c"]).max()
    return largest, (1 - 0.9) * largest**2


def _replays(where):
    key = f"000.replay.{where}"
    found = {f"{key}.{n}": lambda n=n: sums(replay(where)[n]) for n in (1, 10, 100, 1000, 10000)}
    found[f"{key}.test_mse"] = lambda: errors(_predict(where), "test")[0]
    found[f"{key}.predictions"] = lambda: _predict(where)(table("test")[0][:3])[0]
    return found


def _predict(where):
    return lambda X: lift.predict(replay(where)[10000], X)


_STOCHASTIC = [
    key
    for key, entry in entries().items()
    if key.startswith("000.") and entry["status"] == "stochastic"
]

COMPUTED = {
    "000.data.X_first3": lambda: ints(table("train")[0][:3]),
    "000.data.X_last": lambda: ints(table("train")[0][-1]),
    "000.data.X_sum": lambda: int(table("train")[0].sum()),
    "000.data.y_first5": lambda: ints(table("train")[1][:5]),
    "000.data.y_sum": lambda: int(table("train")[1].sum()),
    "000.data.Xt_first": lambda: ints(table("test")[0][0]),
    "000.data.Xt_sum": lambda: int(table("test")[0].sum()),
    "000.data.yt_sum": lambda: int(table("test")[1].sum()),
    "000.data.yt_var": lambda: variance("test"),
    "000.data.X2_first": lambda: ints(table("far")[0][0]),
    "000.data.X2_sum": lambda: int(table("far")[0].sum()),
    "000.data.y2_sum": lambda: int(table("far")[1].sum()),
    "000.data.y2_var": lambda: variance("far"),
    "000.data.y2_mean_sq": lambda: np.mean(table("far")[1] ** 2),
    "000.data.all_zero_rows_in_X": lambda: int((table("train")[0] == 0).all(1).sum()),
    "000.weight_layout": weight_layout,
    "000.param_counts": lambda: {
        "task=test1": parameters(baseline.layout(baseline.TEST1)),
        "lift": parameters(lift.LAYOUT),
        "test2": parameters(baseline.layout(baseline.TEST2)),
    },
    "000.mlp_3_16_15_1_params": lambda: parameters(baseline.layout((3, 16, 15, 1))),
    "000.first_step": first_step,
    "000.first_outer_gradient": lambda: first_outer()[0],
    "000.first_outer_mean_square": lambda: first_outer()[1],
    **_replays("outside"),
    **_replays("inside"),
    **{key: lambda key=key: np.median(stochastic(key)) for key in _STOCHASTIC},
}
