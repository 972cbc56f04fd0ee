"""Adam (Kingma & Ba 2015): m, v running means of g, g^2, both corrected for starting at zero.

m <- b1 m + (1 - b1) g,  v <- b2 v + (1 - b2) g^2,  c1 = 1 - b1^t,  c2 = 1 - b2^t

corrected:    w <- w - lr (m / c1) / (sqrt(v / c2) + epsilon)         the paper's algorithm, torch
uncorrected:  w <- w - lr sqrt(c2) / c1 m / (sqrt(v) + epsilon)       the paper's section 2, Keras

The two are one formula with epsilon scaled by sqrt(c2). Used in (002): Adam(.001, .9, .999, 1e-7).
"""

import numpy as np

from reference import shapes
from reference.optimizers import arguments


def step(
    weights,
    gradient,
    state=None,
    *,
    lr=0.001,
    beta1=0.9,
    beta2=0.999,
    epsilon=1e-8,
    epsilon_at="corrected",
):
    """One step; the state is (m, v, number of steps taken).

    Raises ValueError on unlike shapes, a negative rate or epsilon, a beta outside [0, 1).
    """
    weights, gradient = arguments.arrays(weights, gradient)
    shapes.one_of("epsilon_at", epsilon_at, ("corrected", "uncorrected"))
    lr = arguments.rate("lr", lr, weights.dtype)
    b1 = arguments.fraction("beta1", beta1, weights.dtype)
    b2 = arguments.fraction("beta2", beta2, weights.dtype)
    epsilon = arguments.rate("epsilon", epsilon, weights.dtype)
    m, v, taken = state or (np.zeros_like(weights), np.zeros_like(weights), 0)
    t = taken + 1
    m = b1 * m + (1 - b1) * gradient
    v = b2 * v + (1 - b2) * gradient * gradient
    c1, root_c2 = 1 - b1**t, np.sqrt(1 - b2**t)
    place = root_c2 * epsilon if epsilon_at == "corrected" else epsilon
    return weights - lr * (root_c2 / c1) * m / (np.sqrt(v) + place), (m, v, t)
