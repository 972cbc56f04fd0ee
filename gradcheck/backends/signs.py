"""Random signs times U[1/2, 1], made from the bits of floating-point numbers."""

from __future__ import annotations

import numpy as np

# Of a float64: the sign, and the upper 19 bits of the fraction; the exponent of [1/2, 1).
RANDOM = np.uint64(0x800FFFFE00000000)
EXPONENT = np.uint64(0x3FE0000000000000)


def signs(bits: np.random.BitGenerator, shape: tuple[int, ...]) -> np.ndarray:
    """Signs times U[1/2, 1] on a grid of 2^-20: x + 2^-29 direction is exact in float64."""
    drawn = np.asarray(bits.random_raw(int(np.prod(shape))), dtype=np.uint64)
    drawn &= RANDOM
    drawn |= EXPONENT
    return drawn.view(np.float64).reshape(shape)
