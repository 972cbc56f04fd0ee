"""Linear at every size, at constant cotangents, and where only some of the outputs are used."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import Subject, array, check

torch = pytest.importorskip("torch")


class Both(torch.autograd.Function):
    """sin(x) and exp(x); the cotangent of an output that is not used arrives as None."""

    @staticmethod
    def forward(ctx, x):
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(x)
        return x.sin(), x.exp()

    @staticmethod
    def backward(ctx, a, b):
        (x,) = ctx.saved_tensors
        sine = 0 if a is None else a * x.cos()
        return sine + (0 if b is None else b * x.exp())


class DropsAll(Both):
    @staticmethod
    def backward(ctx, a, b):
        (x,) = ctx.saved_tensors
        return torch.zeros_like(x) if a is None or b is None else Both.backward(ctx, a, b)


class NeedsBoth(Both):
    @staticmethod
    def backward(ctx, a, b):
        (x,) = ctx.saved_tensors
        return a * x.cos() + b * x.exp()


def linear(obj, inputs=None, **options):
    return check(obj, inputs, checks=["linearity"], **{"seed": 4, "examples": 9, **options})


def test_one_output_used():
    bounded = {"x": array("n", low=-2, high=2)}
    assert linear(Both, bounded).passed
    dropped, raising = linear(DropsAll, bounded), linear(NeedsBoth, bounded)
    assert "output 0 alone" in str(dropped)
    assert "where not all outputs are used" in str(raising)
    assert {dropped.verdict, raising.verdict} == {"broken"}


def test_every_output_is_left_out_at_given_arrays():
    def vjp(us, x):
        return {"x": sum(us) * (1 if us[2].any() else 2)}

    three = Subject("three", lambda x: (x + 0, x + 1, x + 2), vjp, {"x": "n"})
    at = {"x": np.array([1.0, 2.0])}
    assert not linear(three, at=at).passed
    assert linear(three.but(vjp=lambda us, x: {"x": sum(us)}), at=at).passed


def scaled(clip, inside="float64", backward="float64", floor=0.0):
    """Half a square in some precision, backward in that of its own where it is lower."""

    def forward(x):
        return (x.astype(inside) ** 2 / 2).astype(x.dtype)

    def vjp(cotangent, x):
        u = np.clip(cotangent.astype(backward).astype(inside), -clip, clip)
        return {"x": (np.where(abs(u) < floor, 0, u) * x.astype(inside)).astype(x.dtype)}

    return Subject("square", forward, vjp, {"x": "n"})


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_clips_are_found_in_every_precision(dtype):
    assert "2^" in str(linear(scaled(clip=200), dtype=dtype))
    assert linear(scaled(clip=np.inf), dtype=dtype).passed


def test_a_layer_that_works_in_float32_inside_has_room():
    """Products of four cotangent-sized factors, none of which leaves the range of float32."""
    assert linear(scaled(np.inf, "float32"), examples=60).passed


def test_a_cotangent_that_is_cast_on_its_way_is_found():
    """Drawn with twenty bits it would lose nothing."""
    report = check(scaled(np.inf, backward="float32"), seed=4)
    assert [(f.check, f.fault) for f in report.findings] == [("linearity", "precision lost")]
    assert check(scaled(np.inf), seed=4).passed


def test_what_is_dropped_below_an_epsilon_is_found():
    assert "2^-80 times" in str(linear(scaled(np.inf, floor=1e-20)))


class Cumulative(torch.nn.Module):
    """Its backward works with log|u| - y, and beside a y of 1e10 with six digits of it."""

    def __init__(self, factor=1.0):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        y = torch.logcumsumexp(x, -1)
        if x.requires_grad:
            y.register_hook(lambda u: torch.where(u > 0, self.factor * u, u))
        return y


def test_rounding_beside_large_inputs_is_no_fault_of_linearity():
    large = {"x": array("n", low=-1e10, high=1e10)}
    for seed in (1, 3):
        assert linear(Cumulative(), large, seed=seed, examples=30).passed
    assert not linear(Cumulative(1.001), large, seed=1, examples=30).passed


def test_an_overflow_and_an_underflow_are_nobodys_fault():
    tiny = Subject("tiny", lambda x: 1e-300 * x, lambda u, x: {"x": 1e-300 * u}, {"x": "n"})
    huge = Subject("huge", lambda x: 1e300 * x, lambda u, x: {"x": 1e300 * u}, {"x": "n"})
    assert linear(tiny).passed
    assert linear(huge).passed


def test_a_norm_clip_is_found():
    def vjp(cotangent, x):
        g = 3 * cotangent
        return {"x": g * min(1.0, 1e3 / (np.linalg.norm(g) + 1e-300))}

    assert "2^40 times" in str(linear(Subject("three", lambda x: 3 * x, vjp, {"x": "n"})))


def test_digits_lost_beside_a_large_cotangent_are_rounding():
    """The backward of a matrix exponential works on a block of the cotangent and the matrix."""
    square = {"x": "n n"}
    for dtype in ("float64", "float32"):
        report = linear(torch.matrix_exp, square, dims={"n": (1, 4)}, dtype=dtype, examples=20)
        assert report.passed, str(report)


def normalised_sum(factor):
    """The sum of a normalised row is 0 at every row, and its gradient nothing but rounding."""

    def parts(x):
        centred = x - x.mean(-1, keepdims=True)
        return centred, 1 / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)

    def forward(x):
        centred, scale = parts(x)
        return (centred * scale).sum()

    def vjp(u, x):
        centred, scale = parts(x)
        rows = np.full(x.shape, float(u))
        along = (rows * centred).mean(-1, keepdims=True) * centred * scale**2
        return {"x": scale * (rows - rows.mean(-1, keepdims=True) - along) + factor * abs(u)}

    return Subject("sum", forward, vjp, {"x": "b n"}, dims={"n": (1, 9)})


def test_a_gradient_that_is_all_rounding_need_not_add_up():
    for seed in range(3):
        assert check(normalised_sum(0.0), seed=seed, checks=["linearity"]).verdict == "correct"
    assert check(normalised_sum(1e-3), seed=0, checks=["linearity"]).verdict == "broken"


def shut_gates(factor):
    """Entries of 1e-3 that drive a softmax to an ulp of 1; one of 1e2 is idle."""
    weights = 60 * np.random.default_rng(0).standard_normal((6, 4))

    def probabilities(b):
        gates = np.tanh(2e3 * b)
        z = gates @ weights
        e = np.exp(z - z.max())
        return gates, e / e.sum()

    def vjp(u, b):
        gates, p = probabilities(b)
        through = 2e3 * (1 - gates**2) * (weights @ (p * (u - p @ u)))
        return {"b": through + factor * np.abs(u).sum()}

    return Subject("gates", lambda b: probabilities(b)[1], vjp, {"b": "n"}, dims={"n": (6, 6)})


def test_entries_are_measured_by_their_own_size_where_all_is_rounding():
    verdicts = {0.0: set(), 1e-6: set()}
    for seed in range(40):
        b = 1e-3 * np.random.default_rng(seed).standard_normal(6)
        b[0] = 100.0
        for factor, seen in verdicts.items():
            report = check(shut_gates(factor), at={"b": b}, checks=["linearity"], seed=seed)
            seen.add(report.verdict)
    assert verdicts == {0.0: {"correct"}, 1e-6: {"broken"}}
