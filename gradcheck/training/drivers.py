"""Any optimizer -> a run over given gradients and rates: the weights after each step."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.callables import signature_of
from gradcheck.errors import UsageError
from gradcheck.training.forms import Alone, in_the_form_that_works

# What a learning rate is called by those who write optimizers.
RATES = ("lr", "learning_rate", "rate", "eta", "alpha")
# Whether a third argument is the state, and must be given at the first step.
OPTIONAL, NEEDED = 1, 2
METHODS = ("step", "update", "apply", "__call__")

# The gradients of some parameters, None where there is none, and a rate -> their weights.
Advance = Callable[[list[Any], float], Sequence[Any]]


@dataclass(frozen=True)
class Driver:
    """One optimizer. start(parameters, rate) -> advance(gradients, rate) -> the weights after it.

    rated: whether it takes the rate it is given; else its rate is its own and cannot change.
    skips: whether a parameter may have no gradient in a step. buffers: whether its framework
    writes each gradient into the memory of the last one.
    """

    name: str
    start: Callable[[list[np.ndarray], float], Advance]
    rated: bool = True
    skips: bool = False
    buffers: bool = False

    def run(
        self,
        weights: np.ndarray,
        gradients: Sequence[np.ndarray],
        rates: Sequence[float],
        *,
        rows: bool = False,
        missing: np.ndarray | None = None,
        again: bool = False,
    ) -> np.ndarray:
        """Weights after each step, (steps, *shape), in float64.

        rows: each row is a parameter of its own. missing: (steps, rows), where a row has no
        gradient. again: every gradient comes in the memory of the last one.
        Raises UsageError where a step returns something that is no array of the weights' shape.
        """
        parameters = [np.array(w) for w in (weights if rows else [weights])]
        advance = self.start(parameters, rates[0])
        feed = _Feed(np.shape(weights), rows, missing, again)
        with np.errstate(all="ignore"):
            return np.array(list(self._steps(advance, feed, gradients, rates)))

    def _steps(
        self,
        advance: Advance,
        feed: _Feed,
        gradients: Sequence[np.ndarray],
        rates: Sequence[float],
    ) -> Iterator[np.ndarray]:
        for number, (gradient, rate) in enumerate(zip(gradients, rates, strict=True)):
            after = advance(feed.parts(gradient, number), rate)
            yield feed.whole([np.array(a, dtype=float) for a in after], self.name)


@dataclass
class _Feed:
    """Gradients as an optimizer gets them, and its parameters as one array again."""

    shape: tuple[int, ...]
    rows: bool
    missing: np.ndarray | None
    again: bool
    held: list[np.ndarray] | None = None

    def parts(self, gradient: np.ndarray, number: int) -> list[Any]:
        given = [np.array(g) for g in (gradient if self.rows else [gradient])]
        if self.again and self.held is not None:
            for buffer, g in zip(self.held, given, strict=True):
                buffer[...] = g
        else:
            self.held = given
        if self.missing is None:
            return list(self.held)
        gone = self.missing[number]
        return [None if no else g for g, no in zip(self.held, gone, strict=True)]

    def whole(self, after: list[np.ndarray], name: str) -> np.ndarray:
        wanted = self.shape[1:] if self.rows else self.shape
        for a in after:
            if a.shape != wanted:
                raise UsageError(f"optimizer {name}: weights of shape {wanted} became {a.shape}")
        return np.stack(after) if self.rows else after[0]


def driver(optimizer: Any, role: str) -> Driver:
    """The Driver of a step function, a class with a step or update method, torch's or Keras's.

    Raises UsageError, naming `role`, for anything else.
    """
    made = optimizer.func if isinstance(optimizer, functools.partial) else optimizer
    name = getattr(made, "__qualname__", type(made).__name__)
    if not callable(optimizer):
        raise UsageError(f"{role}={optimizer!r}: expected a step function or an optimizer's class")
    if not isinstance(made, type):
        return _pure(optimizer, name, role)
    if _is_a(made, "torch", "optim.Optimizer"):
        _needs_no_closure(made, name, role)
        return Driver(name, functools.partial(_torch, optimizer), skips=True, buffers=True)
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


def _needs_no_closure(made: Any, name: str, role: str) -> None:
    closure = signature_of(made.step).parameters.get("closure")
    if closure is not None and closure.default is inspect.Parameter.empty:
        raise UsageError(f"{role}={name}: its step evaluates the loss itself; use check_training")


def _torch(make: Any, weights: list[np.ndarray], rate: float) -> Advance:
    import torch

    parameters = [torch.nn.Parameter(torch.from_numpy(w)) for w in weights]
    optimizer = make(parameters, lr=rate)

    def advance(gradients: list[Any], rate: float) -> list[Any]:
        for group in optimizer.param_groups:
            group["lr"] = rate
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = None if gradient is None else torch.from_numpy(gradient)
        optimizer.step()
        return [parameter.detach().numpy() for parameter in parameters]

    return advance


def _keras(make: Any, weights: list[np.ndarray], rate: float) -> Advance:
    import keras

    variables = [keras.Variable(w, dtype="float64") for w in weights]
    optimizer = make(learning_rate=rate)
    optimizer.build(variables)

    def advance(gradients: list[Any], rate: float) -> list[Any]:
        optimizer.learning_rate = rate
        optimizer.apply([keras.ops.convert_to_tensor(g) for g in gradients], variables)
        return [keras.ops.convert_to_numpy(variable.value) for variable in variables]

    return advance


def _pure(step: Any, name: str, role: str) -> Driver:
    """A function (weights, gradient[, state][, rate]) -> weights or (weights, state).

    The first state is the step's own default, or None; an empty dictionary where None will not do.
    """
    rate_name, takes_state = _signature(step)
    try:
        return _own(_carrying(step, rate_name, takes_state, _nothing), name, role, bool(rate_name))
    except UsageError:
        if not takes_state:
            raise
        return _own(_carrying(step, rate_name, takes_state, dict), name, role, bool(rate_name))


def _nothing() -> None:
    return None


def _carrying(step: Any, rate_name: str | None, takes_state: int, first: Any) -> Alone:
    """The step as `Alone`: it gets back the state that it returned, or the one it changes."""

    def alone(weights: Any, rate: float) -> Callable[[Any, float], Any]:
        held: list[Any] = [weights, first()]

        def advance(gradient: Any, rate: float) -> Any:
            options = {rate_name: rate} if rate_name else {}
            state = () if held[1] is None and takes_state == OPTIONAL else (held[1],)
            told = step(held[0], gradient, *(state if takes_state else ()), **options)
            if isinstance(told, tuple) and len(told) == 2:
                held[1] = told[1]
                told = told[0]
            held[0] = held[0] if told is None else told
            return held[0]

        return advance

    return alone


def _own(alone: Alone, name: str, role: str, rated: bool) -> Driver:
    form = in_the_form_that_works(alone, f"{role}={name}")
    return Driver(name, functools.partial(form.start, alone), rated, skips=form.apart)


def _signature(step: Any) -> tuple[str | None, int]:
    """The rate's keyword, where it is still free, and whether a third argument is the state."""
    try:
        parameters = signature_of(step).parameters
    except (TypeError, ValueError):  # builtins have none to read
        return None, NEEDED
    bound = step.keywords if isinstance(step, functools.partial) else {}
    named = [n for n in RATES if n in parameters]  # the first is the rate, free or bound
    rate = named[0] if named and named[0] not in bound else None
    if not named and any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        rate = None if "lr" in bound else "lr"
    positional = [
        p
        for p in parameters.values()
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.name not in (rate, *bound)
    ]
    if len(positional) > 2:
        return rate, NEEDED if positional[2].default is inspect.Parameter.empty else OPTIONAL
    return rate, NEEDED if any(p.kind is p.VAR_POSITIONAL for p in parameters.values()) else 0


