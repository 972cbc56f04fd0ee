"""What every optimizer asks of its arguments, in one clear line each."""

import numpy as np

from reference import shapes


def arrays(weights, gradient):
    """Weights and gradient as arrays of one shape and one dtype, that of the weights.

    Raises ValueError naming both shapes: a gradient is never broadcast over weights.
    """
    weights = np.asarray(weights)
    if weights.dtype.kind not in "fc":
        raise TypeError(f"weights have dtype {weights.dtype}: an update needs a floating dtype")
    gradient = np.asarray(gradient, dtype=weights.dtype)
    if gradient.shape != weights.shape:
        raise ValueError(
            f"gradient has shape {gradient.shape} and weights have shape {weights.shape}"
        )
    return weights, gradient


def rate(name, value, dtype):
    """A learning rate, epsilon or decay: finite, not negative, as a scalar of `dtype`."""
    shapes.at_least(name, value, 0)
    if not np.isfinite(value):
        raise ValueError(f"{name} is {value}: it must be finite")
    return np.dtype(dtype).type(value)


def fraction(name, value, dtype):
    """A momentum or an averaging factor: in [0, 1), as a scalar of `dtype`."""
    if not 0 <= value < 1:
        raise ValueError(f"{name} is {value}: it must be at least 0 and below 1")
    return np.dtype(dtype).type(value)
