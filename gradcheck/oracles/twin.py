"""The twin as an oracle: another implementation's outputs and gradients, in NumPy arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from gradcheck.evaluation import as_outputs, reset_random_state
from gradcheck.subject import Subject

Numbers = Mapping[str, Any]


class Twin(Protocol):
    """Another implementation of a subject's function.

    outputs(numbers) -> tuple of NumPy arrays; gradients(cotangents, numbers, names) -> mapping.
    Whatever the twin raises is let through.
    """

    def outputs(self, numbers: Numbers) -> tuple[np.ndarray, ...]: ...

    def gradients(
        self, cotangents: tuple[Any, ...], numbers: Numbers, names: tuple[str, ...]
    ) -> dict[str, np.ndarray]: ...


def twin_of(subject: Subject, device: str = "cpu") -> Twin:
    """The declared twin: a Subject, or a callable on torch tensors with its own autograd."""
    if isinstance(subject.twin, Subject):
        return SubjectTwin(subject.twin, device)
    return TorchTwin(subject.twin, device, "stochastic" in subject.traits)


class SubjectTwin:
    """Another Subject: its forward and its own claimed VJP."""

    def __init__(self, subject: Subject, device: str) -> None:
        from gradcheck.backends import backend

        self.subject = subject
        self.backend = backend(subject.backend, device if subject.backend != "numpy" else "cpu")

    def outputs(self, numbers: Numbers) -> tuple[np.ndarray, ...]:
        returned = as_outputs(self.subject.forward(**self._native(numbers)))
        return tuple(self.backend.to_numpy(output) for output in returned)

    def gradients(
        self, cotangents: tuple[Any, ...], numbers: Numbers, names: tuple[str, ...]
    ) -> dict[str, np.ndarray]:
        arrays = self._native(numbers)
        own = tuple(None if u is None else self.backend.from_numpy(u) for u in cotangents)
        bare = not isinstance(self.subject.forward(**arrays), tuple | list)
        returned = self.subject.vjp(own[0] if bare else own, **arrays)
        return {name: self.backend.to_numpy(returned[name]) for name in names}

    def _native(self, numbers: Numbers) -> dict[str, Any]:
        is_numpy = np.ndarray
        convert = self.backend.from_numpy
        return {n: convert(a) if isinstance(a, is_numpy) else a for n, a in numbers.items()}


class TorchTwin:
    """A callable on torch tensors, by input name; the gradient is torch's autograd."""

    def __init__(self, function: Callable[..., Any], device: str, stochastic: bool) -> None:
        self.function, self.device, self.stochastic = function, device, stochastic

    def outputs(self, numbers: Numbers) -> tuple[np.ndarray, ...]:
        import torch

        with torch.no_grad():
            returned = self._call(self._tensors(numbers, ()))
        return tuple(output.detach().cpu().numpy() for output in returned)

    def gradients(
        self, cotangents: tuple[Any, ...], numbers: Numbers, names: tuple[str, ...]
    ) -> dict[str, np.ndarray]:
        import torch

        tensors = self._tensors(numbers, names)
        pairs = [
            (output, torch.as_tensor(u, device=self.device))
            for output, u in zip(self._call(tensors), cotangents, strict=True)
            if u is not None and output.requires_grad
        ]
        leaves = [tensors[name] for name in names]
        if not pairs:
            return {name: np.zeros(tensors[name].shape) for name in names}
        found = torch.autograd.grad(
            [output for output, _ in pairs], leaves, [u for _, u in pairs], allow_unused=True
        )
        return {
            name: (torch.zeros_like(leaf) if g is None else g.resolve_conj()).detach().cpu().numpy()
            for name, leaf, g in zip(names, leaves, found, strict=True)
        }

    def _call(self, tensors: Mapping[str, Any]) -> tuple[Any, ...]:
        if self.stochastic:
            reset_random_state()
        return as_outputs(self.function(**tensors))

    def _tensors(self, numbers: Numbers, names: tuple[str, ...]) -> dict[str, Any]:
        import torch

        tensors: dict[str, Any] = {}
        for name, value in numbers.items():
            if isinstance(value, np.ndarray):
                tensor = torch.tensor(np.array(value, order="C"), device=self.device)
                tensors[name] = tensor.requires_grad_() if name in names else tensor
            else:
                tensors[name] = value
        return tensors
