"""Low precision: honest rounding passes in every dtype, a fault of one dtype alone is found."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import Subject, adapt, check

torch = pytest.importorskip("torch")
DTYPES = ("float32", "float16", "bfloat16")
# A dozen unit roundoffs each: far below what a fixed tolerance would see.
SIZES = {"float32": 1e-6, "float16": 6e-3, "bfloat16": 5e-2}


def outcome(obj, inputs=None, dtype="float32", seed=1, **options):
    report = check(obj, inputs, dtype=dtype, seed=seed, checks=["precision"], **options)
    return report.outcomes["precision"]


def scaled_where_narrow(subject, dtype):
    """The claim for `weight` times a factor, in this dtype alone."""

    def vjp(cotangent, /, **inputs):
        found = dict(subject.vjp(cotangent, **inputs))
        if found["weight"].dtype is getattr(torch, dtype):
            found["weight"] = (found["weight"].double() * (1 + SIZES[dtype])).to(inputs["x"].dtype)
        return found

    return subject.but(vjp=vjp)


def linear():
    def weighted(x, weight):
        return x @ weight

    shapes = {"x": "batch 16", "weight": "16 24"}
    return adapt(weighted, shapes, framework="torch")


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
    found = outcome(make(), inputs, dtype)
    assert found.verdict == "correct", [f.message for f in found.findings]
    assert found.detectable  # something was judged, and it says how finely


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_factor_in_one_dtype_alone_is_found_and_names_the_input(dtype):
    found = outcome(scaled_where_narrow(linear(), dtype), dtype=dtype)
    assert {(f.kind, f.input, f.fault) for f in found.findings} == {
        ("wrong", "weight", "precision lost")
    }
    assert dtype in found.findings[0].message


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_same_layer_without_the_factor_passes(dtype):
    assert outcome(linear(), dtype=dtype).verdict == "correct"


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

    kinds = {f.kind for f in outcome(subject.but(vjp=vjp), dtype="float16").findings}
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
    assert {f.input for f in outcome(right.but(vjp=wrong), dtype=dtype).findings} == {"x"}


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
