"""<u, J v> by central differences of order 4 against <vjp(u), v>, with nothing but NumPy."""

import numpy as np


def as_tuple(value):
    """One array as a tuple of one; a tuple as it is."""
    return value if isinstance(value, tuple) else (value,)


def cotangent_of(outputs, rng):
    """Random numbers of each output's shape and dtype, one array for one array."""
    drawn = tuple(rng.standard_normal(y.shape).astype(y.dtype) for y in as_tuple(outputs))
    return drawn if isinstance(outputs, tuple) else drawn[0]


def mismatch(forward, vjp, inputs, seed=0, step=1e-4):
    """The largest difference over the differentiable inputs, relative to the derivative's size.

    forward and vjp take the inputs by name. Inputs that vjp returns no gradient for stay fixed.
    """
    rng = np.random.default_rng(seed)
    u = cotangent_of(forward(**inputs), rng)
    gradients = vjp(u, **inputs)
    worst = 0.0
    for name, gradient in gradients.items():
        v = rng.standard_normal(np.shape(inputs[name]))

        def along(h, name=name, v=v):
            outputs = as_tuple(forward(**inputs | {name: inputs[name] + h * v}))
            return sum(np.vdot(a, y) for a, y in zip(as_tuple(u), outputs, strict=True))

        near, far = along(step) - along(-step), along(2 * step) - along(-2 * step)
        numerical = (8 * near - far) / (12 * step)
        claimed = np.vdot(gradient, v)
        worst = max(worst, abs(numerical - claimed) / max(1.0, abs(claimed)))
    return worst
