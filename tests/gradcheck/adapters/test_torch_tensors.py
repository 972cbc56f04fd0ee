"""Functions on tensors, compiled or built in, and the drop-in for torch.autograd.gradcheck."""

from __future__ import annotations

import pytest

import gradcheck
from gradcheck import GradientError, UsageError, adapt, check, constant

torch = pytest.importorskip("torch")


class Off(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.exp()

    @staticmethod
    def backward(ctx, grad):
        return 1.0001 * grad * ctx.saved_tensors[0].exp()


def product(a, b):
    return a @ b.sin()


def slightly_off(a, b):
    return a @ Off.apply(b)


INPUTS = {"a": "n m", "b": "m k"}


def test_a_function_passes_and_a_fault_within_is_laid_at_its_input(at_a_point, blames):
    assert at_a_point(product, INPUTS).passed
    report = blames(slightly_off, "b", INPUTS)
    assert "a" not in {finding.input for finding in report.findings}


@pytest.mark.parametrize(
    ("function", "inputs"),
    [
        (torch.special.erf, None),
        (torch.logsumexp, {"x": "batch n", "dim": constant(-1)}),
        (lambda x: torch.relu(x) ** 2, None),
        (lambda x: x * x.sum(), {"x": "n"}),
    ],
    ids=["special.erf", "logsumexp", "relu squared", "no torch in its code"],
)
def test_functions_of_all_kinds(function, inputs):
    report = check(function, inputs, examples=6, seed=1)
    assert report.passed, str(report)


def test_a_compiled_function_is_compiled_for_every_shape():
    compiled = torch.compile(lambda x: torch.sin(x) * x, backend="aot_eager")
    report = check(compiled, {"x": "n"}, examples=4, seed=1)
    assert report.passed, str(report)


def test_an_unused_input_has_the_gradient_zero(at_a_point):
    assert at_a_point(lambda a, b: torch.sin(a), {"a": "n", "b": "n"}).passed


def test_outputs_marked_as_not_differentiable_get_no_cotangent(at_a_point):
    def with_rounded(x):
        return torch.sin(x), x.detach() * 2

    subject = adapt(with_rounded, {"x": "n"})
    assert subject.without_gradient == {1}
    assert "output 1 is not differentiable" in subject.remarks[0]
    assert at_a_point(subject).passed


def test_framework_must_be_known():
    with pytest.raises(UsageError, match="framework='tensorflow'"):
        adapt(product, INPUTS, framework="tensorflow")


def point():
    torch.manual_seed(5)
    a = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    return a, torch.randn(3, 2, dtype=torch.float64, requires_grad=True)


def test_the_drop_in_takes_torch_s_call():
    assert gradcheck.gradcheck(product, point(), eps=1e-6, atol=1e-5, fast_mode=True)
    assert gradcheck.gradcheck(torch.sin, point()[0])
    assert gradcheck.gradcheck(lambda a, k: a * k, (point()[0], 3))


def test_the_drop_in_finds_what_torch_s_tolerance_passes():
    assert torch.autograd.gradcheck(slightly_off, point())
    assert not gradcheck.gradcheck(slightly_off, point(), raise_exception=False, seed=1)
    with pytest.raises(GradientError, match=r"1\.0001"):
        gradcheck.gradcheck(slightly_off, point(), seed=1)


def test_bad_use_of_the_drop_in():
    with pytest.raises(UsageError, match="no input requires a gradient"):
        gradcheck.gradcheck(torch.sin, torch.ones(3))
    with pytest.raises(UsageError, match="unknown argument 'tolerance'"):
        gradcheck.gradcheck(torch.sin, point()[0], tolerance=1)
