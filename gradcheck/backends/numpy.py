"""NumPy arrays, on the CPU only."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from gradcheck.backends import blocks
from gradcheck.backends.base import Array
from gradcheck.backends.signs import signs

# Sums of squares in between are neither overflown nor short of bits.
LOW, HIGH = 1e-280, 1e300
# The complex dtype whose parts have the precision of the real one.
_COMPLEX = {"float64": "complex128", "float32": "complex64"}


class NumpyBackend:
    """See `gradcheck.backends.base.Backend`."""

    name = "numpy"

    def __init__(self, device: str = "cpu") -> None:
        if device != "cpu":
            raise ValueError(f"device: NumPy arrays live on 'cpu', not on {device!r}")

    def from_numpy(self, value: np.ndarray) -> Array:
        return np.array(value)

    def to_numpy(self, array: Array) -> np.ndarray:
        return np.array(array)

    def is_array(self, value: object) -> bool:
        return isinstance(value, np.ndarray | np.generic)

    def copy(self, array: Array) -> Array:
        return np.array(array, order="C")

    def is_inexact(self, array: Array) -> bool:
        return bool(np.issubdtype(np.asarray(array).dtype, np.inexact))

    def is_complex(self, array: Array) -> bool:
        return np.iscomplexobj(array)

    def dtype_name(self, array: Array) -> str:
        return str(np.asarray(array).dtype.name)

    def shape(self, array: Array) -> tuple[int, ...]:
        return tuple(np.shape(array))

    def add_scaled(self, x: Array, step: float, direction: Array) -> Array:
        moved = np.multiply(direction, _like(direction, step))
        own = np.ndim(moved) and (moved.shape, moved.dtype) == (np.shape(x), np.asarray(x).dtype)
        # In its own memory: to touch new pages takes longer than to add.
        return np.asarray(np.add(moved, x, out=moved if own else None))

    def subtract(self, a: Array, b: Array) -> Array:
        return np.asarray(np.subtract(a, b))

    def multiply(self, a: Array, b: Array) -> Array:
        return np.asarray(np.multiply(a, b))

    def combine(self, weights: Sequence[float], arrays: Sequence[Array]) -> Array:
        total = np.multiply(arrays[0], _like(arrays[0], weights[0]))
        for weight, array in zip(weights[1:], arrays[1:], strict=True):
            total = np.add(total, np.multiply(array, _like(array, weight)))
        return np.asarray(total)

    def dot(self, a: Array, b: Array) -> float:
        left, right = _wide(a), _wide(b)
        return float(np.vdot(left, right).real)

    def product(self, a: Array, b: Array) -> tuple[float, float]:
        return blocks.product(self, _wide(a), _wide(b))

    def norm(self, array: Array) -> float:
        flat = _wide(array)
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            square = float(np.vdot(flat, flat).real)
        if LOW < square < HIGH or square == 0.0 == self.max_abs(flat) or math.isnan(square):
            return math.sqrt(square)
        unit = self.max_abs(flat)  # squares out of range
        return unit * self.norm(flat / unit) if 0.0 < unit < math.inf else unit

    def max_abs(self, array: Array) -> float:
        flat = _wide(array)
        if not flat.size:
            return 0.0
        if flat.dtype.kind == "c":
            return float(np.max(np.abs(flat)))
        return float(np.maximum(np.max(flat), -np.min(flat)))  # NaN stays NaN

    def all_finite(self, array: Array) -> bool:
        return bool(np.all(np.isfinite(array)))

    def equal(self, a: Array, b: Array) -> bool:
        a, b = np.asarray(a), np.asarray(b)
        if a.shape != b.shape or a.dtype != b.dtype:
            return False
        return bool(np.array_equal(a, b, equal_nan=a.dtype.kind in "fc"))

    def zeros_like(self, array: Array) -> Array:
        return np.zeros_like(np.asarray(array), order="C", subok=False)

    def random_signs(self, like: Array, seed: int, scale: float = 1.0) -> Array:
        like = np.asarray(like)
        bits = np.random.SFC64(seed)
        drawn = signs(bits, like.shape)
        if like.dtype.kind == "c":
            drawn = drawn + 1j * signs(bits, like.shape)
        drawn = np.asarray(drawn.astype(like.dtype, copy=False))
        return drawn if scale == 1.0 else np.multiply(drawn, _like(drawn, scale), out=drawn)

    def select(self, where: Array, values: Array) -> Array:
        return np.where(np.asarray(where) != 0, values, np.zeros((), np.asarray(values).dtype))

    def count_nonzero(self, array: Array) -> int:
        return int(np.count_nonzero(array))

    def gather(self, array: Array, indices: np.ndarray) -> np.ndarray:
        return np.array(np.asarray(array).reshape(-1)[indices])

    def layouts(self, array: Array) -> Iterator[tuple[str, Array]]:
        array = np.asarray(array)
        yield "C order", np.array(array, order="C")
        if array.ndim == 0:
            return
        if array.ndim > 1:
            yield "Fortran order", np.array(array, order="F")
        wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
        wide[..., ::2] = array
        yield "strided", wide[..., ::2]
        padded = np.zeros((array.shape[0] + 1, *array.shape[1:]), array.dtype)
        padded[1:] = array
        yield "offset", padded[1:]
        yield "negative strides", array[::-1].copy()[::-1]
        if array.size and np.all(array == array.flat[0]):
            yield "expanded", np.broadcast_to(array.flat[0], array.shape)
        elif array.size and np.all(array == array[:1]):
            yield "expanded", np.broadcast_to(array[:1], array.shape)
        frozen = np.array(array, order="C")
        frozen.flags.writeable = False
        yield "read-only", frozen

    def shares_memory(self, a: Array, b: Array) -> bool:
        return bool(np.may_share_memory(a, b) and np.shares_memory(a, b))

    def cast(self, array: Array, dtype: str) -> Array:
        if dtype == "bfloat16":
            raise ValueError("dtype: NumPy has no 'bfloat16'")
        wanted = _COMPLEX.get(dtype, dtype) if np.iscomplexobj(array) else dtype
        return np.array(array, dtype=np.dtype(wanted))

    def stack(self, arrays: Iterable[Array]) -> Array:
        return np.stack([np.asarray(array) for array in arrays])


def _like(array: Array, factor: float) -> Any:
    """`factor` as a scalar that does not widen `array`."""
    dtype = np.asarray(array).dtype
    return dtype.type(factor) if dtype.kind in "fc" else factor


def _wide(array: Array) -> np.ndarray:
    """Flat, at least float64."""
    flat = np.asarray(array).reshape(-1)
    return (
        flat
        if flat.dtype in (np.float64, np.complex128)
        else flat.astype(np.complex128 if flat.dtype.kind == "c" else np.float64)
    )
