"""Second order: a backward whose own gradient is cut off is found, one that says so is not run."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import Subject, check

torch = pytest.importorskip("torch")
INPUTS = {"x": "batch n", "w": "n"}


class Grown(torch.autograd.Function):
    """exp(x) w, with a backward that autograd can follow."""

    @staticmethod
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        return x.exp() * w

    @staticmethod
    def backward(ctx, grad):
        x, w = ctx.saved_tensors
        return grad * x.exp() * w, (grad * x.exp()).sum(0)


class KeptOnTheContext(Grown):
    @staticmethod
    def forward(ctx, x, w):
        ctx.grown = x.exp()  # not saved: a constant to the second backward
        ctx.save_for_backward(x, w)
        return ctx.grown * w

    @staticmethod
    def backward(ctx, grad):
        _, w = ctx.saved_tensors
        return grad * ctx.grown * w, (grad * ctx.grown).sum(0)


class ThroughData(Grown):
    @staticmethod
    def backward(ctx, grad):
        x, w = ctx.saved_tensors
        return grad * x.exp() * w.data, (grad * x.exp()).sum(0)


class WithoutGrad(Grown):
    @staticmethod
    def backward(ctx, grad):
        with torch.no_grad():
            return Grown.backward(ctx, grad)


class ThroughNumPy(Grown):
    @staticmethod
    def backward(ctx, grad):
        x, w = ctx.saved_tensors
        grown = torch.from_numpy(np.exp(x.detach().numpy()))
        return grad * grown * w, (grad * grown).sum(0)


class Once(Grown):
    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad):
        return Grown.backward(ctx, grad)


PROMISED = ("twice differentiable",)


def outcome(obj, inputs=INPUTS, seed=1):
    report = check(obj, inputs, seed=seed, checks=["second_order"], traits=PROMISED)
    return report.outcomes["second_order"]


def inputs_found(obj):
    return {finding.input for finding in outcome(obj).findings}


def test_a_differentiable_backward_passes_at_four_examples_at_most():
    found = outcome(Grown)
    assert found.verdict == "correct"
    assert not found.remarks
    assert 0 < found.score < 1


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (KeptOnTheContext, {"x"}),
        (ThroughData, {"w"}),
        (ThroughNumPy, {"x"}),
        (WithoutGrad, {"x", "w", None}),  # None: the cotangent
    ],
)
def test_a_backward_cut_off_from_the_graph_names_its_input(function, names):
    assert inputs_found(function) == names


def test_first_order_is_right_all_the_same():
    report = check(ThroughData, INPUTS, seed=1, traits=PROMISED)
    assert {finding.check for finding in report.findings} == {"second_order"}


def test_the_message_names_input_and_fault():
    (finding,) = outcome(ThroughData).findings
    assert finding.kind == "wrong"
    assert finding.fault == "always zero"
    assert "`w`" in finding.message
    assert "once_differentiable" in finding.hint


class CutTwice(Grown):
    """Nothing of the backward can be differentiated again, for both inputs."""

    factor = 1.0

    @staticmethod
    def backward(ctx, grad):
        x, w = (value.detach() for value in ctx.saved_tensors)
        return CutTwice.factor * grad * x.exp() * w, (grad * x.exp()).sum(0)


def test_the_remark_is_made_once_for_all_inputs():
    remarks = check(CutTwice, INPUTS, seed=1).remarks
    said = [remark for remark in remarks if "gradients of gradients" in remark]
    assert len(said) == 1
    assert "`x` and `w`" in said[0]
    assert "gradients are not in question" in said[0]


def test_no_remark_beside_a_gradient_that_is_wrong(monkeypatch):
    monkeypatch.setattr(CutTwice, "factor", 2.0)
    report = check(CutTwice, INPUTS, seed=1)
    assert report.verdict == "wrong"
    assert not [remark for remark in report.remarks if "gradients of gradients" in remark]


def test_what_is_not_promised_is_a_remark():
    report = check(ThroughData, INPUTS, seed=1)
    assert report.verdict == "correct"
    assert any("differentiating it again gives" in remark for remark in report.remarks)


def test_at_given_arrays():
    at = {"x": np.array([[0.5, -1.0]]), "w": np.array([2.0, 3.0])}
    report = check(KeptOnTheContext, at=at, checks=["second_order"], traits=PROMISED)
    assert {finding.input for finding in report.findings} == {"x"}
    assert np.array_equal(report.findings[0].example["x"], at["x"])


def test_once_differentiable_is_not_applicable_and_says_why():
    found = outcome(Once)
    assert found.verdict == "skipped"
    assert "once_differentiable" in found.not_run


def test_an_operator_without_a_second_derivative_is_not_applicable():
    def distances(x, y):
        return torch.cdist(x, y, p=3.0)

    found = outcome(distances, {"x": "n 2", "y": "m 2"})
    assert "not implemented" in found.not_run or "not differentiable" in found.not_run


LAYERS = {
    "relu": (torch.nn.ReLU, {"input": "batch n"}),
    "deep relu": (
        lambda: torch.nn.Sequential(
            torch.nn.Linear(3, 5), torch.nn.ReLU(), torch.nn.Linear(5, 5), torch.nn.ReLU()
        ),
        {"input": "batch 3"},
    ),
    "max pool": (lambda: torch.nn.MaxPool1d(2), {"input": "batch channels n"}),
    "huber": (torch.nn.HuberLoss, {"input": "n", "target": "n"}),
    "absolute": (torch.nn.L1Loss, {"input": "n", "target": "n"}),
    "layer norm": (lambda: torch.nn.LayerNorm(5), {"input": "batch 5"}),
    "lstm": (lambda: torch.nn.LSTM(3, 2), {"input": "time batch 3"}),
    "dropout": (lambda: torch.nn.Dropout(0.4), {"input": "batch n"}),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_with_kinks_raise_no_alarm(name):
    make, inputs = LAYERS[name]
    torch.manual_seed(0)
    found = [outcome(make(), inputs, seed=seed) for seed in (1, 2, 3)]
    assert [(o.verdict, o.findings, o.remarks) for o in found] == [("correct", [], [])] * 3


def test_a_subject_of_numpy_without_second_says_so():
    subject = Subject("id", lambda x: x, lambda u, x: {"x": u}, {"x": "n"})
    assert outcome(subject, None).not_run == "no second order is declared"


def twice(second):
    return Subject(
        "product", lambda a, b: a * b, lambda u, a, b: {"a": u * b, "b": u * a},
        {"a": "n", "b": "n"}, second=second,
    )  # fmt: skip


def right(d, u, a, b):
    return {"a": u * d["b"], "b": u * d["a"]}, b * d["a"] + a * d["b"]


def raises(d, u, a, b):
    raise NotImplementedError("no second order")


def leaves_one_out(d, u, a, b):
    return {"a": u * d["b"]}, b * d["a"] + a * d["b"]


def leaves_the_cotangent_out(d, u, a, b):
    return {"a": u * d["b"], "b": u * d["a"]}


def a_column(d, u, a, b):
    inputs, cotangent = right(d, u, a, b)
    return {name: gradient[:, None] for name, gradient in inputs.items()}, cotangent


UNKEPT = [
    (raises, "no second order"),
    (leaves_one_out, "KeyError: 'b'"),
    (leaves_the_cotangent_out, "differentiated again"),
    (a_column, "second returned shape"),
]


@pytest.mark.parametrize(("second", "said"), UNKEPT, ids=[f.__name__ for f, _ in UNKEPT])
def test_what_is_given_for_second_order_is_a_promise(second, said):
    report = check(twice(second), seed=1, checks=["second_order"])
    assert report.verdict == "broken"
    assert said in str(report)
    assert check(twice(right), seed=1, checks=["second_order"]).passed
