"""Low precision: honest rounding passes in every dtype, a fault of one dtype alone is found."""

from __future__ import annotations

import re

import numpy as np
import pytest

from gradcheck import Subject, adapt, array, check
from gradcheck.backends.numpy import NumpyBackend
from gradcheck.case import Case
from gradcheck.checks.precision import NEAR, _near
from gradcheck.evaluation import Evaluator
from gradcheck.examples import Example

torch = pytest.importorskip("torch")
DTYPES = ("float32", "float16", "bfloat16")
# A dozen unit roundoffs each: far below what a fixed tolerance would see.
SIZES = {"float32": 1e-6, "float16": 6e-3, "bfloat16": 5e-2}
# A seventh of a unit roundoff or so: seen only where many gradients are added up.
SMALL = {"float32": 4e-8, "float16": 7e-5, "bfloat16": 6e-4}
FEW = 4  # examples: a finding is shrunk, and that takes its time


def outcome(obj, inputs=None, dtype="float32", seed=1, **options):
    report = check(obj, inputs, dtype=dtype, seed=seed, checks=["precision"], **options)
    return report.outcomes["precision"]


def scaled_where_narrow(subject, dtype):
    """The claim for `weight` times a factor, in this dtype alone."""

    def vjp(cotangent, /, **inputs):
        found = dict(subject.vjp(cotangent, **inputs))
        if found["weight"].dtype is getattr(torch, dtype):
            wide = found["weight"].double() * (1 + SIZES[dtype])
            found["weight"] = wide.to(inputs["x"].dtype)
        return found

    return subject.but(vjp=vjp)


def linear():
    def weighted(x, weight):
        return x @ weight

    shapes = {"x": "batch 16", "weight": "16 24"}
    return adapt(weighted, shapes, framework="torch")


SQUARE = {"x": "16 16", "weight": "16 16"}


def product(x, weight):
    return x @ weight


