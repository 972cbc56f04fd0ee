"""Torch tensors, on one device: nothing passes through NumPy unless asked for."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

from gradcheck.backends import blocks
from gradcheck.backends.base import Array
from gradcheck.backends.signs import signs

# Sums of squares in between are neither overflown nor short of bits.
LOW, HIGH = 1e-280, 1e300
_WITHIN = {torch.bfloat16: torch.float32, torch.complex32: torch.complex64}
_COMPLEX = {"float64": "complex128", "float32": "complex64", "float16": "complex32"}


class TorchBackend:
    """See `gradcheck.backends.base.Backend`."""

    name = "torch"

    def __init__(self, device: str = "cpu") -> None:
        self.device = torch.device(device)

    def from_numpy(self, value: np.ndarray) -> Array:
        return torch.tensor(np.asarray(value), device=self.device)

    def to_numpy(self, array: Array) -> np.ndarray:
        array = array.detach().resolve_conj().resolve_neg()
        if array.dtype in _WITHIN:  # NumPy has no such numbers
            array = array.to(_WITHIN[array.dtype])
        return np.array(array.cpu().numpy())

    def is_array(self, value: object) -> bool:
        return isinstance(value, torch.Tensor)

    def copy(self, array: Array) -> Array:
        return array.detach().clone(memory_format=torch.contiguous_format)

    def is_inexact(self, array: Array) -> bool:
        return bool(array.is_floating_point() or array.is_complex())

    def is_complex(self, array: Array) -> bool:
        return bool(array.is_complex())

    def dtype_name(self, array: Array) -> str:
        return str(array.dtype).removeprefix("torch.")

    def shape(self, array: Array) -> tuple[int, ...]:
        return tuple(array.shape)

    def add_scaled(self, x: Array, step: float, direction: Array) -> Array:
        return torch.add(x.detach(), direction, alpha=step)

    def subtract(self, a: Array, b: Array) -> Array:
        return torch.sub(a.detach(), b.detach())

    def multiply(self, a: Array, b: Array) -> Array:
        return torch.mul(a.detach(), b.detach())

    def combine(self, weights: Sequence[float], arrays: Sequence[Array]) -> Array:
        total = arrays[0].detach() * weights[0]
        for weight, array in zip(weights[1:], arrays[1:], strict=True):
            total = torch.add(total, array.detach(), alpha=weight)
        return total

    def dot(self, a: Array, b: Array) -> float:
        left, right = _wide(a), _wide(b)
        if left.is_complex() or right.is_complex():
            left, right = left.to(torch.complex128), right.to(torch.complex128)
            return float(torch.vdot(left, right).real)
        return float(torch.dot(left, right))

    def product(self, a: Array, b: Array) -> tuple[float, float]:
        return blocks.product(self, _wide(a), _wide(b))

    def norm(self, array: Array) -> float:
        flat = _wide(array)
        square = self.dot(flat, flat)
        if LOW < square < HIGH or math.isnan(square):
            return math.sqrt(square)
        unit = self.max_abs(flat)  # squares out of range, or all zero
        return unit * self.norm(flat / unit) if 0.0 < unit < math.inf else unit

    def max_abs(self, array: Array) -> float:
        flat = _wide(array)
        if not flat.numel():
            return 0.0
        if flat.is_complex():
            return float(flat.abs().max())
        low, high = torch.aminmax(flat)
        return float(torch.maximum(high, -low))  # NaN stays NaN

    def all_finite(self, array: Array) -> bool:
        return bool(torch.isfinite(array.detach()).all())

    def equal(self, a: Array, b: Array) -> bool:
        if a.shape != b.shape or a.dtype != b.dtype:
            return False
        a, b = a.detach(), b.detach()
        if a.dtype is torch.complex32:  # torch compares none of these
            a, b = a.to(torch.complex64), b.to(torch.complex64)
        if torch.equal(a, b):
            return True
        return self.is_inexact(a) and bool(((a == b) | (a.isnan() & b.isnan())).all())

    def zeros_like(self, array: Array) -> Array:
        return torch.zeros_like(array, memory_format=torch.contiguous_format, requires_grad=False)

    def random_signs(self, like: Array, seed: int, scale: float = 1.0) -> Array:
        # NumPy's generator is several times as fast, and the same on every device.
        bits = np.random.SFC64(seed)
        parts = [torch.from_numpy(signs(bits, tuple(like.shape)))]
        if like.is_complex():
            parts.append(torch.from_numpy(signs(bits, tuple(like.shape))))
            parts = [torch.complex(*parts)]
        drawn = parts[0].to(like.device, like.dtype)
        return drawn if scale == 1.0 else drawn.mul_(scale)

    def select(self, where: Array, values: Array) -> Array:
        return values.detach().masked_fill(where.detach() == 0, 0)

    def count_nonzero(self, array: Array) -> int:
        return int(torch.count_nonzero(array.detach()))

    def gather(self, array: Array, indices: np.ndarray) -> np.ndarray:
        chosen = torch.from_numpy(np.asarray(indices, dtype=np.int64)).to(array.device)
        return self.to_numpy(array.detach().reshape(-1)[chosen])

    def layouts(self, array: Array) -> Iterator[tuple[str, Array]]:
        array = array.detach()
        yield "contiguous", self.copy(array)
        if array.ndim == 0:
            return
        if array.ndim > 1:
            yield "transposed", array.mT.contiguous().mT
        wide = array.new_zeros((*array.shape[:-1], 2 * array.shape[-1]))
        wide[..., ::2] = array
        yield "strided", wide[..., ::2]
        padded = array.new_zeros((array.shape[0] + 1, *array.shape[1:]))
        padded[1:] = array
        yield "offset", padded[1:]
        if array.ndim == 4:
            yield "channels last", array.clone(memory_format=torch.channels_last)
        for first in (array[(slice(1),) * array.ndim], array[:1]):
            if array.numel() and bool((array == first).all()):
                yield "expanded", first.clone().expand(array.shape)
                return

    def shares_memory(self, a: Array, b: Array) -> bool:
        if a.numel() == 0 or b.numel() == 0:
            return False
        if a.untyped_storage().data_ptr() != b.untyped_storage().data_ptr():
            return False
        (a_low, a_high), (b_low, b_high) = _extent(a), _extent(b)
        return a_low < b_high and b_low < a_high

    def cast(self, array: Array, dtype: str) -> Array:
        wanted = _COMPLEX.get(dtype, dtype) if array.is_complex() else dtype
        return array.detach().to(getattr(torch, wanted), copy=True)

    def stack(self, arrays: Iterable[Array]) -> Array:
        return torch.stack([array.detach() for array in arrays])


def _wide(array: Any) -> Any:
    """Flat, at least float64, without a conjugate bit left pending."""
    flat = array.detach().reshape(-1)
    if flat.dtype is torch.float64:
        return flat
    if flat.is_complex():
        return flat.to(torch.complex128).resolve_conj()
    return flat.to(torch.float64)


def _extent(array: Any) -> tuple[int, int]:
    """First byte of the view, and one past its last."""
    last = sum(
        (size - 1) * stride for size, stride in zip(array.shape, array.stride(), strict=True)
    )
    start = array.data_ptr()
    return start, start + (last + 1) * array.element_size()
