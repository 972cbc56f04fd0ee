"""Functions in pairs: a function with its derivative, and a forward with its backward.

    gradcheck verify examples.functions:faulty      --inputs x=n         # exit status 1
    gradcheck verify examples.functions:correct     --inputs x=n         # exit status 0
    gradcheck verify examples.functions:with_cache  --inputs "x=batch n" "w=n m"

In Python: check(fun, {"x": "n"}, jac=gradient), as in scipy.optimize.minimize.
"""

from __future__ import annotations

import numpy as np


def valley(x):
    """A sum of squares of neighbours' differences, and of the first entry."""
    return np.sum(np.diff(x) ** 2) + np.sum(x[:1] ** 2)


def gradient(x):
    slope = np.zeros_like(x)
    slope[:1] = 2 * x[:1]
    step = 2 * np.diff(x)
    slope[1:] += step
    slope[:-1] -= step
    return slope


def forgets_neighbour(x):
    """Leaves out that each difference also pulls on its left entry."""
    slope = np.zeros_like(x)
    slope[:1] = 2 * x[:1]
    slope[1:] += 2 * np.diff(x)
    return slope


def product_forward(x, w):
    return x @ w, (x, w)


def product_backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout


correct = (valley, gradient)
faulty = (valley, forgets_neighbour)
with_cache = (product_forward, product_backward)


if __name__ == "__main__":
    from gradcheck import check

    print(check(valley, {"x": "n"}, jac=gradient))
    print(check(faulty, {"x": "n"}))
    print(check(with_cache, {"x": "batch n", "w": "n m"}))
