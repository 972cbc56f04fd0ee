"""A NumPy class in the form of torch.autograd.Function: forward(ctx, ...), backward(ctx, grad)."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from gradcheck.adapters.signatures import arguments
from gradcheck.callables import signature_of

_NAMES = {"ctx", "context"}


class Context:
    """What forward leaves for backward."""

    saved_tensors: tuple[Any, ...] = ()

    def save_for_backward(self, *values: Any) -> None:
        self.saved_tensors = values

    @property
    def saved_values(self) -> tuple[Any, ...]:
        return self.saved_tensors


def with_context(obj: Any, forward: str, backward: str) -> Any:
    """An object whose forward makes a fresh context each time; `obj` itself where it takes none."""
    methods = [getattr(obj, name) for name in (forward, backward)]
    if not all(_NAMES.intersection(arguments(method).positional[:1]) for method in methods):
        return obj
    own = {name: _given(method) for name, method in zip((forward, backward), methods, strict=True)}
    return type(type(obj).__name__, (_Contextual,), own)(forward)


class _Contextual:
    def __init__(self, forward: str) -> None:
        self.first = forward
        self.context = Context()


def _given(method: Callable[..., Any]) -> Callable[..., Any]:
    """The method without its first argument, a context that the object holds."""

    def called(self: Any, *args: Any, **kwargs: Any) -> Any:
        if method.__name__ == self.first:
            self.context = Context()
        return method(self.context, *args, **kwargs)

    taken = list(signature_of(method).parameters.values())[1:]
    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    called.__signature__ = inspect.Signature([own, *taken])  # type: ignore[attr-defined]
    return called