LAYERS = {
    "linear": (lambda: torch.nn.Linear(6, 5), {"input": "batch 6"}),
    "layer norm": (lambda: torch.nn.LayerNorm(8), {"input": "batch 8"}),
    "batch norm": (lambda: torch.nn.BatchNorm1d(4), {"input": "batch 4"}),
    "batch norm, eval": (lambda: torch.nn.BatchNorm1d(4).eval(), {"input": "batch 4"}),
    "gelu": (torch.nn.GELU, {"input": "batch n"}),
    "softmax": (lambda: torch.nn.Softmax(-1), {"input": "batch n"}),
    "conv": (lambda: torch.nn.Conv1d(2, 3, 3), {"input": "batch 2 n"}),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", LAYERS)
def test_layers_of_torch_are_honest(name, dtype):
    make, inputs = LAYERS[name]
    torch.manual_seed(0)
    found = outcome(make(), inputs, dtype, examples=3)
    assert found.verdict == "correct", [f.message for f in found.findings]
    assert found.detectable  # something was judged, and it says how finely


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_factor_in_one_dtype_alone_is_found_and_names_the_input(dtype):
    found = outcome(scaled_where_narrow(linear(), dtype), dtype=dtype, examples=FEW)
    assert {(f.kind, f.input, f.fault) for f in found.findings} == {
        ("wrong", "weight", "precision lost")
    }
    assert dtype in found.findings[0].message


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_same_layer_without_the_factor_passes(dtype):
    assert outcome(linear(), dtype=dtype).verdict == "correct"


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_factor_below_a_unit_roundoff_shows_in_many_gradients(dtype):
    at = {n: np.random.default_rng(7).standard_normal((16, 16)) for n in ("x", "weight")}
    right = adapt(product, SQUARE, framework="torch")

    def vjp(cotangent, /, **inputs):
        found = dict(right.vjp(cotangent, **inputs))
        kind = getattr(torch, dtype)
        if found["weight"].dtype is kind:  # rounded once, or so small a factor would vanish
            wide = inputs["x"].double().T @ cotangent.double()
            found["weight"] = (wide * (1 + SMALL[dtype])).to(kind)
        return found

    wrong = right.but(vjp=vjp)
    (finding,) = outcome(wrong, dtype=dtype, at=at).findings
    assert (finding.input, finding.fault) == ("weight", "precision lost")
    said = float(re.search(r"over 16 points it is off by (\S+) of itself", finding.message)[1])
    assert said == pytest.approx(SMALL[dtype], rel=0.5)


@pytest.mark.parametrize("dtype", DTYPES)
def test_without_that_factor_many_gradients_pass(dtype):
    at = {n: np.random.default_rng(7).standard_normal((16, 16)) for n in ("x", "weight")}
    found = outcome(adapt(product, SQUARE, framework="torch"), dtype=dtype, at=at)
    assert found.verdict == "correct"
    assert found.detectable["weight"]["whole"] < 1.5 * SMALL[dtype]


def test_numbers_near_by_keep_zeros_signs_and_sets():
    items = {"x": "n", "low": array("n", low=0.0), "p": array("n", domain="simplex")}
    subject = Subject("any", lambda x, low, p: x, lambda u, x, low, p: {}, items)
    numbers = {"x": np.array([-3.0, 0.0, 2.0]), "low": np.zeros(3), "p": np.full(3, 1 / 3)}
    backend = NumpyBackend()
    case = Case(subject, Example(()), numbers, backend, Evaluator(subject, backend), "float32")
    moved = _near(case, 1).as_numpy()
    assert np.array_equal(np.sign(moved["x"]), [-1, 0, 1])
    assert (moved["x"] != numbers["x"]).sum() == 2
    assert np.allclose(moved["x"], numbers["x"], rtol=NEAR)
    for name in ("low", "p"):
        assert np.array_equal(moved[name], np.float32(numbers[name]))


def test_numbers_near_by_that_the_layer_does_not_take_are_left_out():
    """A symmetric matrix that is given stays one; a layer may insist."""

    def insists(x):
        if not torch.equal(x, x.mT):
            raise ValueError("not symmetric")
        return x * x

    numbers = np.random.default_rng(0).standard_normal((8, 8))
    subject = adapt(insists, {"x": "8 8"}, framework="torch")
    at = {"x": numbers + numbers.T}
    found = outcome(subject, dtype="bfloat16", at=at)
    assert found.verdict == "correct", found.findings
    assert found.detectable


def test_one_entry_is_named():
    subject = linear()

    def vjp(cotangent, /, **inputs):
        found = dict(subject.vjp(cotangent, **inputs))
        if found["weight"].dtype is torch.float32:
            found["weight"][2, 3] *= 1.001
        return found

    at = {name: np.random.default_rng(5).standard_normal((16, 24)) for name in ("weight",)}
    at["x"] = np.random.default_rng(6).standard_normal((4, 16))
    (finding,) = outcome(subject.but(vjp=vjp), at=at).findings
    assert finding.input == "weight"
    assert finding.index == (2, 3)
    assert finding.returned == pytest.approx(1.001 * finding.expected, rel=1e-5)


def test_a_gradient_that_overflows_in_the_claim_alone():
    subject = linear()

    def vjp(cotangent, /, **inputs):
        found = dict(subject.vjp(cotangent, **inputs))
        return {n: g + torch.inf if g.dtype is torch.float16 else g for n, g in found.items()}

    found = outcome(subject.but(vjp=vjp), dtype="float16", examples=FEW)
    kinds = {f.kind for f in found.findings}
    assert kinds == {"nonfinite"}


def test_a_vjp_that_raises_in_one_dtype_alone_is_broken():
    subject = linear()

    def vjp(cotangent, /, **inputs):
        if inputs["x"].dtype is torch.bfloat16:
            raise NotImplementedError("no kernel for bfloat16")
        return subject.vjp(cotangent, **inputs)

    (finding,) = outcome(subject.but(vjp=vjp), dtype="bfloat16").findings
    assert finding.kind == "broken"
    assert "no kernel for bfloat16" in finding.message


def test_in_float64_there_is_nothing_to_do():
    found = outcome(scaled_where_narrow(linear(), "float64"), dtype="float64")
    assert found.verdict == "skipped"
    assert "not in float64" in found.not_run


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_numpy_is_judged_by_the_operations_of_its_twin(dtype):
    def vjp(cotangent, x, w):
        return {"x": cotangent @ w.T, "w": x.T @ cotangent}

    def wrong(cotangent, x, w):
        factor = np.asarray(1 if x.dtype == np.float64 else 1 + 4 * SIZES[dtype], x.dtype)
        return {"x": cotangent @ w.T * factor, "w": x.T @ cotangent}

    right = Subject(
        "product",
        lambda x, w: x @ w,
        vjp,
        {"x": "batch 12", "w": "12 units"},
        twin=lambda x, w: x @ w,
    )
    assert outcome(right, dtype=dtype).verdict == "correct"
    found = outcome(right.but(vjp=wrong), dtype=dtype, examples=FEW)
    assert {f.input for f in found.findings} == {"x"}


def test_numpy_without_a_twin_is_not_applicable():
    subject = Subject("id", lambda x: x, lambda u, x: {"x": u}, {"x": "n"})
    assert "torch twin" in outcome(subject).not_run


def test_random_numbers_differ_between_precisions():
    found = outcome(torch.nn.Dropout(0.5), {"input": "batch n"})
    assert "random numbers" in found.not_run


def test_an_operator_that_hides_its_operations_is_inconclusive_and_named():
    @torch.library.custom_op("gradcheck_precision::hidden_sine", mutates_args=())
    def hidden(x: torch.Tensor) -> torch.Tensor:
        return torch.sin(x)

    hidden.register_autograd(
        lambda ctx, u: u * torch.cos(ctx.saved_tensors[0]),
        setup_context=lambda ctx, inputs, output: ctx.save_for_backward(*inputs),
    )
    (finding,) = outcome(hidden, {"x": "batch n"}, opcheck=False).findings
    assert finding.kind == "inconclusive"
    assert "gradcheck_precision.hidden_sine" in finding.message
