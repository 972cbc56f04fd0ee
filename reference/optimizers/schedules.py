"""Linear schedules of a rate over epochs counted from 1."""

import numpy as np

from reference import shapes
from reference.optimizers import arguments


def linear(start, stop, epochs):
    """The rates of epochs 1 .. `epochs`, evenly spaced from `start` to `stop`, both used."""
    arguments.rate("start", start, float)
    arguments.rate("stop", stop, float)
    shapes.at_least("epochs", epochs, 1)
    return np.linspace(start, stop, epochs)


def adjust_variable(start, stop, epochs):
    """The rates nolearn's AdjustVariable gives (002): epochs 1 and 2 both run at `start`.

    It sets linspace(start, stop, epochs)[epoch - 1] after an epoch has run, so every value comes
    one epoch late and `stop` is never used.
    """
    line = linear(start, stop, epochs)
    return np.concatenate([line[:1], line[:-1]])
