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


def test_a_function_that_indexes_shows_that_it_differentiates(blames):
    """With no word of torch in its code: it is called with the values that are declared."""

    class Picked(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, index):
            ctx.save_for_backward(index)
            ctx.rows = len(x)
            return x[index]

        @staticmethod
        def backward(ctx, grad):
            (index,) = ctx.saved_tensors
            return grad.new_zeros((ctx.rows, *grad.shape[1:])).index_add(0, index, grad), None

    def picked(x, index):
        return Picked.apply(x, index)

    inputs = {"x": "n m", "index": gradcheck.integers("k", 0, "n")}
    assert check(picked, inputs, examples=6, seed=1).passed
    blames(lambda x, index: Picked.apply(Off.apply(x), index), "x", inputs)


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


WHERE = torch.tensor([[0, 1, 2], [1, 0, 1]])


@pytest.mark.parametrize(
    ("function", "inputs"),
    [
        (lambda x: (x**2).to_sparse(), {"x": "n m"}),
        (lambda x: (x**2).to_sparse_csr(), {"x": "n m"}),
        (lambda x: torch.sparse_coo_tensor(WHERE, x.sin(), (3, 2)), {"x": "3"}),
        (lambda a, b: torch.nested.as_nested_tensor([a**2, b.sin()]), {"a": "n 3", "b": "m 3"}),
    ],
    ids=["coo", "csr", "made of values", "nested"],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_outputs_without_strides_are_written_out(function, inputs):
    report = check(function, inputs, examples=4, seed=1)
    assert report.passed, str(report)
    name = next(iter(inputs))
    wrong = check(
        lambda first, *rest: function(Off.apply(first), *rest), inputs, examples=4, seed=1
    )
    assert {finding.input for finding in wrong.findings} == {name}


def test_numbers_of_two_halves_are_too_coarse_to_judge():
    report = check(lambda x: (x**2).to(torch.complex32), {"x": "n 3"}, seed=0, examples=3)
    assert report.verdict == "inconclusive", str(report)


def test_an_output_without_numbers_is_a_wrong_use():
    with pytest.raises(UsageError, match="'meta' holds no numbers"):
        check(lambda x: x.to("meta"), {"x": "n"}, seed=0, examples=2)


def checkpointed(x, w):
    from torch.utils.checkpoint import checkpoint

    return checkpoint(lambda x: torch.tanh(x @ w), x, use_reentrant=True)


def test_a_graph_that_takes_backward_alone(at_a_point, blames):
    """torch.autograd.grad refuses a reentrant checkpoint; training never calls it."""
    assert at_a_point(checkpointed, {"x": "n 3", "w": "3 m"}).passed
    blames(lambda x, w: checkpointed(x, Off.apply(w)), "w", {"x": "n 3", "w": "3 m"})
