"""A name is true of the code, not of the numbers it was found at; each with its correct twin."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import Subject, array, check, integers, mask
from gradcheck.diagnosis import conditions, precision
from gradcheck.diagnosis.words import factor
from gradcheck.judgement.problem import Judgement, WrongEntry
from tests.faults.catalogue.base import bend
from tests.gradcheck.diagnosis.scenes_by_hand import scene

hinge = Subject(
    "hinge",
    forward=lambda s, y: np.maximum(0, 1 - s * y).sum(1),
    vjp=lambda u, s, y: {"s": u[:, None] * np.where(s * y < 1, -y, 0.0)},
    inputs={
        "s": "batch classes",
        "y": array(
            "batch classes",
            differentiable=False,
            values=lambda rng, shape: rng.choice([-1.0, 1.0], shape),
        ),
    },
)
choice = Subject(
    "choice",
    forward=lambda a, b, m: np.where(m, a, b),
    vjp=lambda u, a, b, m: {"a": u * m, "b": u * ~m},
    inputs={"a": "batch n", "b": "batch n", "m": mask("batch n")},
)
huber = Subject(
    "huber",
    forward=lambda p, t: np.where(
        np.abs(p - t) <= 1.5, (p - t) ** 2 / 2, 1.5 * (np.abs(p - t) - 0.75)
    ).sum(),
    vjp=lambda u, p, t: {"p": u * np.clip(p - t, -1.5, 1.5), "t": -u * np.clip(p - t, -1.5, 1.5)},
    inputs={"p": "n", "t": "n"},
)


def margins(a, p, n):
    return np.maximum(0, ((a - p) ** 2).sum(1) - ((a - n) ** 2).sum(1) + 1)


def margins_vjp(u, a, p, n):
    on = 2 * (u * (margins(a, p, n) > 0))[:, None]
    return {"a": on * (n - p), "p": on * (p - a), "n": on * (a - n)}


triplet = Subject(
    "triplet", margins, margins_vjp, {"a": "batch dim", "p": "batch dim", "n": "batch dim"}
)
evaluation = Subject(
    "batch norm in evaluation",
    forward=lambda x, mean, var: (x - mean) / np.sqrt(var),
    vjp=lambda u, x, mean, var: {"x": u / np.sqrt(var)},
    inputs={
        "x": "batch features",
        "mean": array("features", differentiable=False),
        "var": array("features", low=0.5, high=4, differentiable=False),
    },
)


def with_batch_statistics(g, u, i):
    h = (i["x"] - i["mean"]) / np.sqrt(i["var"])
    return (u - u.mean(0) - h * (u * h).mean(0)) / np.sqrt(i["var"]) if len(u) else g


def scan(a, x):
    state, states = 0.0, []
    for t in range(x.shape[1]):
        state = a[:, t] * state + x[:, t]
        states.append(state)
    return np.stack(states, 1)


def scan_vjp(u, a, x):
    states, carry = scan(a, x), np.zeros_like(x[:, 0])
    of_a, of_x = np.zeros_like(a), np.zeros_like(x)
    for t in reversed(range(x.shape[1])):
        carry = carry + u[:, t]
        of_x[:, t], of_a[:, t] = carry, carry * (states[:, t - 1] if t else 0)
        carry = carry * a[:, t]
    return {"a": of_a, "x": of_x}


recurrence = Subject(
    "recurrence",
    scan,
    scan_vjp,
    {"a": array("batch time dim", low=-0.9, high=0.9), "x": "batch time dim"},
    dims={"time": (1, 5)},
)
pairs = Subject(
    "two columns",
    forward=np.sin,
    vjp=lambda u, x: {"x": u * np.cos(x)},
    inputs={"x": "batch side"},
    dims={"side": (1, 2)},
)
ordered = Subject(
    "sort",
    forward=lambda x: np.sort(x, 1),
    vjp=lambda u, x: {"x": np.take_along_axis(u, np.argsort(np.argsort(x, 1), 1), 1)},
    inputs={"x": "batch n"},
    dims={"n": (1, 6)},
)
taken = Subject(
    "mean of rows",
    forward=lambda ids, table: table[ids].mean(1),
    vjp=lambda u, ids, table: {"table": _rows(u, ids, table)},
    inputs={"ids": integers("batch time", 0, "vocab"), "table": "vocab dim"},
    dims={"vocab": (1, 8), "time": (1, 4), "batch": (1, 4)},
)


def _rows(u, ids, table):
    found = np.zeros_like(table)
    np.add.at(found, ids, np.repeat(u[:, None] / ids.shape[1], ids.shape[1], 1))
    return found


def shared_out(g, u, i):
    """Neither the last contribution nor their mean: their sum over the root of their number."""
    count = np.bincount(i["ids"].ravel(), minlength=len(g))
    return g / np.sqrt(np.maximum(count, 1))[:, None]


warm = Subject(
    "tempered",
    forward=lambda x, T: np.tanh(x / T),
    vjp=lambda u, x, T: {
        "x": u * (1 - np.tanh(x / T) ** 2) / T,
        "T": -(u * (1 - np.tanh(x / T) ** 2) * x).sum() / T**2,
    },
    inputs={"x": "n", "T": array("", low=0.5, high=3)},
)


def _count(keep):
    return np.maximum(keep.sum(1), 1)[:, None]


def _mean(x, keep):
    return (x * keep[..., None]).sum(1) / _count(keep)


masked = Subject(
    "masked mean",
    forward=_mean,
    vjp=lambda u, x, keep: {"x": (u / _count(keep))[:, None] * keep[..., None]},
    inputs={"x": "batch time dim", "keep": mask("batch time", of="x", true="keep")},
)


def windows(x):
    n = x.shape[-1]
    return np.stack([x[:, max(0, i - 1) : i + 2].mean(1) for i in range(n)], 1)


def windows_vjp(u, x, whole=False):
    found, n = np.zeros_like(x), x.shape[-1]
    for i in range(n):
        part = slice(max(0, i - 1), min(n, i + 2))
        found[:, part] += u[:, i : i + 1] / (3 if whole else part.stop - part.start)
    return {"x": found}


pooled = Subject("means of three", windows, windows_vjp, {"x": "batch length"},
                 dims={"length": (1, 8)})  # fmt: skip
fourier = Subject(
    "fourier",
    forward=lambda z: np.fft.fft(z, axis=1),
    vjp=lambda u, z: {"z": np.fft.ifft(u, axis=1) * z.shape[1]},
    inputs={"z": array("batch length", complex=True)},
    dims={"length": (1, 6)},
)
logarithm = Subject(
    "log2",
    forward=np.log2,
    vjp=lambda u, x: {"x": u / (x * np.log(2))},
    inputs={"x": array("n", low=0.2, high=4)},
)

rooted = Subject(
    "over the root of a size",
    forward=lambda x: np.sin(x) / np.sqrt(x.shape[1] / 2),
    vjp=lambda u, x: {"x": u * np.cos(x) / np.sqrt(x.shape[1] / 2)},
    inputs={"x": "batch 2*half"},
    dims={"half": (1, 3)},
)
kinds = Subject(
    "kinds",
    forward=lambda x, kind: np.sin(x).sum(1) * (kind != 2),
    vjp=lambda u, x, kind: {"x": (u * (kind != 2))[:, None] * np.cos(x)},
    inputs={"x": "n d", "kind": integers("n", 0, 3)},
)

powers = Subject(
    "powers",
    forward=lambda x, p: x**p,
    vjp=lambda u, x, p: {"x": u * p * x ** (p - 1), "p": u * x**p * np.log(x)},
    inputs={"x": array("n", low=0.2, high=3), "p": array("n", low=-2, high=3)},
)

# Right subject, input, what is made of its gradient, the fault's name, words of the message.
TRUE = [
    (powers, "x", lambda g, u, i: u * i["x"] ** (i["p"] - 1), "wrong factor", "divided by `p`"),
    (rooted, "x", lambda g, u, i: g * np.sqrt(g.shape[1] / 2), "scaled by sqrt(half)",
     "sqrt(half) times"),
    (kinds, "x", lambda g, u, i: np.where((i["kind"] == 1)[:, None], 2 * g, g),
     "wrong where an index is 1", "is scaled by 2 where `kind` is 1"),
    (hinge, "s", lambda g, u, i: -u[:, None] * i["y"], "wrong beyond a bound", "`s` times `y` > 1"),
    (choice, "b", lambda g, u, i: u.copy(), "mask leak", "`m`"),
    (choice, "a", lambda g, u, i: u * ~i["m"], "mask inverted", "inverted"),
    (huber, "p", lambda g, u, i: g * np.where(np.abs(i["p"] - i["t"]) > 1.5, 2 / 3, 1),
     "wrong beyond a bound", "|p - t| > 1.5"),
    (triplet, "p", lambda g, u, i: 2 * u[:, None] * (i["p"] - i["a"]), "path added",
     "where forward is 0"),
    (evaluation, "x", with_batch_statistics, "path added", "forward has not"),
    (recurrence, "x", lambda g, u, i: u.copy(), "truncated through time", "`time`"),
    (ordered, "x", lambda g, u, i: u.copy(), "permuted", "not put back"),
    (taken, "table", shared_out, "scaled by how often an index repeats", "repeats no index"),
    (warm, "T", lambda g, u, i: g * i["T"], "scaled by `T`", "`T` times"),
    (warm, "T", lambda g, u, i: g / i["T"], "scaled by 1/`T`", "1/`T` times"),
    (masked, "x", lambda g, u, i: (u / _count(i["keep"]))[:, None] + 0 * i["x"], "mask leak",
     "`keep`"),
    (masked, "x", lambda g, u, i: (u / _count(i["keep"]))[:, None] * ~i["keep"][..., None],
     "mask inverted", "`keep`"),
    (pooled, "x", lambda g, u, i: windows_vjp(u, i["x"], whole=True)["x"],
     "wrong at boundary index", "both ends of `length`: that is scaled by 2/3"),
    (fourier, "z", lambda g, u, i: np.fft.fft(u, axis=1), "conjugate missing", "transposed"),
    (logarithm, "x", lambda g, u, i: g * np.log(2), "scaled by ln 2", "ln 2"),
]  # fmt: skip


@pytest.mark.parametrize(("right", "name", "change", "fault", "words"), TRUE)
def test_the_name_is_true(right, name, change, fault, words):
    report = check(bend(right, "planted", name, change), seed=0)
    told = [f for f in report.findings if f.input == name]
    assert fault in [f.fault for f in told], str(report)
    assert any(words in f.message for f in told), str(report)


RIGHT = {right.name: right for right, *_ in TRUE} | {pairs.name: pairs}


@pytest.mark.parametrize("right", RIGHT.values(), ids=RIGHT)
def test_its_correct_twin_passes(right):
    report = check(right, seed=0)
    assert report.passed, str(report)


def test_the_last_of_two_is_not_told_from_all_but_the_first():
    def second(g, u, i):
        return g * np.where(np.arange(g.shape[1]) == 1, 2.0, 1.0)

    (told,) = check(bend(pairs, "second", "x", second), seed=0).findings
    assert told.fault not in ("wrong at last index", "wrong after first index")


def test_a_term_that_is_added_is_not_a_cotangent_that_is_ignored():
    dense = Subject("dense", lambda x, W: x @ W, lambda u, x, W: {"x": u @ W.T, "W": x.T @ u},
                    {"x": "batch n", "W": "n m"})  # fmt: skip
    decay = bend(dense, "decay", "W", lambda g, u, i: g + 0.01 * i["W"])
    report = check(decay, seed=0, checks=["linearity"])
    assert [f.fault for f in report.findings] == ["term without cotangent"], str(report)
    ones = bend(dense, "ones", "W", lambda g, u, i: i["x"].T @ np.ones_like(u))
    report = check(ones, seed=0, checks=["linearity"])
    assert [f.fault for f in report.findings] == ["cotangent ignored"], str(report)
    assert check(dense, seed=0, checks=["linearity"]).passed


def test_lost_precision_that_numbers_of_few_digits_do_not_show():
    """The examples of a diagnosis may sum exactly in float32; the entry that failed tells."""
    returned = np.float32([1 / 3, 2 / 3, 0.7]).astype(float)

    def judged(expected):
        return Judgement("x", "wrong", entries=(WrongEntry((0,), expected, returned[0]),))

    assert precision.of_entries(judged(1 / 3), returned).fault == "precision lost"
    assert precision.of_entries(judged(0.34), returned) is None
    assert precision.of_entries(judged(1 / 3), np.array([1 / 3, 0.1, 0.7])) is None


def test_factors_by_their_names():
    assert factor(np.log(2)) == "ln 2"
    assert factor(-1 / np.log(10)) == "-1/ln 10"
    assert factor(np.sqrt(2 / np.pi)) == "sqrt(2/pi)"
    assert factor(0.6931) == "0.6931"
    assert factor(2.0) == "2"


def test_only_where_needs_an_example_that_is_right():
    """A vjp that adds to what it gave before is right at no example, however it begins."""
    kept = []

    def sine(x):
        return np.sin(x)

    def grows(u, x):
        kept.append(u * np.cos(x))
        return {"x": np.sum(kept, axis=0)}

    arrays = {"x": np.linspace(0.3, 1.2, 5)}
    assert conditions._is_right(scene(sine, lambda u, x: {"x": u * np.cos(x)}, arrays), "x")
    assert not conditions._is_right(scene(sine, grows, arrays), "x")


def test_a_value_that_is_overwritten_is_no_factor():
    """Every value written to one place gets its gradient, the last of which alone is right."""

    def forward(x, v, index):
        y = x.copy()
        for k, row in enumerate(index):
            y[row] = v[k]
        return y

    def vjp(u, x, v, index):
        kept = np.ones(len(x), bool)
        kept[index] = False
        return {"x": u * kept[:, None], "v": u[index]}

    inputs = {"x": "rows d", "v": "count d", "index": integers("count", 0, "rows")}
    written = Subject("written", forward, vjp, inputs, dims={"rows": (1, 5)})
    findings = check(written, seed=1).findings
    assert findings
    assert not any("times what" in f.message for f in findings), findings[0].message
