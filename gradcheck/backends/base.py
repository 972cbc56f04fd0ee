"""The protocol every array library is spoken to through: the engine never says `if torch`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np

Array = Any  # a native array of the backend: numpy.ndarray, torch.Tensor, jax.Array


class Backend(Protocol):
    """Array work on native arrays of one library, on one device.

    Every method returns new arrays and leaves its arguments alone. "Inner product" is the real
    one, Re <conj(a), b>: a complex array is a pair of real ones (torch's gradient convention).
    """

    name: str

    def from_numpy(self, value: np.ndarray) -> Array:
        """A native array with a copy of `value`'s numbers, dtype kept where the library has it."""

    def to_numpy(self, array: Array) -> np.ndarray:
        """A NumPy array with a copy of the numbers (bfloat16 becomes float32)."""

    def is_array(self, value: object) -> bool:
        """Whether `value` is an array of this library (NumPy scalars count for NumPy)."""

    def copy(self, array: Array) -> Array:
        """A contiguous copy that shares no memory with `array`."""

    def is_inexact(self, array: Array) -> bool:
        """Whether `array` is floating or complex: something that can have a derivative."""

    def is_complex(self, array: Array) -> bool: ...

    def dtype_name(self, array: Array) -> str:
        """'float64', 'bfloat16', 'int64', 'bool', ...: the same names in every library."""

    def shape(self, array: Array) -> tuple[int, ...]: ...

    def add_scaled(self, x: Array, step: float, direction: Array) -> Array:
        """Move x: x + step * direction."""

    def combine(self, weights: Sequence[float], arrays: Sequence[Array]) -> Array:
        """Sum of weight times array."""

    def subtract(self, a: Array, b: Array) -> Array:
        """Entry by entry a - b."""

    def multiply(self, a: Array, b: Array) -> Array:
        """Entry by entry a * b."""

    def select(self, where: Array, values: Array) -> Array:
        """`values` where `where` is not zero, else zero; both of one shape."""

    def count_nonzero(self, array: Array) -> int: ...

    def gather(self, array: Array, indices: np.ndarray) -> np.ndarray:
        """The entries at these flat (C order) indices, as NumPy numbers."""

    def dot(self, a: Array, b: Array) -> float:
        """Real inner product over all elements, accumulated at least in float64."""

    def product(self, a: Array, b: Array) -> tuple[float, float]:
        """The real inner product, and the Euclidean norm of a * b, entry by entry."""

    def norm(self, array: Array) -> float:
        """Euclidean norm over all elements, as a float."""

    def max_abs(self, array: Array) -> float:
        """Largest magnitude, 0.0 for an empty array; NaN when any element is NaN."""

    def all_finite(self, array: Array) -> bool: ...

    def equal(self, a: Array, b: Array) -> bool:
        """Same shape, dtype and numbers, bit for bit up to the sign of zero; NaN equals NaN."""

    def zeros_like(self, array: Array) -> Array: ...

    def random_signs(self, like: Array, seed: int, scale: float = 1.0) -> Array:
        """Random signs times U[1/2, 1] times `scale`, like `like` (both parts where complex).

        Twenty bits each, so that x + 2^-k direction is exact in float64 down to about 2^-29.
        """

    def layouts(self, array: Array) -> Iterator[tuple[str, Array]]:
        """The same numbers under other strides: (name of the layout, array)."""

    def shares_memory(self, a: Array, b: Array) -> bool: ...

    def cast(self, array: Array, dtype: str) -> Array:
        """`array` in another precision; complex stays complex at the matching precision."""

    def stack(self, arrays: Iterable[Array]) -> Array: ...