def _object(make: Any, made: type, name: str, role: str) -> Driver:
    """A class whose instances have step(weights, gradient), in place or returning the weights.

    One that is made of the weights, as torch's are, has step(gradient).
    """
    method = next((m for m in METHODS if m in vars(made) or hasattr(made, m)), None)
    if method is None:
        raise UsageError(f"{role}={name}: expected a method called {', '.join(METHODS[:3])}")
    rate_name, _ = _signature(make)
    holds = _holds_weights(make, rate_name)

    def alone(weights: Any, rate: float) -> Callable[[Any, float], Any]:
        options = {rate_name: rate} if rate_name else {}
        optimizer = make(weights, **options) if holds else make(**options)
        held = [weights]

        def advance(gradient: Any, rate: float) -> Any:
            if rate_name and hasattr(optimizer, rate_name):
                setattr(optimizer, rate_name, rate)
            given = (gradient,) if holds else (held[0], gradient)
            told = getattr(optimizer, method)(*given)
            held[0] = held[0] if told is None else told
            return held[0]

        return advance

    return _own(alone, name, role, bool(rate_name))


def _holds_weights(make: Any, rate_name: str | None) -> bool:
    """Whether the first argument of the constructor has no default, and is not the rate."""
    first = next(iter(signature_of(make).parameters.values()), None)
    return (
        first is not None
        and first.kind is first.POSITIONAL_OR_KEYWORD
        and first.default is first.empty
        and first.name != rate_name
    )
