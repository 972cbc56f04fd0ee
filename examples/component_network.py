"""A network of components that learn inside their backward pass, in the style of document (003).

    gradcheck verify examples.component_network:faulty      # exit status 1
    gradcheck verify examples.component_network:correct     # exit status 0

A component maps a vector to a vector. Its `backprop` takes the gradient at its output, already
scaled by the learning rate, moves its own parameters by it and hands back the gradient at its
input. The gradients of the parameters are never returned: they are recovered from the update.
"""

from __future__ import annotations

import numpy as np


class Component:
    """Something with an input port and an output port."""

    def __call__(self, x):
        raise NotImplementedError

    def backprop(self, slope):
        raise NotImplementedError


class Affine(Component):
    """y = M x + b, with M of shape (outputs, inputs)."""

    def __init__(self, inputs, outputs):
        rng = np.random.default_rng(0)
        self.M = rng.standard_normal((outputs, inputs))
        self.b = rng.standard_normal(outputs)

    def __call__(self, x):
        self.x = x
        return self.M @ x + self.b

    def backprop(self, slope):
        at_input = self.M.T @ slope
        self.M -= np.outer(slope, self.x)
        self.b -= slope
        return at_input


class FaultyAffine(Affine):
    """The same, with the gradient at the input multiplied by M instead of its transpose."""

    def backprop(self, slope):
        at_input = self.M @ slope
        self.M -= np.outer(slope, self.x)
        self.b -= slope
        return at_input


class Squash(Component):
    """tanh of each component."""

    def __call__(self, x):
        self.y = np.tanh(x)
        return self.y

    def backprop(self, slope):
        return slope * (1 - self.y**2)


class Network(Component):
    """Components one after the other."""

    def __init__(self, *components):
        self.components = list(components)

    def __call__(self, x):
        for component in self.components:
            x = component(x)
        return x

    def backprop(self, slope):
        for component in reversed(self.components):
            slope = component.backprop(slope)
        return slope


def correct(inputs, outputs):
    """A right component of any sizes: gradcheck picks them."""
    return Affine(inputs, outputs)


def faulty(inputs, outputs):
    """A wrong one: its product raises unless it is square, and is wrong where it is."""
    return FaultyAffine(inputs, outputs)


def network(inputs, hidden):
    """Three components of any sizes, verified as one."""
    return Network(Affine(inputs, hidden), Squash(), Affine(hidden, 2))


if __name__ == "__main__":
    from gradcheck import check

    for layer in (correct, network, faulty):
        print(check(layer))
