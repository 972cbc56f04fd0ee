"""Nesterov momentum in the form that needs the gradient at the current weights only.

inside:   v <- mu v - lr g,  w <- w + mu v - lr g      Lasagne (002, nolearn's default), Keras
outside:  v <- mu v + g,     w <- w - lr (g + mu v)    torch

PuzzleLib (004) writes w <- w + mu^2 v - (1 + mu) lr g with the old v: the inside form, expanded.
"""

import numpy as np

from reference import shapes
from reference.optimizers import arguments


def step(weights, gradient, velocity=None, *, lr, momentum=0.9, rate="inside"):
    """One step; the state is the velocity.

    Raises ValueError on unlike shapes, a negative rate, a momentum outside [0, 1), an unknown
    `rate`.
    """
    weights, gradient = arguments.arrays(weights, gradient)
    shapes.one_of("rate", rate, ("inside", "outside"))
    lr = arguments.rate("lr", lr, weights.dtype)
    mu = arguments.fraction("momentum", momentum, weights.dtype)
    velocity = np.zeros_like(weights) if velocity is None else velocity
    if rate == "inside":
        velocity = mu * velocity - lr * gradient
        return weights + mu * velocity - lr * gradient, velocity
    velocity = mu * velocity + gradient
    return weights - lr * (gradient + mu * velocity), velocity
