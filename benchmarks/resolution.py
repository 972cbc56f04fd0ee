"""What float64 forward values can show at all, whoever looks: the measure behind `Entry.limit`.

At each of a ladder of steps the order-8 central difference along a dense random direction is held
against the true directional derivative. The second best of them (the best may be luck) says which
relative error of the gradient a checker could see if it knew the step to take.
"""

from __future__ import annotations

import numpy as np

from benchmarks.harness import draw, generator, outputs_of, signs
from benchmarks.zoo import Entry

ORDER_8 = {1: 4 / 5, 2: -1 / 5, 3: 4 / 105, 4: -1 / 280}
STEPS = 2.0 ** np.arange(-44, -2)


def reachable(entry: Entry, seed: int) -> float:
    """Second smallest relative error over the steps, the worst of the inputs; NaN if flat."""
    inputs, cotangent = draw(entry, seed)
    with np.errstate(all="ignore"):
        gradient = entry.vjp(cotangent if _tuples(entry, inputs) else cotangent[0], **inputs)
        return max(
            (
                _one(entry, inputs, cotangent, name, np.asarray(gradient[name]), seed)
                for name in entry.names(inputs)
            ),
            default=0.0,
        )


def _tuples(entry, inputs) -> bool:
    return isinstance(entry.forward(**inputs), tuple)


def _one(entry, inputs, cotangent, name, gradient, seed) -> float:
    x = np.asarray(inputs[name])
    v = signs(x, generator(entry.name, name, seed)) * _scale(x)
    top = np.max(np.abs(gradient * v), initial=0.0)
    weight = top * np.linalg.norm(np.ravel(gradient * v / (top or 1.0)))
    if not np.isfinite(weight):
        return np.inf
    if weight == 0:
        return 0.0
    true = np.sum((np.conj(gradient) * v).real)
    errors = sorted(
        abs(_difference(entry, inputs, cotangent, name, v, h) - true) / weight for h in STEPS
    )
    return errors[1]


def _scale(x: np.ndarray) -> float:
    top = np.max(np.abs(x), initial=0.0)
    return 2.0 ** np.round(np.log2(top * np.sqrt(np.mean(np.abs(x / top) ** 2)))) if top else 1.0


def _difference(entry, inputs, cotangent, name, v, h) -> float:
    """Order-8 central difference; infinite where a value is missing."""
    total = 0.0
    try:
        for k, w in ORDER_8.items():
            ahead = outputs_of(entry, {**inputs, name: inputs[name] + k * h * v})
            behind = outputs_of(entry, {**inputs, name: inputs[name] - k * h * v})
            for u, a, b in zip(cotangent, ahead, behind, strict=True):
                total += w * np.sum((np.conj(u) * (a - b)).real)
    except (ArithmeticError, ValueError, LookupError):
        return np.inf
    return total / h if np.isfinite(total) else np.inf
