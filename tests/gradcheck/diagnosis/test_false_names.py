"""Names that fitted and were false: what each would have had to show, and a twin that shows it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from gradcheck import Subject, array, check, integers


def told(subject, seed=11, name="x"):
    findings = check(subject, seed=seed).findings
    (finding,) = [f for f in findings if f.check == "gradient" and f.input == name]
    return finding


def of_x(forward, slope, **others):
    return Subject("planted", forward, lambda u, x: {"x": u * slope(x)}, {"x": "n"}, **others)


# -- activations ---------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_a_shrinkage_is_no_leaky_relu(seed):
    shrunk = of_x(lambda x: np.where(np.abs(x) > 0.5, x, 0), lambda x: x > 0.5)
    finding = told(shrunk, seed)
    assert finding.fault == "wrong beyond a bound"
    assert "is zero where `x` < -0.5" in finding.message


def test_a_leaky_relu_is_one():
    """Its slope is another on the other side, and the truth with it."""

    def vjp(u, x, W):
        g = u * (x @ W > 0)
        return {"x": u * np.where(x @ W > 0, 1, 0.1) @ W.T, "W": x.T @ (g + 0.01 * u * (g == 0))}

    def forward(x, W):
        return np.where(x @ W > 0, x @ W, 0.1 * (x @ W))

    leaky = Subject("leaky", forward, vjp, {"x": "n i", "W": "i o"})
    finding = told(leaky, name="W")
    assert finding.fault == "derivative of another activation"
    assert "leaky relu of slope 0.01 where that of leaky relu of slope 0.1" in finding.message


def test_a_forward_that_is_linear_has_no_derivative_squared():
    """W enters x V silu(x W) through a gate, V through none: what V lacks is a factor."""

    def vjp(u, x, W, V):
        a, b = x @ W, x @ V
        s = expit(a)
        ga = u * b * (s + a * s * (1 - s))
        return {"x": ga @ W.T + (u * a * s) @ V.T, "W": x.T @ ga, "V": x.T @ (u * s)}

    gated = Subject("gated", lambda x, W, V: x @ W * expit(x @ W) * (x @ V), vjp,
                    {"x": "n i", "W": "i o", "V": "i o"})  # fmt: skip
    assert "log" not in told(gated, name="V").message


# -- factors -------------------------------------------------------------------------------------


def log_softmax(x):
    x = x - x.max(1, keepdims=True)
    return x - np.log(np.exp(x).sum(1, keepdims=True))


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_a_gate_that_is_0_or_1_is_no_factor(seed):
    loud = array("n m", values=lambda rng, shape: 1e3 * rng.normal(size=shape))
    unsummed = Subject("log softmax", log_softmax,
                       lambda u, x: {"x": u - np.exp(log_softmax(x)) * u}, {"x": loud},
                       dims={"n": (1, 6), "m": (1, 6)})  # fmt: skip
    assert "tanh" not in told(unsummed, seed).message


def test_a_gate_that_varies_is_one():
    twice = of_x(lambda x: np.tanh(x) + x, lambda x: 2 - np.tanh(x) ** 2)
    assert check(twice, seed=1).passed
    finding = told(of_x(lambda x: x**3, lambda x: 3 * x**2 * np.tanh(x)))
    assert finding.fault == "wrong factor"
    assert "multiplied by tanh(`x`) once too often" in finding.message


# -- constants -----------------------------------------------------------------------------------


CONSTANTS = {
    "entropy": of_x(lambda x: -(x * np.log(x)).sum(), lambda x: -np.log(x)).but(
        inputs={"x": array("n", low=0.1, high=1)}
    ),
    "a pinball loss": of_x(
        lambda x: np.maximum(0.3 * x, -0.7 * x).sum(), lambda x: np.where(x >= 0, 0.7, -0.3)
    ),
}


@pytest.mark.parametrize("subject", CONSTANTS.values(), ids=CONSTANTS)
def test_one_number_is_no_path_through_a_sum(subject):
    finding = told(subject)
    assert finding.fault == "off by a constant"
    assert "mean (or sum)" not in finding.message


def test_a_sum_that_matters_is_a_path():
    def vjp(u, x):
        return {"x": u * np.cos(x)}

    squared = Subject("sum", lambda x: np.sin(x).sum() + x.sum() ** 2, vjp, {"x": "n"})
    assert "the gradient through the mean (or sum) over `n`" in told(squared).message


def test_a_term_made_of_another_input_is_a_path():
    counts = Subject("poisson", lambda x, y: (np.exp(x) - y * x).sum(),
                     lambda u, x, y: {"x": u * np.exp(x)},
                     {"x": "n", "y": integers("n", 0, 6)}, dims={"n": (1, 6)})  # fmt: skip
    finding = told(counts)
    assert finding.fault == "path missing"
    assert "linear in `x`" in finding.message


# -- kinks and branches --------------------------------------------------------------------------


def largest(share):
    def vjp(u, x):
        best = (x == x.max(1, keepdims=True)).astype(float)
        return {"x": u[:, None] * best / share(best)}

    return Subject("largest", lambda x: x.max(1), vjp, {"x": "n m"})


@pytest.mark.parametrize("seed", [11, 12])
def test_what_lies_between_its_sides_is_not_called_outside_of_them(seed):
    """Ties of all rows share one weight: each entry is between, and they add up to too little."""
    finding = told(largest(lambda b: b.sum() if b.sum() > len(b) else 1.0), seed)
    assert finding.kind == "wrong_at_kink"
    assert "lies between the sides" in finding.message
    assert "no mixture of sides" in finding.message
    double = of_x(lambda x: np.maximum(x, 0), lambda x: (x > 0) + 1.5 * (x == 0))
    assert "the slopes on the two sides are" in told(double, seed).message


def test_the_branch_not_taken_is_not_told_from_the_other_end():
    def vjp(u, x, W):
        z = np.einsum("ni,kio->kno", x, W)
        lost = (np.arange(2)[:, None, None] == z.argmin(0)) * u
        return {"x": np.einsum("kno,kio->ni", lost, W), "W": np.einsum("ni,kno->kio", x, lost)}

    maxout = Subject("maxout", lambda x, W: np.einsum("ni,kio->kno", x, W).max(0), vjp,
                     {"x": "n i", "W": "2 i o"},
                     dims={"n": (1, 4), "i": (1, 4), "o": (1, 4)})  # fmt: skip
    assert "the branches not taken" in told(maxout).message
    curved = of_x(lambda x: np.exp(x) + x, lambda x: np.exp(-x) + 1)
    finding = told(curved)
    assert "is the derivative at -x instead of at `x`" in finding.message
    assert "branches" not in finding.message


def test_writing_into_a_cotangent_that_is_spread_out_is_the_same_mutation():
    torch = pytest.importorskip("torch")

    class Exp(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x.exp()

        @staticmethod
        def backward(ctx, g):
            return g.mul_(ctx.saved_tensors[0].exp())

    found = check(Exp, {"x": "n"}, seed=11).findings
    assert {f.fault for f in found} == {"mutation"}
