"""Finite-difference weights, exact to rounding.

Fornberg, "Generation of finite difference formulas on arbitrarily spaced grids" (1988), gives the
weights; here they come from the Vandermonde system in rational arithmetic, which nine nodes allow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np


def derivative_weights(nodes: tuple[int, ...]) -> np.ndarray:
    """Weights w with f'(0) = sum w_j f(nodes_j), exact for polynomials of degree < len(nodes)."""
    size = len(nodes)
    rows = [[Fraction(node) ** power for node in nodes] for power in range(size)]
    target = [Fraction(int(power == 1)) for power in range(size)]
    return np.array([float(value) for value in _solve(rows, target)])


def _solve(rows: list[list[Fraction]], target: list[Fraction]) -> list[Fraction]:
    """Gauss-Jordan elimination over the rationals."""
    table = [[*row, value] for row, value in zip(rows, target, strict=True)]
    for column in range(len(table)):
        pivot = next(r for r in range(column, len(table)) if table[r][column])
        table[column], table[pivot] = table[pivot], table[column]
        head = table[column][column]
        table[column] = [entry / head for entry in table[column]]
        for r, row in enumerate(table):
            if r != column and row[column]:
                factor = row[column]
                table[r] = [a - factor * b for a, b in zip(row, table[column], strict=True)]
    return [row[-1] for row in table]


@dataclass(frozen=True)
class Stencil:
    """Nine equally spaced nodes, in units of the step, and the two estimates they give.

    nodes: ascending, 0 among them. high, low: first-derivative weights of order 8 and 6 over the
    nodes. amplification: the noise of the high estimate over the noise of one value, at step 1.
    """

    nodes: tuple[int, ...]
    high: np.ndarray
    low: np.ndarray

    @property
    def amplification(self) -> float:
        return float(np.sqrt(np.sum(self.high**2)))


@cache
def central() -> Stencil:
    """Nodes -4..4."""
    nodes = tuple(range(-4, 5))
    return Stencil(nodes, derivative_weights(nodes), _padded(nodes, tuple(range(-3, 4))))


@cache
def forward() -> Stencil:
    """Nodes 0..8: for a point at the edge of its domain."""
    nodes = tuple(range(9))
    return Stencil(nodes, derivative_weights(nodes), _padded(nodes, tuple(range(7))))


@cache
def partial_central(pairs: int) -> np.ndarray:
    """Weights of f(jh) - f(-jh), j = 1..pairs, in the central estimate of order 2 * pairs."""
    return derivative_weights(tuple(range(-pairs, pairs + 1)))[pairs + 1 :]


def _padded(nodes: tuple[int, ...], part: tuple[int, ...]) -> np.ndarray:
    known = dict(zip(part, derivative_weights(part), strict=True))
    return np.array([known.get(node, 0.0) for node in nodes])


@cache
def difference_weights() -> np.ndarray:
    """Two rows, each of unit norm, that annihilate all but the 7th and higher differences.

    Applied to nine equally spaced values they leave the noise, at its own size: row 0 is the 8th
    difference, row 1 the sum of the two 7th differences (Hamming's table, as More and Wild,
    "Estimating computational noise", 2011, use it).
    """
    eighth = np.array([(-1.0) ** k * math.comb(8, k) for k in range(9)])
    seventh = np.array([(-1.0) ** k * math.comb(7, k) for k in range(8)])
    both = np.append(seventh, 0.0) + np.append(0.0, seventh)
    return np.stack([eighth / np.linalg.norm(eighth), both / np.linalg.norm(both)])
