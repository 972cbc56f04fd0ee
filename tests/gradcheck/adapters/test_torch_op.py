"""Custom operators of torch.library, in all the ways they may be named."""

from __future__ import annotations

import pytest

from gradcheck import UsageError, adapt, check, constant

torch = pytest.importorskip("torch")


def scaled_square(name, kernel, fake=True):
    @torch.library.custom_op(f"gradcheck_tests::{name}", mutates_args=())
    def operator(x: torch.Tensor, scale: float = 2.0) -> torch.Tensor:
        return kernel(x, scale)

    def save(ctx, inputs, output):
        ctx.x, ctx.scale = inputs

    if fake:
        operator.register_fake(lambda x, scale=2.0: torch.empty_like(x))
    operator.register_autograd(
        lambda ctx, grad: (grad * 2 * ctx.x * ctx.scale, None), setup_context=save
    )
    return operator


def without_last(x, scale):
    out = x * x * scale
    out[..., -1:] = x[..., -1:]
    return out


RIGHT = scaled_square("right", lambda x, scale: x * x * scale)
TAIL = scaled_square("tail", without_last)
UNTRACED = scaled_square("untraced", lambda x, scale: x * x * scale, fake=False)
MUTATES = scaled_square("mutates", lambda x, scale: x.mul_(x).mul(scale))


@pytest.mark.parametrize(
    "operator",
    [RIGHT, torch.ops.gradcheck_tests.right, torch.ops.gradcheck_tests.right.default],
    ids=["definition", "packet", "overload"],
)
def test_a_right_operator_passes(operator, at_a_point):
    assert at_a_point(operator, {"x": "rows n"}).passed
    assert adapt(operator).name == "gradcheck_tests.right"


def test_arguments_that_are_no_tensors(at_a_point):
    assert at_a_point(RIGHT, {"x": "n", "scale": constant(0.5)}).passed


def test_a_fault_in_the_kernel_is_laid_at_its_input(blames):
    report = blames(TAIL, "x", {"x": "rows n"})
    assert report.findings[0].index[-1] == 2


def test_opcheck_is_run():
    report = check(MUTATES, {"x": "n"}, examples=2, seed=1)
    assert any("opcheck, test_schema" in remark for remark in report.remarks)
    report = check(MUTATES, {"x": "n"}, examples=2, seed=1, checks=["contract"])
    assert "opcheck, test_schema" in report.findings[0].message


def test_what_concerns_compilation_alone_is_a_remark():
    report = check(UNTRACED, {"x": "n"}, examples=3, seed=1)
    assert report.passed, str(report)
    assert any("test_faketensor" in remark for remark in report.remarks)


def test_an_operator_with_overloads_must_be_named():
    with pytest.raises(UsageError, match=r"overloads .*name one"):
        adapt(torch.ops.aten.add, {"self": "n", "other": "n"})


def test_an_aten_operator(at_a_point):
    inputs = {"a": "n", "b": "n"}
    assert at_a_point(torch.ops.aten.mul.Tensor, inputs, opcheck=False).passed
