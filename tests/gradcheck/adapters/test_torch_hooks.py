"""Hooks on parameters: an optimizer sees what they leave, so that is what is judged."""

from __future__ import annotations

import pytest

from gradcheck import adapt

torch = pytest.importorskip("torch")
nn = torch.nn


class Inside(nn.Module):
    """A linear layer in a submodule, with hooks on one of its parameters."""

    def __init__(self, hook=None, after=None, on="weight"):
        super().__init__()
        self.linear = nn.Linear(4, 3)
        parameter = getattr(self.linear, on)
        if hook:
            parameter.register_hook(hook)
        if after:
            parameter.register_post_accumulate_grad_hook(after)

    def forward(self, x):
        return self.linear(x).tanh()


def clamped(parameter):
    parameter.grad.clamp_(-0.01, 0.01)


def replaced(parameter):
    parameter.grad = parameter.grad * 1.01


def in_place(gradient):
    gradient.mul_(0.5)


WRONG = {
    "scaled": {"hook": lambda g: g * 0.5},
    "in place": {"hook": in_place},
    "a triangle": {"hook": lambda g: g * torch.tril(torch.ones_like(g))},
    "of a float32 matrix": {"hook": lambda g: torch.eye(3) @ g * 1.01},
    "clamped in .grad": {"after": clamped},
    "another .grad": {"after": replaced, "on": "bias"},
}


@pytest.mark.parametrize("hooks", WRONG.values(), ids=WRONG)
def test_a_hook_that_changes_a_gradient_is_found(hooks, blames):
    blames(Inside(**hooks), f"linear.{hooks.get('on', 'weight')}", {"x": "n 4"})


def test_hooks_that_only_look_are_right(at_a_point):
    seen = []

    def count(gradient):
        seen.append(gradient)

    report = at_a_point(Inside(count, count), {"x": "n 4"})
    assert report.passed
    assert seen
    assert "hooks on `linear.weight` were run" in " ".join(report.remarks)


def test_a_hook_that_works_in_float32_and_changes_nothing_is_right(at_a_point):
    assert at_a_point(Inside(lambda g: torch.eye(3) @ g), {"x": "n 4"}).passed
    assert at_a_point(Inside(lambda g: g.float()), {"x": "n 4"}).passed


@pytest.mark.parametrize("factor", [1.0, 0.9])
def test_a_hook_may_close_over_its_module(factor, at_a_point):
    module = Inside()
    weight = module.linear.weight
    weight.register_post_accumulate_grad_hook(lambda _: weight.grad.mul_(factor))
    assert at_a_point(module, {"x": "n 4"}).passed == (factor == 1.0)
    assert weight.grad is None
    assert weight.dtype == torch.float32


@pytest.mark.parametrize("clip", [False, True])
def test_an_optimizer_in_the_backward_takes_no_step(clip, at_a_point):
    module = Inside()
    optimizers = {p: torch.optim.Adam([p]) for p in module.parameters()}

    def step(parameter):
        if clip:
            torch.nn.utils.clip_grad_norm_([parameter], 0.01)
        optimizers[parameter].step()
        optimizers[parameter].zero_grad()

    for parameter in module.parameters():
        parameter.register_post_accumulate_grad_hook(step)
    before = [p.detach().clone() for p in module.parameters()]
    assert at_a_point(module, {"x": "n 4"}).passed != clip
    assert all(map(torch.equal, before, module.parameters()))
    assert not any(optimizer.state for optimizer in optimizers.values())


def test_a_hook_that_moves_its_parameter_has_used_the_gradient_up(at_a_point):
    def descend(parameter):
        parameter.data.add_(parameter.grad, alpha=-0.1)
        parameter.grad.zero_()

    assert at_a_point(Inside(after=descend), {"x": "n 4"}).passed


def test_of_a_parametrization(at_a_point, blames):
    def normed(factor):
        linear = nn.utils.parametrizations.weight_norm(nn.Linear(4, 3))
        linear.parametrizations.weight.original0.register_hook(lambda g: g * factor)
        return linear

    assert at_a_point(normed(1.0), {"x": "n 4"}).passed
    blames(normed(1.01), "parametrizations.weight.original0", {"x": "n 4"})


def test_of_a_shared_parameter(at_a_point, blames):
    def tied(factor):
        module = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4))
        module[2].weight = module[0].weight
        module[2].weight.register_hook(lambda g: g * factor)
        return module

    assert at_a_point(tied(1.0), {"x": "n 4"}).passed
    blames(tied(0.5), "0.weight", {"x": "n 4"})


@pytest.mark.parametrize(
    ("wrap", "name"),
    [
        (lambda module: torch.compile(module, backend="aot_eager"), "_orig_mod.linear.weight"),
        (nn.DataParallel, "linear.weight"),
        (torch.jit.script, "linear.weight"),
    ],
    ids=["compiled", "DataParallel", "scripted"],
)
def test_inside_a_wrapper(wrap, name, at_a_point, blames):
    assert at_a_point(wrap(Inside(lambda g: g * 1)), {"x": "n 4"}).passed
    blames(wrap(Inside(lambda g: g * 0.5)), name, {"x": "n 4"})


def test_of_a_frozen_parameter_nothing_is_asked(at_a_point):
    module = Inside(lambda g: g * 0.5)
    module.linear.weight.requires_grad_(False)
    assert at_a_point(module, {"x": "n 4"}).passed
    assert at_a_point(Inside(lambda g: g * 0.5), {"x": "n 4"}, frozen=["linear.weight"]).passed


def test_a_module_with_hooks_has_no_recipe_that_drops_them():
    linear = nn.Linear(4, 3)
    linear.weight.register_hook(lambda g: g * 0.5)
    assert adapt(linear, {"x": "n 4"}).recipe is None


def test_what_is_reached_and_no_input_gets_a_remark():
    scale = torch.ones(4, dtype=torch.float64, requires_grad=True)
    scale.register_hook(lambda g: g * 0.5)

    def scaled(x):
        return x * scale

    def constant(x):
        return x * scale.detach()

    said = " ".join(adapt(scaled, {"x": "n 4"}).remarks)
    assert "no inputs, of shape (4,): neither their gradients nor hooks on them" in said
    assert not adapt(constant, {"x": "n 4"}, framework="torch").remarks


class Shifted(nn.Module):
    """Holds what requires a gradient and is no parameter."""

    def __init__(self):
        super().__init__()
        self.shift = torch.ones(4, requires_grad=True)

    def forward(self, x):
        return x + self.shift


def test_a_tensor_that_a_module_holds_gets_the_same_remark():
    assert "are no inputs" in " ".join(adapt(Shifted(), {"x": "n 4"}).remarks)
