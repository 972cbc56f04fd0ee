"""torch.nn.Module: parameters found, buffers restored, the module left as it was."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import UsageError, adapt, array, check, integers

torch = pytest.importorskip("torch")
nn = torch.nn

HARD = [
    (nn.LayerNorm(8), {"x": "batch 8"}),
    (nn.LSTM(3, 4), {"input": "time batch 3"}),
    (nn.Conv1d(2, 3, 3), {"x": "batch 2 length"}),
    (
        nn.MultiheadAttention(8, 2),
        {"query": "time batch 8", "key": "source batch 8", "value": "source batch 8"},
    ),
]


@pytest.mark.parametrize(("module", "inputs"), HARD, ids=lambda v: type(v).__name__)
def test_the_four_that_must_pass(module, inputs):
    report = check(module, inputs, examples=5, seed=1)
    assert report.passed, str(report)


def test_sizes_at_which_forward_raises_are_discards():
    report = check(nn.Conv1d(2, 3, 3), {"x": "batch 2 length"}, examples=10, seed=1)
    assert report.discards
    assert report.passed, str(report)


class Half(nn.Module):
    """x W^2 / 2, once with a path cut by detach."""

    def __init__(self, cut):
        super().__init__()
        self.cut = cut
        self.weight = nn.Parameter(torch.ones(3))

    def forward(self, x):
        other = self.weight.detach() if self.cut else self.weight
        return x * self.weight * other / 2


def test_a_detached_path_is_laid_at_its_parameter(at_a_point, blames):
    assert at_a_point(Half(cut=False), {"x": "batch 3"}).passed
    report = blames(Half(cut=True), "weight", {"x": "batch 3"})
    assert {finding.input for finding in report.findings} == {"weight"}


class Wrong(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.sin()

    @staticmethod
    def backward(ctx, grad):
        return grad * ctx.saved_tensors[0].sin()


def test_a_custom_function_inside_is_verified_too(blames):
    class Within(nn.Module):
        def forward(self, x):
            return Wrong.apply(x) * 2

    blames(Within(), "x", {"x": "batch 3"})


@pytest.mark.parametrize(
    ("module", "inputs", "found"),
    [
        (nn.Linear(3, 4), None, {"input": "batch 3", "weight": "4 3", "bias": "4"}),
        (nn.LayerNorm(5), None, {"input": "batch 5", "weight": "5", "bias": "5"}),
        (nn.Conv2d(2, 3, 2), None, {"input": "batch 2 height width", "weight": "3 2 2 2"}),
        (nn.Embedding(10, 3), None, {"input": "batch time", "weight": "10 3"}),
        (nn.MSELoss(), None, {"input": "batch features", "target": "batch features"}),
        (nn.Linear(3, 4, bias=False), {"rows": "batch 3"}, {"rows": "batch 3", "weight": "4 3"}),
    ],
    ids=lambda v: type(v).__name__ if isinstance(v, nn.Module) else None,
)
def test_inputs_and_parameters(module, inputs, found):
    shapes = {name: item.shape.text for name, item in adapt(module, inputs).inputs.items()}
    assert found.items() <= shapes.items()


def test_nested_names_stay_readable():
    subject = adapt(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)))
    assert list(subject.inputs)[1:] == ["0.weight", "0.bias", "2.weight", "2.bias"]


def test_a_size_that_fits_once_is_pinned():
    assert adapt(nn.Linear(3, 4), {"x": "batch features"}).dims == {"features": (3, 3)}


def test_nested_outputs_are_flattened():
    subject = adapt(nn.LSTM(3, 4), {"input": "time batch 3"})
    values = {
        name: torch.ones(item.shape.sizes({"time": 2, "batch": 5}), dtype=torch.float64)
        for name, item in subject.inputs.items()
    }
    outputs = subject.forward(**values)
    assert [tuple(out.shape) for out in outputs] == [(2, 5, 4), (1, 5, 4), (1, 5, 4)]


def test_nested_inputs(at_a_point):
    state = (array("1 batch 4"), array("1 batch 4"))
    report = at_a_point(nn.LSTM(3, 4), {"input": "time batch 3", "hx": state})
    assert report.passed, str(report)
    assert "hx.1" in report.detectable


def test_optional_inputs_may_be_none_or_left_out(at_a_point):
    inputs = {"query": "2 batch 4", "key": "3 batch 4", "value": "3 batch 4"}
    attention = nn.MultiheadAttention(4, 2)
    extra = {"key_padding_mask": None, "need_weights": False}
    assert at_a_point(attention, {**inputs, **extra}).passed


def test_frozen_parameters_are_no_inputs():
    layer = nn.Linear(3, 4)
    layer.bias.requires_grad_(False)
    assert list(adapt(layer).inputs) == ["input", "weight"]
    assert list(adapt(nn.Linear(3, 4), frozen=["weight"]).inputs) == ["input", "bias"]


def test_bounds_of_a_parameter_may_be_declared():
    subject = adapt(nn.PReLU(), {"input": "n", "weight": array("1", low=0, high=1)})
    assert subject.inputs["weight"].high == 1


def test_sparse_gradients_are_made_dense(at_a_point):
    layer = nn.Embedding(6, 3, sparse=True)
    report = at_a_point(layer, {"input": integers("batch time", 0, 6)})
    assert report.passed, str(report)


def test_train_and_eval_mode(at_a_point):
    norm = nn.BatchNorm1d(3)
    for train in (True, False):
        assert at_a_point(norm, {"x": "batch 3"}, train=train).passed
    assert norm.training


def test_dropout_draws_the_same_mask_in_forward_and_gradient(at_a_point):
    assert "stochastic" in adapt(nn.Dropout()).traits
    assert "stochastic" not in adapt(nn.Dropout(), train=False).traits
    assert at_a_point(nn.Dropout(), {"x": "batch n"}, sizes={"batch": 1}).passed


def test_lazy_modules_see_their_first_input(at_a_point):
    assert at_a_point(nn.LazyLinear(4), {"x": "batch 3"}).passed


def test_shared_parameters_are_one_input(at_a_point):
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.up = nn.Linear(3, 2, bias=False)
            self.down = nn.Linear(2, 3, bias=False)
            self.down.weight = nn.Parameter(torch.ones(3, 2))
            self.again = self.up

        def forward(self, x):
            return self.again(self.down(self.up(x)))

    assert list(adapt(Tied()).inputs) == ["x", "up.weight", "down.weight"]
    assert at_a_point(Tied()).passed


def test_the_module_is_left_as_it_was():
    torch.manual_seed(3)
    module = nn.Sequential(nn.BatchNorm1d(3), nn.Dropout(), nn.Linear(3, 2))
    state = {name: value.clone() for name, value in module.state_dict().items()}
    generator = torch.get_rng_state()
    check(module, {"x": "batch 3"}, train=False, examples=3, seed=1)
    assert module.training
    assert all(torch.equal(value, state[name]) for name, value in module.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in module.parameters())
    assert all(p.dtype == torch.float32 for p in module.parameters())
    assert torch.equal(torch.get_rng_state(), generator)


def test_the_recipe_builds_the_module_again():
    subject = adapt(nn.LayerNorm(8), {"x": "batch 8"})
    namespace: dict = {}
    exec(subject.recipe, namespace)
    assert isinstance(namespace["subject"], nn.LayerNorm)


def test_a_compiled_module_is_run_compiled(at_a_point):
    compiled = torch.compile(nn.Linear(3, 2), backend="aot_eager")
    assert at_a_point(compiled, {"x": "batch 3"}).passed


@pytest.mark.parametrize(
    ("module", "inputs", "options", "said"),
    [
        (nn.Bilinear(2, 3, 4), None, {}, r'give inputs=\{"input1": "batch features"'),
        (nn.Linear(3, 4), {"x": "batch 3", "y": "3"}, {}, "no place for input 'y'"),
        (nn.Bilinear(2, 3, 4), {"a": "batch 2"}, {}, "needs 'input2'"),
        (nn.Linear(3, 4), None, {"frozen": ["V"]}, "frozen names 'V'"),
        (nn.Linear(3, 4), None, {"learning_rate": 1}, "unknown option 'learning_rate'"),
    ],
)
def test_bad_use_is_one_line(module, inputs, options, said):
    with pytest.raises(UsageError, match=said) as raised:
        adapt(module, inputs, **options)
    assert "\n" not in str(raised.value)


def test_float32(at_a_point):
    subject = adapt(nn.BatchNorm1d(3), {"x": "batch 3"}, train=False)
    values = {
        name: torch.ones(item.shape.sizes({"batch": 2}), dtype=torch.float32)
        for name, item in subject.inputs.items()
    }
    assert subject.forward(**values).dtype == torch.float32
    assert np.isfinite(subject.forward(**values).numpy()).all()


class Checkpointed(nn.Module):
    """Runs its forward again in the backward, where it must hold the same parameters."""

    def __init__(self, reentrant, last=torch.tanh):
        super().__init__()
        self.first, self.second = nn.Linear(3, 4), nn.Linear(4, 2)
        self.reentrant, self.last = reentrant, last

    def inside(self, x):
        return self.last(self.second(torch.tanh(self.first(x))))

    def forward(self, x):
        from torch.utils.checkpoint import checkpoint

        return checkpoint(self.inside, x, use_reentrant=self.reentrant)


@pytest.mark.parametrize("reentrant", [False, True])
def test_a_checkpoint_runs_again_at_the_same_parameters(reentrant, blames):
    report = check(Checkpointed(reentrant), {"x": "n 3"}, examples=6, seed=1)
    assert report.passed, str(report)
    blames(Checkpointed(reentrant, last=Wrong.apply), "first.bias", {"x": "n 3"})


class OfItsModule(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, module):
        ctx.save_for_backward(x)
        ctx.module = module
        return x @ weight.T

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad @ ctx.module.weight, grad.T @ x, None


def test_a_backward_may_look_at_its_module(at_a_point):
    class Kernel(nn.Linear):
        def forward(self, x):
            return OfItsModule.apply(x, self.weight, self)

    assert at_a_point(Kernel(3, 2, bias=False), {"x": "batch 3"}).passed
