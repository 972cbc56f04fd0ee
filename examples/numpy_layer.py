"""A NumPy layer whose backward returns the input's gradient and keeps the parameters' in dW, db.

    gradcheck verify examples.numpy_layer:Faulty      # exit status 1
    gradcheck verify examples.numpy_layer:Dense       # exit status 0

A class that takes its sizes is made anew for every example, square and rectangular, tiny and odd.
"""

from __future__ import annotations

import numpy as np


class Dense:
    """y = x W + b on rows: x (batch, features), W (features, units), b (units)."""

    def __init__(self, features, units):
        self.W = np.zeros((features, units))
        self.b = np.zeros(units)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, grad):
        self.dW = self.x.T @ grad
        self.db = grad.sum(axis=0)
        return grad @ self.W.T


class Faulty(Dense):
    """The same, with the mean over the batch in db where the sum belongs."""

    def backward(self, grad):
        at_input = super().backward(grad)
        self.db = grad.mean(axis=0)
        return at_input


if __name__ == "__main__":
    from gradcheck import check

    print(check(Dense), check(Faulty), sep="\n")
