"""The data of the documented runs, from the same random streams."""

import random

import numpy as np

from reference.schemes.descent import rows


def lift(seed=0, size=10_000):
    """(000): integer rows (a, b, c) and targets a^2 + 2 b c, as float64.

    Returns {"train": (X, y), "test": (X, y), "far": (X, y)}: train and test from 0..9, far from
    100..199, one `random` stream; X has shape (size, 3), y (size,).
    """
    stream = random.Random(seed)

    def table(low, high):
        X = [[stream.randrange(low, high) for _ in range(3)] for _ in range(size)]
        X = rows("size", np.array(X, dtype=float))
        return X, X[:, 0] ** 2 + 2 * X[:, 1] * X[:, 2]

    return {"train": table(0, 10), "test": table(0, 10), "far": table(100, 200)}


def line(dtype=np.float32):
    """(001): x = y = 1, 2, ..., 1999."""
    x = np.arange(1, 2000, dtype=dtype)
    return x, x.copy()


def minmax(values):
    """(001): (values - min) / (max - min). Raises ValueError on empty or constant data."""
    values = rows("values", values)
    low, high = values.min(), values.max()
    if low == high:
        raise ValueError(f"values are all {low}: min-max scaling divides by zero")
    return (values - low) / (high - low)


def plane(random_state, dtype=np.float32):
    """(001): 100 rows of N(0, 1) and y = 3 x1 + 2 x2 - 7 x3 + 5, X (100, 3) and y (100, 1).

    random_state: a RandomState; document (001) seeds it with 42 and goes on drawing its batches
    from it. Computed in float64, then rounded to `dtype`.
    """
    x1, x2, x3 = (random_state.normal(size=100) for _ in range(3))
    y = 3 * x1 + 2 * x2 - 7 * x3 + 5
    return np.stack([x1, x2, x3], axis=1).astype(dtype), y[:, None].astype(dtype)


def regression(seed=42, size=10, features=10, bias=1.0):
    """(001): scikit-learn's make_regression with one target and no noise, X and y (size, 1).

    All features informative, coefficients 100 U(0, 1), rows shuffled, then columns.
    """
    stream = np.random.RandomState(seed)
    X = stream.standard_normal(size=(size, features))
    y = X @ (100 * stream.uniform(size=(features, 1))) + bias
    order = np.arange(size)
    stream.shuffle(order)
    columns = np.arange(features)
    stream.shuffle(columns)
    return X[order][:, columns], y[order]


def sine(dtype=np.float32):
    """(004): 1,024 points on [-3, 3] as float32 and 2 sin(x) + 5 as float64, both (1024, 1)."""
    X = np.linspace(-3, 3, 1024, dtype=dtype)[:, None]
    return X, 2 * np.sin(X.astype(float)) + 5
