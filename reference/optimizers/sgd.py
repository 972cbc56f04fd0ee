"""Gradient descent: w <- w - lr g. Stochastic when g comes from a sample or a mini-batch.

Source: (000), (001), (002), (003), (004). torch.optim.SGD and keras SGD without momentum.
"""

from reference.optimizers import arguments


def step(weights, gradient, state=None, *, lr):
    """One step. Raises ValueError on unlike shapes or a negative rate. There is no state."""
    weights, gradient = arguments.arrays(weights, gradient)
    return weights - arguments.rate("lr", lr, weights.dtype) * gradient, state
