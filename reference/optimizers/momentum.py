"""Classical momentum (Polyak 1964), with the learning rate inside or outside the velocity.

inside:   v <- mu v - lr g,  w <- w + v         PuzzleLib (004), Lasagne (002), Keras
outside:  v <- mu v + g,     w <- w - lr v      torch

At a constant rate both give the same weights. When the rate changes, the inside form keeps the
old rate in what it remembers and the outside form rescales its whole memory at once.
"""

import numpy as np

from reference import shapes
from reference.optimizers import arguments


def step(weights, gradient, velocity=None, *, lr, momentum=0.9, rate="inside"):
    """One step; the state is the velocity. Defaults: momentum 0.9 (PuzzleLib, Lasagne).

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
        return weights + velocity, velocity
    velocity = mu * velocity + gradient
    return weights - lr * velocity, velocity
