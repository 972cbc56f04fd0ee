"""Arrays whose last axis is features and whose others are all rows: what matrices act on."""

import math


def over_rows(a, b):
    """The sum over all rows of a^T b: the gradient of a matrix from what it met and what came back.

    a (..., features), b (..., units) -> (features, units)
    """
    return _matrix(a).T @ _matrix(b)


def _matrix(a):
    return a.reshape(math.prod(a.shape[:-1]), a.shape[-1])
