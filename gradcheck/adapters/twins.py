"""A twin for free: a forward written against its inputs' array API namespace, on torch tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradcheck.adapters import nested, probing
from gradcheck.adapters.torch_autograd import random_state, require_torch
from gradcheck.subject import Subject


def torch_twin(subject: Subject) -> Callable[..., Any] | None:
    """The subject's own forward, where it takes torch tensors and is differentiable by autograd.

    Raises MissingExtra where torch is not installed.
    """
    torch = require_torch()
    if subject.backend != "numpy":
        return None
    for start in (3, 2, 4):
        sizes = probing.first_sizes(probing.names_of(subject.inputs), subject.dims or {}, start)
        if probing.fits(subject.inputs, sizes) and _works(torch, subject, sizes):
            return subject.forward
    return None


def _works(torch: Any, subject: Subject, sizes: dict[str, int]) -> bool:
    values: dict[str, Any] = {}
    for name, value in probing.numbers(subject.inputs, sizes).items():
        tensor = torch.tensor(value) if hasattr(value, "dtype") else value
        # A forward that went through NumPy would raise on a tensor that requires a gradient.
        moving = name in subject.differentiable
        values[name] = tensor.requires_grad_() if moving else tensor
    made: list[Any] = []
    with random_state({}):
        if not probing.succeeds(lambda: made.append(subject.forward(**values))):
            return False
    leaves = [leaf for leaf in nested.leaves(made[0]) if leaf is not None]
    tensors = [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]
    return len(tensors) == len(leaves) and any(leaf.requires_grad for leaf in tensors)
