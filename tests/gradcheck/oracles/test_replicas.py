"""Replicas: they spread as far as honest rounding does, and no farther than it may."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from gradcheck.oracles import operations  # noqa: E402
from gradcheck.oracles.replicas import BITS, Rounding, replica, replicas  # noqa: E402


def spread(run, arrays, dtype="float32", count=24):
    """Root mean square of replicas less the exact result, by output."""
    exact = run(arrays)
    made = [found for found, _ in replicas(run, arrays, dtype, range(count))]
    return {
        name: torch.stack([m[name] - exact[name] for m in made]).square().mean(0).sqrt()
        for name in exact
    }


def numbers(*shape, seed=0):
    return torch.tensor(np.random.default_rng(seed).standard_normal(shape))


@pytest.mark.parametrize("dtype", BITS)
def test_a_product_is_off_by_the_roundoff_of_its_dtype(dtype):
    x = numbers(200)
    found = spread(lambda a: {"y": a["x"] * 3}, {"x": x}, dtype)["y"] / (3 * x).abs()
    unit = 2.0 ** -BITS[dtype]
    # Uniform in [-1, 1] units: 1 / sqrt(3), and the inputs' own 2^-24 on top.
    assert float(found.median()) == pytest.approx(unit / 3**0.5, rel=0.6)
    assert float(found.max()) < 2 * unit


def test_equal_numbers_are_rounded_equally():
    made = replica(lambda a: {"y": a["x"].exp()}, {"x": torch.full((5,), 0.3).double()}, Rounding(
        "float16", 7
    ))["y"]  # fmt: skip
    assert len(set(made.tolist())) == 1
    assert float(made[0]) != float(torch.tensor(0.3).double().exp())


def test_powers_of_two_share_their_rounding():
    x = torch.tensor([0.3, 0.6, 1.2, -0.3]).double()
    made = replica(lambda a: {"y": a["x"] * 1.0}, {"x": x}, Rounding("bfloat16", 3))["y"] / x
    assert float(made.max() - made.min()) < 1e-6


def test_copies_and_views_are_exact():
    x = numbers(3, 4)

    def moves(a):
        return {"y": torch.cat([a["x"].t().clone(), a["x"].t()]).flip(0)}

    rounding = Rounding("float16", 1)
    moved = rounding.inputs(torch, x)
    made = replica(moves, {"x": x}, Rounding("float16", 1))["y"]
    assert torch.equal(made, torch.cat([moved.t(), moved.t()]).flip(0))


def test_a_sum_that_cancels_spreads_by_its_terms():
    x = torch.cat([numbers(50), -numbers(50)])
    found = float(spread(lambda a: {"y": a["x"].sum()}, {"x": x})["y"])
    terms = float(x.abs().sum()) * 2.0**-24
    assert terms / 4 < found < 8 * terms


def test_a_kernel_is_taken_apart():
    x = numbers(6, 8)
    ones = torch.ones(8).double()

    def centred(a):
        x = a["x"].requires_grad_()
        y = torch.nn.functional.layer_norm(x, (8,), ones, 0 * ones)
        return {"x": torch.autograd.grad(y.sum(), x)[0]}  # zero: all of it cancels

    found = spread(centred, {"x": x})["x"]
    assert float(found.min()) > 2.0**-28


def test_numbers_out_of_range_overflow():
    large = {"x": numbers(4) + 1000.0}
    made = replica(lambda a: {"y": a["x"] * 300}, large, Rounding("float16", 1))
    assert bool(made["y"].isinf().all())


def test_writing_in_place_is_rounded_too():
    x = numbers(20)
    found = spread(lambda a: {"y": a["x"].clone().mul_(3)}, {"x": x}, "float16")["y"]
    assert float((found / (3 * x).abs()).median()) > 2.0**-13


def test_an_operation_whose_inside_is_hidden_is_told():
    @torch.library.custom_op("gradcheck_replicas::hidden", mutates_args=())
    def hidden(x: torch.Tensor) -> torch.Tensor:
        return x.sin()

    rounding = Rounding("float32", 1)
    replica(lambda a: {"y": hidden(a["x"])}, {"x": numbers(3)}, rounding)
    assert rounding.unseen == {"gradcheck_replicas.hidden"}


def test_every_listed_operation_exists():
    listed = operations.EXACT | operations.SUMS | operations.SCATTERED | operations.KERNELS
    listed |= operations.STEPWISE | operations.IN_MEMORY | operations.APPROXIMATE
    missing = [n for n in sorted(listed) if not hasattr(torch.ops.aten, n)]
    assert not missing
