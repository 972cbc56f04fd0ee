"""Torch layers at three sizes, as functions of named float64 tensors: what speed is measured on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call

Tensors = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Case:
    """forward(**tensors) -> tensor; `fixed` inputs are integers."""

    name: str
    size: str
    forward: Callable[..., torch.Tensor]
    tensors: Tensors
    fixed: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The differentiable inputs."""
        return tuple(name for name in self.tensors if name not in self.fixed)

    @property
    def parameters(self) -> int:
        """Differentiable numbers."""
        return sum(self.tensors[name].numel() for name in self.names)


class Swish(torch.autograd.Function):
    """A custom Function: x sigmoid(x) with a hand-written backward."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        """Forward: x sigmoid(x)."""
        s = torch.sigmoid(x)
        ctx.save_for_backward(x, s)
        return x * s

    @staticmethod
    def backward(ctx: Any, u: torch.Tensor) -> torch.Tensor:
        """Backward: u (s + x s (1 - s))."""
        x, s = ctx.saved_tensors
        return u * (s + x * s * (1 - s))


def swish(x: torch.Tensor) -> torch.Tensor:
    """The custom Function, called by name."""
    return Swish.apply(x)


def of_module(name: str, size: str, module: nn.Module, *shape: int, pick=lambda y: y) -> Case:
    """A module as a function of its input and its parameters."""
    parameters = {key.replace(".", "_"): p.detach() for key, p in module.named_parameters()}
    back = {key.replace(".", "_"): key for key, _ in module.named_parameters()}

    def forward(x, **given):
        return pick(functional_call(module, {back[k]: v for k, v in given.items()}, (x,)))

    return Case(name, size, forward, {"x": torch.randn(shape), **parameters})


def mlp(width: int) -> nn.Module:
    """Three linear layers with tanh."""
    return nn.Sequential(
        nn.Linear(width, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 8)
    )


def attend(width: int, size: str, length: int) -> Case:
    """Multi-head self-attention as a function of x and its weights."""
    module = nn.MultiheadAttention(width, 4, batch_first=True)
    parameters = {key.replace(".", "_"): p.detach() for key, p in module.named_parameters()}
    back = {key.replace(".", "_"): key for key, _ in module.named_parameters()}

    def forward(x, **given):
        values = {back[k]: v for k, v in given.items()}
        return functional_call(module, values, (x, x, x), {"need_weights": False})[0]

    return Case("attention", size, forward, {"x": torch.randn(2, length, width), **parameters})


def normed(size: str, rows: int, width: int) -> Case:
    """Batch norm in training mode, without running statistics."""
    tensors = {
        "x": torch.randn(rows, width),
        "weight": torch.rand(width) + 0.5,
        "bias": torch.randn(width),
    }

    def forward(x, weight, bias):
        return F.batch_norm(x, None, None, weight, bias, training=True)

    return Case("batch norm", size, forward, tensors)


def embedded(size: str, words: int, width: int) -> Case:
    """Embedding lookup with repeats."""
    tensors = {"table": torch.randn(words, width), "index": torch.randint(0, words, (4, 16))}
    return Case(
        "embedding", size, lambda table, index: F.embedding(index, table), tensors, ("index",)
    )


def nll(x: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of logits, called by name."""
    return F.cross_entropy(x, labels)


def classified(size: str, rows: int, classes: int) -> Case:
    """Softmax cross-entropy."""
    tensors = {"x": torch.randn(rows, classes), "labels": torch.randint(0, classes, (rows,))}
    return Case("cross entropy", size, nll, tensors, ("labels",))


def cases() -> list[Case]:
    """Every layer at three sizes, float64."""
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    made: list[Case] = []
    for size, n in (("small", 8), ("medium", 32), ("large", 128)):
        made += [
            of_module("linear", size, nn.Linear(n, n), 4, n),
            of_module("mlp", size, mlp(n), 4, n),
            of_module(
                "lstm T=20", size, nn.LSTM(n, n, batch_first=True), 2, 20, n, pick=lambda y: y[0]
            ),
            of_module(
                "gru T=20", size, nn.GRU(n, n, batch_first=True), 2, 20, n, pick=lambda y: y[0]
            ),
            of_module("conv1d", size, nn.Conv1d(n // 2, n, 3), 2, n // 2, 32),
            of_module("conv2d", size, nn.Conv2d(n // 4, n // 2, 3), 2, n // 4, 12, 12),
            of_module("layer norm", size, nn.LayerNorm(n), 8, n),
            normed(size, 16, n),
            attend(n, size, 12),
            embedded(size, 8 * n, n),
            classified(size, 16, n),
            Case("custom swish", size, swish, {"x": torch.randn(8, n)}),
            of_module(
                "encoder layer",
                size,
                nn.TransformerEncoderLayer(n, 4, 2 * n, dropout=0.0, batch_first=True),
                2,
                8,
                n,
            ),
        ]
    return made
