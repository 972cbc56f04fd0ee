"""Any optimizer -> a run over given gradients and rates: the weights after each step."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.errors import UsageError

# What a learning rate is called by those who write optimizers.
RATES = ("lr", "learning_rate", "rate", "eta", "alpha")
METHODS = ("step", "update", "apply", "__call__")


@dataclass(frozen=True)
class Driver:
    """One optimizer. start(weights, rate) -> advance(gradient, rate) -> the weights after it.

    rated: whether it takes the rate it is given; else its rate is its own and cannot change.
    """

    name: str
    start: Callable[[np.ndarray, float], Callable[[np.ndarray, float], Any]]
    rated: bool = True

    def run(
        self, weights: np.ndarray, gradients: Sequence[np.ndarray], rates: Sequence[float]
    ) -> np.ndarray:
        """Weights after each step, (steps, *shape), in float64.

        Raises UsageError where a step returns something that is no array of the weights' shape.
        """
        advance = self.start(weights.copy(), rates[0])
        with np.errstate(all="ignore"):
            return np.array(list(self._steps(advance, weights.shape, gradients, rates)))

    def _steps(
        self,
        advance: Callable[[np.ndarray, float], Any],
        shape: tuple[int, ...],
        gradients: Sequence[np.ndarray],
        rates: Sequence[float],
    ) -> Iterator[np.ndarray]:
        for gradient, rate in zip(gradients, rates, strict=True):
            after = np.array(advance(np.array(gradient), rate), dtype=float)
            if after.shape != shape:
                raise UsageError(
                    f"optimizer {self.name}: weights of shape {shape} became {after.shape}"
                )
            yield after


def driver(optimizer: Any, role: str) -> Driver:
    """The Driver of a step function, a class with a step or update method, torch's or Keras's.

    Raises UsageError, naming `role`, for anything else.
    """
    made = optimizer.func if isinstance(optimizer, functools.partial) else optimizer
    name = getattr(made, "__qualname__", type(made).__name__)
    if not callable(optimizer):
        raise UsageError(f"{role}={optimizer!r}: expected a step function or an optimizer's class")
    if not isinstance(made, type):
        return _pure(optimizer, name)
    if _is_a(made, "torch", "optim.Optimizer"):
        return Driver(name, functools.partial(_torch, optimizer))
    if _is_a(made, "keras", "optimizers.Optimizer"):
        return Driver(name, functools.partial(_keras, optimizer))
    return _object(optimizer, made, name, role)


def _is_a(made: type, package: str, path: str) -> bool:
    """Whether it is of a framework's class; one that is not loaded cannot have made it."""
    module: Any = sys.modules.get(package)
    if module is None:
        return False
    for part in path.split("."):
        module = getattr(module, part)
    return issubclass(made, module)


def _torch(make: Any, weights: np.ndarray, rate: float) -> Callable[[np.ndarray, float], Any]:
    import torch

    parameter = torch.nn.Parameter(torch.from_numpy(weights))
    optimizer = make([parameter], lr=rate)

    def advance(gradient: np.ndarray, rate: float) -> Any:
        for group in optimizer.param_groups:
            group["lr"] = rate
        parameter.grad = torch.from_numpy(gradient)
        optimizer.step()
        return parameter.detach().numpy()

    return advance


def _keras(make: Any, weights: np.ndarray, rate: float) -> Callable[[np.ndarray, float], Any]:
    import keras

    variable = keras.Variable(weights, dtype="float64")
    optimizer = make(learning_rate=rate)
    optimizer.build([variable])

    def advance(gradient: np.ndarray, rate: float) -> Any:
        optimizer.learning_rate = rate
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
        return keras.ops.convert_to_numpy(variable.value)

    return advance


def _pure(step: Any, name: str) -> Driver:
    """A function (weights, gradient[, state][, rate]) -> weights or (weights, state)."""
    rate_name, takes_state = _signature(step)

    def start(weights: np.ndarray, rate: float) -> Callable[[np.ndarray, float], Any]:
        held: list[Any] = [weights, None]

        def advance(gradient: np.ndarray, rate: float) -> Any:
            options = {rate_name: rate} if rate_name else {}
            given = (held[0], gradient, held[1]) if takes_state else (held[0], gradient)
            told = step(*given, **options)
            if isinstance(told, tuple):
                held[:] = told
            else:
                held[0] = weights if told is None else told
            return held[0]

        return advance

    return Driver(name, start, rated=bool(rate_name))


def _signature(step: Any) -> tuple[str | None, bool]:
    """The rate's keyword, where it is still free, and whether a third argument is the state."""
    try:
        parameters = inspect.signature(step).parameters
    except (TypeError, ValueError):  # builtins have none to read
        return None, True
    bound = step.keywords if isinstance(step, functools.partial) else {}
    rate = next((n for n in RATES if n in parameters and n not in bound), None)
    positional = [
        p
        for p in parameters.values()
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.name not in (rate, *bound)
    ]
    takes_rest = any(p.kind is p.VAR_POSITIONAL for p in parameters.values())
    if rate is None and any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        rate = None if "lr" in bound else "lr"
    return rate, len(positional) > 2 or takes_rest


def _object(make: Any, made: type, name: str, role: str) -> Driver:
    """A class whose instances have step(weights, gradient), in place or returning the weights."""
    method = next((m for m in METHODS if m in vars(made) or hasattr(made, m)), None)
    if method is None:
        raise UsageError(f"{role}={name}: expected a method called {', '.join(METHODS[:3])}")
    rate_name, _ = _signature(make)

    def start(weights: np.ndarray, rate: float) -> Callable[[np.ndarray, float], Any]:
        optimizer = make(**({rate_name: rate} if rate_name else {}))
        held = [weights]

        def advance(gradient: np.ndarray, rate: float) -> Any:
            if rate_name and hasattr(optimizer, rate_name):
                setattr(optimizer, rate_name, rate)
            told = getattr(optimizer, method)(held[0], gradient)
            held[0] = held[0] if told is None else told
            return held[0]

        return advance

    return Driver(name, start, rated=bool(rate_name))
