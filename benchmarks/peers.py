"""The same question asked of other checkers: is this VJP right at this point?

Each peer takes an entry, its inputs, a cotangent and a claimed VJP, and answers "pass", "fail",
"inconclusive" (it says itself that it did not converge) or "n/a" (it cannot be asked).
Torch is asked through a custom Function around the NumPy code, with its default tolerances. The
others differentiate <u, f(x + t v)> in t along a dense random direction, one input at a time.
Those that state an error are held to it (plus the roundoff of the claim, as the engine is); the
central difference gets torch's tolerances; complex step, exact in theory, 1e-9.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.harness import Vjp, generator, outputs_of, signs
from benchmarks.zoo import Entry

ROUNDOFF = 32 * 2.0**-52
RTOL, ATOL = 1e-3, 1e-5  # torch.autograd.gradcheck's own
SLOW_LIMIT = 3000  # entries of inputs times outputs beyond which slow mode is not asked


class Line:
    """phi(t) = <u, f(x + t v)> for one input, with the claimed derivative."""

    def __init__(self, entry, inputs, cotangent, gradient, name, seed):
        self.entry, self.inputs, self.cotangent, self.name = entry, inputs, cotangent, name
        x = np.asarray(inputs[name])
        scale = np.sqrt(np.mean(np.abs(x / (np.max(np.abs(x)) or 1)) ** 2)) * np.max(np.abs(x))
        self.v = signs(x, generator(entry.name, name, seed)) * (scale or 1.0)
        products = (np.conj(gradient) * self.v).real
        self.claimed, self.weight = float(np.sum(products)), float(np.sum(np.abs(products)))
        self.floor = ROUNDOFF * self.weight

    def at(self, t):
        """phi(t): a complex t moves the input off the real axis."""
        moved = self.inputs[self.name] + t * self.v
        outputs = outputs_of(self.entry, {**self.inputs, self.name: moved})
        return sum(
            np.sum(np.conj(u) * y) if np.iscomplexobj(t) else np.sum((np.conj(u) * y).real)
            for u, y in zip(self.cotangent, outputs, strict=True)
        )

    def many(self, t):
        """Values of phi over an array of t."""
        return np.array([float(self.at(float(s))) for s in np.ravel(t)]).reshape(np.shape(t))


def along(method: Callable[[Line], str]) -> Callable[..., str]:
    """A peer that is asked one input at a time: the worst answer counts."""

    def ask(entry: Entry, inputs, cotangent, vjp: Vjp, seed: int) -> str:
        bare = cotangent if isinstance(entry.forward(**inputs), tuple) else cotangent[0]
        gradient = vjp(bare, **inputs)
        answers = set()
        for name in entry.names(inputs):
            if not np.size(inputs[name]):
                answers.add("pass")
                continue
            g = np.asarray(gradient[name])
            answers.add(_guarded(method, Line(entry, inputs, cotangent, g, name, seed)))
        return next(a for a in ("fail", "inconclusive", "n/a", "pass") if a in answers)

    return ask


def _guarded(method: Callable[[Line], str], line: Line) -> str:
    """A method that stumbles over an undefined value has no answer."""
    try:
        return method(line)
    except (ArithmeticError, ValueError, LookupError, TypeError):
        return "n/a"


def _held(difference: float, tolerance: float) -> str:
    return "pass" if difference <= tolerance else "fail"


@along
def central(line: Line) -> str:
    """(phi(h) - phi(-h)) / 2h with h = 1e-6."""
    estimate = (line.at(1e-6) - line.at(-1e-6)) / 2e-6
    return _held(abs(estimate - line.claimed), ATOL + RTOL * abs(line.claimed))


@along
def scipy_differentiate(line: Line) -> str:
    """scipy.differentiate.derivative with its defaults and its own error."""
    from scipy.differentiate import derivative

    found = derivative(line.many, 0.0)
    if not found.success and found.status != -1:
        return "inconclusive"
    return _held(abs(found.df - line.claimed), float(found.error) + line.floor)


@along
def numdifftools(line: Line) -> str:
    """numdifftools.Derivative with its defaults and its own error estimate."""
    import numdifftools as nd

    found = nd.Derivative(line.many, full_output=True)(0.0)
    if not np.isfinite(found.estimate):
        return "inconclusive"
    return _held(
        abs(float(found.estimate) - line.claimed), float(found.error_estimate) + line.floor
    )


@along
def complex_step(line: Line) -> str:
    """Im phi(i h) / h with h = 1e-30; n/a where forward does not take complex numbers."""
    if np.iscomplexobj(line.inputs[line.name]) or any(np.iscomplexobj(u) for u in line.cotangent):
        return "n/a"
    with warnings.catch_warnings():
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        try:
            value = line.at(1e-30j)
        except np.exceptions.ComplexWarning:
            return "n/a"
    if not np.iscomplexobj(value):
        return "n/a"
    return _held(abs(value.imag / 1e-30 - line.claimed), 1e-9 * line.weight)


def torch_function(entry: Entry, inputs, vjp: Vjp):
    """A torch function of the differentiable inputs around the NumPy forward and the claim."""
    import torch

    names = entry.names(inputs)
    tuples = isinstance(entry.forward(**inputs), tuple)

    class Wrapped(torch.autograd.Function):
        @staticmethod
        def forward(ctx, *tensors):
            ctx.save_for_backward(*tensors)
            arrays = dict(zip(names, (t.detach().numpy() for t in tensors), strict=True))
            outputs = outputs_of(entry, {**inputs, **arrays})
            made = tuple(torch.from_numpy(np.array(y)) for y in outputs)
            return made if tuples else made[0]

        @staticmethod
        def backward(ctx, *cotangents):
            arrays = dict(zip(names, (t.numpy() for t in ctx.saved_tensors), strict=True))
            u = tuple(c.numpy() for c in cotangents)
            gradient = vjp(u if tuples else u[0], **{**inputs, **arrays})
            return tuple(torch.from_numpy(np.array(gradient[n])) for n in names)

    tensors = tuple(torch.tensor(inputs[n], requires_grad=True) for n in names)
    return Wrapped.apply, tensors


def _torch(fast: bool) -> Callable[..., str]:
    def ask(entry: Entry, inputs, cotangent, vjp: Vjp, seed: int) -> str:
        import torch
        from torch.autograd.gradcheck import GradcheckError

        count = sum(np.size(inputs[n]) for n in entry.names(inputs))
        if not fast and count * sum(u.size for u in cotangent) > SLOW_LIMIT**2:
            return "n/a"
        function, tensors = torch_function(entry, inputs, vjp)
        try:
            torch.autograd.gradcheck(function, tensors, fast_mode=fast)
        except GradcheckError:
            return "fail"
        except (RuntimeError, ArithmeticError, ValueError, LookupError):
            return "n/a"  # a step left the domain and forward raised
        return "pass"

    return ask


PEERS: dict[str, Callable[..., Any]] = {
    "torch slow": _torch(fast=False),
    "torch fast": _torch(fast=True),
    "scipy": scipy_differentiate,
    "complex step": complex_step,
    "numdifftools": numdifftools,
    "central 1e-6": central,
}
