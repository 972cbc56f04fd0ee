"""torch.autograd.Function: the class is verified through apply."""

from __future__ import annotations

import pytest

from gradcheck import adapt, check, constant

torch = pytest.importorskip("torch")


class Scaled(torch.autograd.Function):
    """sum_k x w times a plain number; old style, with a None for the number."""

    @staticmethod
    def forward(ctx, x, w, scale):
        ctx.save_for_backward(x, w)
        ctx.scale = scale
        return (x * w * scale).sum(-1)

    @staticmethod
    def backward(ctx, grad):
        x, w = ctx.saved_tensors
        grad = grad.unsqueeze(-1) * ctx.scale
        return grad * w, (grad * x).sum(0), None


class Sign(Scaled):
    @staticmethod
    def backward(ctx, grad):
        gx, gw, _ = Scaled.backward(ctx, grad)
        return gx, -gw, None


class Forgets(Scaled):
    @staticmethod
    def backward(ctx, grad):
        gx, _, _ = Scaled.backward(ctx, grad)
        return gx, None, None


class AsksForTheWrongOne(Scaled):
    """Looks at needs_input_grad of x to decide about w."""

    @staticmethod
    def backward(ctx, grad):
        gx, gw, _ = Scaled.backward(ctx, grad)
        return gx, gw if ctx.needs_input_grad[0] else None, None


class Separate(torch.autograd.Function):
    """New style: forward without ctx, and setup_context."""

    @staticmethod
    def forward(x, w):
        return x.sin() * w

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx, grad):
        x, w = ctx.saved_tensors
        return grad * x.cos() * w, grad * x.sin()


INPUTS = {"x": "batch n", "w": "n", "scale": constant(3.0)}


def test_a_right_function_passes(at_a_point):
    assert at_a_point(Scaled, INPUTS).passed
    assert at_a_point(Scaled, {"a": "batch n", "b": "n", "c": 3.0}).passed, "matched by order"
    assert at_a_point(Separate, {"x": "n", "w": "n"}).passed
    assert check(Separate, examples=5, seed=1).passed, "shapes are found by trial"


@pytest.mark.parametrize("wrong", [Sign, Forgets], ids=lambda kind: kind.__name__)
def test_a_fault_is_laid_at_its_input(wrong, blames):
    blames(wrong, "w", INPUTS)


def test_needs_input_grad_is_tried_one_at_a_time(at_a_point):
    report = at_a_point(AsksForTheWrongOne, INPUTS)
    assert report.verdict == "broken"
    assert "needs_input_grad true for `w` but not for `x`" in report.findings[0].message


def test_one_at_a_time_is_not_tried_in_every_call_until_something_differs():
    def calls(function, number):
        asked = []

        class Counted(function):
            @staticmethod
            def backward(ctx, grad):
                asked.append(ctx.needs_input_grad)
                return function.backward(ctx, grad)

        subject = adapt(Counted, INPUTS)
        asked.clear()
        point = {"x": torch.ones(2, 3).double(), "w": torch.ones(3).double(), "scale": 3.0}
        raised = 0
        for _ in range(number):
            try:
                subject.vjp(torch.ones(2).double(), **point)
            except RuntimeError:
                raised += 1
        return len(asked), raised

    assert calls(Scaled, 40) == (40 + 2 * (8 + 4), 0)
    assert calls(AsksForTheWrongOne, 40)[1] == 40


def test_a_backward_that_raises_is_broken(at_a_point):
    class Raises(Separate):
        @staticmethod
        def backward(ctx, grad):
            raise ArithmeticError("no derivative today")

    report = at_a_point(Raises, {"x": "n", "w": "n"})
    assert report.verdict == "broken"
    assert "no derivative today" in report.findings[0].message


def test_the_name_and_the_rule_at_kinks():
    subject = adapt(Scaled, INPUTS)
    assert (subject.name, subject.kinks) == ("Scaled", "subgradient")


class Pushed(torch.autograd.Function):
    """A forward mode of its own beside the backward."""

    slope = 1.0

    @staticmethod
    def forward(x, w, scale):
        return x.tanh() * w * scale, x.argmax()

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.mark_non_differentiable(output[1])
        ctx.save_for_backward(*inputs[:2])
        ctx.save_for_forward(*inputs[:2])
        ctx.scale = inputs[2]

    @staticmethod
    def backward(ctx, grad, _):
        x, w = ctx.saved_tensors
        grad = grad * ctx.scale
        return grad * w * (1 - x.tanh() ** 2), (grad * x.tanh()).sum(0), None

    @classmethod
    def jvp(cls, ctx, of_x, of_w, _):
        x, w = ctx.saved_tensors
        moved = of_x * w * (1 - cls.slope * x.tanh() ** 2) + x.tanh() * of_w
        return moved * ctx.scale, None


class PushedWrong(Pushed):
    slope = -1.0


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_a_jvp_of_its_own_is_held_against_the_backward(dtype):
    assert adapt(Separate, {"x": "n", "w": "n"}).jvp is None
    assert check(Pushed, INPUTS, seed=0, examples=6, dtype=dtype).passed
    found = check(PushedWrong, INPUTS, seed=0, examples=6, dtype=dtype)
    assert found.verdict == "wrong"
    assert "one of jvp and vjp is wrong" in str(found)
