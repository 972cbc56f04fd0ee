"""Every check fails on something planted for it, and passes on the correct twin of that."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from gradcheck import Subject, array, check, mask
from gradcheck.checks import all_checks


@dataclass(frozen=True)
class Planted:
    check: str
    wrong: Subject
    right: Subject
    kind: str
    input: str | None = None
    fault: str | None = None
    dtype: str = "float64"


def sine(**changes):
    parts = {
        "name": "sine",
        "forward": np.sin,
        "vjp": lambda cotangent, x: {"x": cotangent * np.cos(x)},
        "inputs": {"x": "rows columns"},
    }
    return Subject(**{**parts, **changes})


def row_sum(**changes):
    """Per-sample x, shared w: y_i = <x_i, w>."""
    parts = {
        "name": "row sum",
        "forward": lambda x, w: x @ w,
        "vjp": lambda cotangent, x, w: {"x": np.outer(cotangent, w), "w": x.T @ cotangent},
        "inputs": {"x": "batch features", "w": "features"},
        "traits": ["batched"],
    }
    return Subject(**{**parts, **changes})


def kept_sum(**changes):
    parts = {
        "name": "kept sum",
        "forward": lambda x, keep: (x * keep).sum(-1),
        "vjp": lambda cotangent, x, keep: {"x": cotangent[:, None] * keep},
        "inputs": {"x": "batch time", "keep": mask("batch time", of="x")},
    }
    return Subject(**{**parts, **changes})


class Counter:
    """A forward whose result depends on how often it was called."""

    def __init__(self):
        self.calls = 0

    def __call__(self, x):
        self.calls += 1
        return np.sin(x) + self.calls * 1e-3


class Cache:
    """A vjp that uses what the last forward saw instead of its own inputs."""

    def __init__(self):
        self.seen = None

    def forward(self, x):
        self.seen = x.copy()
        return np.sin(x)

    def vjp(self, cotangent, x):
        return {"x": cotangent * np.cos(self.seen)}


class Buffer:
    """A vjp that returns the same buffer every time."""

    def __init__(self):
        self.buffers = {}

    def vjp(self, cotangent, x):
        out = self.buffers.setdefault(x.shape, np.empty(x.shape))
        np.multiply(cotangent, np.cos(x), out=out)
        return {"x": out}


class Workspace:
    """Running sums through a buffer that is kept: what lies behind the cotangent is read too."""

    def __init__(self, behind):
        self.behind = behind
        self.buffer = np.zeros(10_000)

    def vjp(self, cotangent, x):
        self.buffer[: len(x)] = cotangent
        read = self.buffer[: len(x) + self.behind]
        return {"x": np.cumsum(read[::-1])[::-1][: len(x)]}


def scaled_by_a_cache(keys):
    """A product, kept under the bytes of the inputs named: of too few of them, or of all."""
    kept = {}

    def forward(x, scale):
        values = {"x": x, "scale": scale}
        key = tuple(values[name].tobytes() for name in keys)
        if key not in kept:
            kept[key] = scale * x
        return kept[key].copy()

    def vjp(cotangent, x, scale):
        return {"x": cotangent * scale, "scale": cotangent * x}

    return Subject("scaled", forward, vjp, {"x": "n", "scale": "n"})


def running_sum(behind):
    return Subject("running sum", np.cumsum, Workspace(behind).vjp, {"x": "n"})


def both(**changes):
    """Two outputs of one input."""
    parts = {
        "name": "both",
        "forward": lambda x: (np.sin(x), np.exp(x)),
        "vjp": lambda u, x: {"x": u[0] * np.cos(x) + u[1] * np.exp(x)},
        "inputs": {"x": "n"},
    }
    return Subject(**{**parts, **changes})


def zero_unless_both_are_used(u, x):
    used = u[0].any() and u[1].any()
    return {"x": (u[0] * np.cos(x) + u[1] * np.exp(x)) * used}


def changes_its_input(x):
    x += 0.0
    if x.size:
        x.flat[0] += 1.0
    return np.sin(x)


def changes_its_cotangent(cotangent, x):
    cotangent *= np.cos(x)
    return {"x": cotangent}


def draws_random_numbers(cotangent, x):
    np.random.rand()
    return {"x": cotangent * np.cos(x)}


def seeds_the_generator(cotangent, x):
    np.random.seed(0)
    return {"x": cotangent * np.cos(x)}


def reads_memory_as_if_contiguous(cotangent, x):
    flat = np.lib.stride_tricks.as_strided(cotangent, (x.size,), (cotangent.itemsize,))
    return {"x": (flat * np.cos(x).ravel()).reshape(x.shape)}


def mean_over_the_batch(cotangent, x, w):
    return {"x": np.outer(cotangent, w), "w": x.T @ cotangent / max(len(x), 1)}


def softmax_over_kept(x, keep):
    weights = np.exp(x) * keep
    return weights / weights.sum(-1, keepdims=True)


def softmax_over_kept_vjp(cotangent, x, keep):
    y = softmax_over_kept(x, keep)
    return {"x": y * (cotangent - (cotangent * y).sum(-1, keepdims=True))}


def sine_twice(directions, cotangent, x):
    w = directions["x"]
    return {"x": -w * cotangent * np.sin(x)}, w * np.cos(x)


def sine_twice_cut_off(directions, cotangent, x):
    return {"x": np.zeros_like(x)}, directions["x"] * np.cos(x)


def torch_sine(x):
    return x.sin()


def good_to_five_digits(cotangent, x):
    factor = 1 if x.dtype == np.float64 else np.float32(1.00002)
    return {"x": cotangent * np.cos(x) * factor}


def doubled_where_all_are_one(cotangent, x):
    factor = 2 if cotangent.size and (cotangent == 1).all() else 1
    return {"x": cotangent * np.cos(x) * factor}


def running_sum_unless_one_entry(cotangent, x):
    alone = np.count_nonzero(cotangent) == 1
    return {"x": cotangent if alone else np.cumsum(cotangent[::-1])[::-1]}


SINE, ROWS, KEPT = sine(), row_sum(), kept_sum()
JVP = sine(jvp=lambda tangents, x: tangents["x"] * np.cos(x))
TWICE = sine(second=sine_twice)

PLANTED = [
    Planted("forward", sine(forward=Counter()), SINE, "nondeterministic"),
    Planted("forward", sine(forward=changes_its_input), SINE, "broken", "x", "mutation"),
    Planted("forward", sine(forward=lambda x: "no array"), SINE, "broken"),
    Planted("contract", sine(vjp=lambda u, x: {}), SINE, "broken", "x", "input without gradient"),
    Planted("contract", sine(vjp=lambda u, x: {"x": None}), SINE, "broken", "x"),
    Planted("contract", sine(vjp=lambda u, x: u * np.cos(x)), SINE, "broken"),
    Planted(
        "contract", sine(vjp=lambda u, x: {"x": (u * np.cos(x)).T}), SINE, "broken", "x",
        "transposed",
    ),
    Planted("contract", sine(vjp=lambda u, x: {"x": (u * np.cos(x)).sum()}), SINE, "broken", "x"),
    Planted(
        "contract", sine(vjp=lambda u, x: {"x": (u * np.cos(x)).astype(np.float32)}), SINE,
        "broken", "x", "precision lost",
    ),
    Planted("contract", sine(vjp=lambda u, x: {"x": u @ np.cos(x)}), SINE, "broken"),
    Planted("repeat", sine(forward=(c := Cache()).forward, vjp=c.vjp), SINE, "broken", "x"),
    Planted("repeat", sine(vjp=Buffer().vjp), SINE, "broken", "x", "buffer reuse"),
    Planted("repeat", running_sum(behind=1), running_sum(behind=0), "broken", "x", "stale cache"),
    Planted("side_effects", sine(vjp=changes_its_cotangent), SINE, "broken", None, "mutation"),
    Planted("side_effects", sine(vjp=draws_random_numbers), SINE, "broken"),
    Planted("side_effects", sine(vjp=seeds_the_generator), SINE, "broken"),
    Planted(
        "partial", scaled_by_a_cache(("x",)), scaled_by_a_cache(("x", "scale")), "broken", "scale",
        "stale cache",
    ),
    Planted("gradient", sine(vjp=lambda u, x: {"x": u * np.cos(x) * 1.00001}), SINE, "wrong", "x"),
    Planted("gradient", sine(vjp=lambda u, x: {"x": u * np.nan}), SINE, "nonfinite", "x"),
    Planted(
        "linearity", sine(vjp=lambda u, x: {"x": u * np.cos(x) + 1.0}), SINE, "broken", "x",
    ),
    Planted(
        "linearity", sine(vjp=lambda u, x: {"x": np.where(u == 0, 1.0, u) * np.cos(x)}), SINE,
        "broken", "x",
    ),
    Planted("linearity", sine(vjp=lambda u, x: {"x": np.abs(u) * np.cos(x)}), SINE, "broken", "x"),
    Planted(
        "linearity", sine(vjp=lambda u, x: {"x": np.clip(u, -1e5, 1e5) * np.cos(x)}), SINE,
        "broken", "x",
    ),
    Planted(
        "linearity", sine(vjp=lambda u, x: {"x": np.where(np.abs(u) < 1e-8, 0, u) * np.cos(x)}),
        SINE, "broken", "x",
    ),
    Planted(
        "linearity", sine(vjp=lambda u, x: {"x": np.clip(u, -100, 100) * np.cos(x)}), SINE,
        "broken", "x", dtype="float32",
    ),
    Planted("linearity", sine(vjp=doubled_where_all_are_one), SINE, "broken", "x"),
    Planted(
        "linearity", running_sum(behind=0).but(vjp=running_sum_unless_one_entry),
        running_sum(behind=0), "broken", "x",
    ),
    Planted("linearity", both(vjp=zero_unless_both_are_used), both(), "broken", "x"),
    Planted("twin", sine(twin=sine(name="other", vjp=lambda u, x: {"x": u})), sine(twin=SINE),
            "wrong", "x"),
    Planted("twin", sine(twin=sine(name="other", forward=np.cos)), sine(twin=SINE), "wrong"),
    Planted(
        "layouts", sine(vjp=reads_memory_as_if_contiguous), SINE, "broken", "x",
        "contiguous assumption",
    ),
    Planted(
        "masks", kept_sum(vjp=lambda u, x, keep: {"x": u[:, None] * np.ones_like(x)}), KEPT,
        "wrong", "x", "mask leak",
    ),
    Planted(
        "masks", kept_sum(vjp=lambda u, x, keep: {"x": u[:, None] * ~keep}), KEPT, "wrong", "x",
        "mask inverted",
    ),
    Planted(
        "masks", kept_sum(forward=softmax_over_kept, vjp=softmax_over_kept_vjp), KEPT,
        "nonfinite", "x", "fully masked row",
    ),
    Planted("batch", row_sum(vjp=mean_over_the_batch), ROWS, "wrong", "w"),
    Planted("forward_mode", sine(jvp=lambda tangents, x: tangents["x"]), JVP, "wrong"),
    Planted("second_order", sine(second=sine_twice_cut_off), TWICE, "wrong", "x", "always zero"),
    Planted(
        "second_order", sine(second=lambda w, u, x: (sine_twice(w, u, x)[0], w["x"])), TWICE,
        "wrong",
    ),
    Planted(
        "precision", sine(vjp=good_to_five_digits, twin=torch_sine), sine(twin=torch_sine),
        "wrong", "x", "precision lost", dtype="float32",
    ),
]  # fmt: skip
NEED_A_DEVICE = {"devices"}


@pytest.mark.parametrize("planted", PLANTED, ids=lambda p: f"{p.check}-{p.fault or p.kind}")
def test_what_is_planted_is_caught(planted):
    # The check alone: what earlier stages would say of it is their own entry of the table.
    report = check(planted.wrong, checks=[planted.check], seed=11, dtype=planted.dtype)
    found = [finding for finding in report.findings if finding.kind == planted.kind]
    assert found, str(report)
    if planted.input is not None:
        assert planted.input in {finding.input for finding in found}
    if planted.fault is not None:
        assert planted.fault in {finding.fault for finding in found}


@pytest.mark.parametrize("planted", PLANTED, ids=lambda p: f"{p.check}-{p.fault or p.kind}")
def test_the_correct_twin_passes(planted):
    report = check(planted.right, checks=[planted.check], seed=11, dtype=planted.dtype)
    assert report.passed, str(report)


def test_every_check_has_something_planted():
    missing = set(all_checks()) - {planted.check for planted in PLANTED} - NEED_A_DEVICE
    assert not missing, f"plant a fault in PLANTED for: {', '.join(sorted(missing))}"


def test_a_later_stage_does_not_run_on_the_ruins_of_an_earlier_one():
    report = check(sine(vjp=lambda u, x: {"x": None}), seed=1)
    assert {finding.check for finding in report.findings} == {"contract"}


def test_known_bounds_are_not_stepped_over():
    def root(x):
        assert (x >= 0).all()
        return np.sqrt(x)

    def slope(cotangent, x):
        with np.errstate(divide="ignore"):
            return {"x": cotangent / (2 * np.sqrt(x))}

    report = check(Subject("root", root, slope, {"x": array("n", low=0, high=4)}), seed=2)
    assert report.passed, str(report)
