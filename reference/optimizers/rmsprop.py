"""RMSprop: v <- rho v + (1 - rho) g^2, with epsilon outside or inside the root.

outside:  w <- w - lr g / (sqrt(v) + epsilon)     tf.keras up to 2.10 (000), torch, PuzzleLib (004)
inside:   w <- w - lr g / sqrt(v + epsilon)       Keras from 2.11 on, Lasagne (002)

Not centred, no momentum, no bias correction: the first step is lr sign(g) / sqrt(1 - rho) while
|g| is far above epsilon. The places differ once v is no longer far above epsilon: inside, a
gradient below sqrt(epsilon) is scaled by the constant lr / sqrt(epsilon), as in plain SGD.
"""

import numpy as np

from reference import shapes
from reference.optimizers import arguments


def step(
    weights, gradient, mean_square=None, *, lr=0.001, rho=0.9, epsilon=1e-7, epsilon_at="outside"
):
    """One step; the state is the running mean square. Defaults are those of tf.keras (000).

    torch: lr 0.01, rho 0.99, epsilon 1e-8. Lasagne: lr 1, epsilon 1e-6. PuzzleLib: epsilon 1e-5.
    Raises ValueError on unlike shapes, a negative rate or epsilon, rho outside [0, 1).
    """
    weights, gradient = arguments.arrays(weights, gradient)
    shapes.one_of("epsilon_at", epsilon_at, ("outside", "inside"))
    lr = arguments.rate("lr", lr, weights.dtype)
    rho = arguments.fraction("rho", rho, weights.dtype)
    epsilon = arguments.rate("epsilon", epsilon, weights.dtype)
    mean_square = np.zeros_like(weights) if mean_square is None else mean_square
    mean_square = rho * mean_square + (1 - rho) * gradient * gradient
    if epsilon_at == "outside":
        return weights - lr * gradient / (np.sqrt(mean_square) + epsilon), mean_square
    return weights - lr * gradient / np.sqrt(mean_square + epsilon), mean_square
