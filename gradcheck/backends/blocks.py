"""Reductions of long arrays a block at a time: what lies in between stays in the cache."""

from __future__ import annotations

import math

from gradcheck.backends.base import Array, Backend

# 128 KiB of float64: in the second cache of any processor of today, and long enough to call for.
BLOCK = 2**14


def product(backend: Backend, a: Array, b: Array) -> tuple[float, float]:
    """The real inner product of two flat arrays, and the norm of their product by entry.

    The product itself, as long as an input, is never in memory as a whole.
    """
    parts = [slice(k, k + BLOCK) for k in range(0, max(1, len(a)), BLOCK)]
    value = math.fsum(backend.dot(a[part], b[part]) for part in parts)
    return value, math.hypot(*(backend.norm(backend.multiply(a[p], b[p])) for p in parts))
