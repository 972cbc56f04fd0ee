"""Replicas: what honest rounding does to a gradient, operation by operation.

A float64 run in which every operation's result is off by up to a unit roundoff of another
precision, as a run in that precision would be; a dozen of them show how far honest results spread.
Equal numbers are rounded equally, so the relative error of a result is a hash of its digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from gradcheck.oracles.operations import (
    APPROXIMATE,
    EXACT,
    IN_MEMORY,
    KERNELS,
    SCATTERED,
    STEPWISE,
    SUMS,
)

Run = Callable[[Mapping[str, Any]], Mapping[str, Any]]

# Unit roundoff is 2^-bits: half the spacing of floats at 1.
BITS = {"float32": 24, "float16": 11, "bfloat16": 8}
# A running sum of n terms is rounded at each: by some sqrt(n)/2 times the sum of magnitudes where
# they are of one sign, and never modelled as less than twice.
ACCUMULATED, LONG = 2.0, 0.5
# An operation of many steps is as good as one on inputs that are off by so many roundoffs.
BACKWARD = 2.0
# Approximated functions are off by so many.
UNITS = 4.0


@dataclass
class Rounding:
    """How one replica rounds. unseen: operations whose inside torch does not show.

    own_sums: every step and sum is in the arrays' own precision, as NumPy's are; kernels of torch
    work in float32. kernels: those that are being taken apart.
    """

    dtype: str
    seed: int
    own_sums: bool = False
    kernels: list[str] = field(default_factory=list)
    unseen: set[str] = field(default_factory=set)

    @property
    def inside(self) -> bool:
        return bool(self.kernels)

    def results(self, torch: Any, made: Any, wide: Any = None) -> Any:
        """What an operation returned, off by a unit roundoff each; `wide`: sums of magnitudes."""
        if isinstance(made, tuple | list):
            others = wide if wide is not None else [None] * len(made)
            pairs = zip(made, others, strict=True)
            return _like(made, (self.results(torch, m, w) for m, w in pairs))
        if not _floating(torch, made):
            return made
        return self._rounded(torch, made, wide)

    def inputs(self, torch: Any, value: Any, size: float = 2.0**-24) -> Any:
        """An input of an operation, or of everything, off by `size` times itself at most."""
        if isinstance(value, tuple | list):
            return _like(value, (self.inputs(torch, v, size) for v in value))
        if not _floating(torch, value):
            return value
        (random,) = self._random(torch, value, 1)
        return value + size * value * random

    def _rounded(self, torch: Any, y: Any, wide: Any) -> Any:
        limits = torch.finfo(torch.float32 if self.inside else getattr(torch, self.dtype))
        unit = 2.0 ** -self._bits(torch, y)
        # A narrow result of a wide computation is subject to the range of its own dtype.
        own, tiny, summed = self._random(torch, y, 2, 3, 4)
        off = unit * (y * own + limits.smallest_normal * tiny * (y != 0))
        if wide is not None:
            off = off + wide * summed
        moved = y + off
        return torch.where(moved.abs() > limits.max, moved * torch.inf, moved)

    def _bits(self, torch: Any, y: Any) -> int:
        return 24 if self.inside or y.dtype is torch.float32 else BITS[self.dtype]

    @property
    def backward(self) -> float:
        """How far off the inputs are for which an operation of many steps is exact."""
        return float(BACKWARD * 2.0 ** -(BITS[self.dtype] if self.own_sums else 24))

    def summed(self, name: str, args: Any, made: Any) -> float:
        """Roundoff of the sums that an operation takes, per unit of the sum of magnitudes."""
        own = self.own_sums or name in SCATTERED
        if self.inside:
            own = self.kernels[-1] in IN_MEMORY and _down_the_rows(name, args)
        size = max(ACCUMULATED, LONG * math.sqrt(_terms(name, args, made)))
        return float(size * 2.0 ** -(BITS[self.dtype] if own else 24))

    def _random(self, torch: Any, y: Any, *streams: int) -> Any:
        """Uniform in [-1, 1], an array a stream, the same wherever the leading digits are."""
        bits = self._bits(torch, y) + 1
        digits = (y.detach().double().view(torch.int64) >> (52 - bits)) & (2**bits - 1)
        starts = [(self.seed * 16 + k) * 0x5851F42D4C957F2D % 2**63 for k in streams]
        key = torch.tensor(starts, device=y.device).reshape(-1, *[1] * y.ndim)
        key = key + digits * 6364136223846793005
        key = (key ^ (key >> 29)) * -4658895280553007687
        key = (key ^ (key >> 32)) & (2**31 - 1)
        return (key.to(y.dtype) * 2.0**-30 - 1.0).unbind()


def replica(run: Run, arrays: Mapping[str, Any], rounding: Rounding) -> Mapping[str, Any]:
    """What `run` gives at float64 tensors when every operation rounds as `rounding` says.

    Raises what `run` raises, and RuntimeError where an operation cannot be taken apart.
    """
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel

    moved = {name: rounding.inputs(torch, value) for name, value in arrays.items()}
    with sdpa_kernel(SDPBackend.MATH), _mode()(rounding):
        return run(moved)


def replicas(
    run: Run, arrays: Mapping[str, Any], dtype: str, seeds: range, own_sums: bool = False
) -> Iterator[tuple[Mapping[str, Any], set[str]]]:
    """One replica a seed, and the operations in it whose inside is not seen."""
    for seed in seeds:
        rounding = Rounding(dtype, seed, own_sums)
        yield replica(run, arrays, rounding), rounding.unseen


@contextmanager
def promoted(dtype: str) -> Iterator[None]:
    """Buffers and frozen parameters, too, are those of `dtype` in what runs inside."""
    from gradcheck.adapters.torch_autograd import STATE_DTYPE

    token = STATE_DTYPE.set(dtype)
    try:
        yield
    finally:
        STATE_DTYPE.reset(token)


@cache
def _mode() -> Any:
    """The class of a dispatch mode that rounds: made when torch is there."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    class Rounds(TorchDispatchMode):  # type: ignore[misc]
        def __init__(self, rounding: Rounding) -> None:
            super().__init__()
            self.rounding = rounding

        def __torch_dispatch__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            return _operation(torch, self, func, args, kwargs or {})

    return Rounds


def _operation(torch: Any, mode: Any, func: Any, args: Any, kwargs: Any) -> Any:
    name, rounding = func._schema.name.split("::")[-1], mode.rounding
    if _is_view(func) or (name in EXACT and not _narrows(args, kwargs)):
        return func(*args, **kwargs)
    if name in SUMS or name in SCATTERED:
        wide = func(*_absolute(torch, args), **_absolute(torch, kwargs))
        wide = _scaled(wide, rounding.summed(name, args, wide))
        return _written(torch, func, func(*args, **kwargs), rounding, wide)
    apart = _apart(torch, func, name)
    if apart is not None:
        with _inside(rounding, name), mode:
            made = apart(*args, **kwargs)
        if made is not NotImplemented:
            return _written(torch, func, made, rounding)
    if func.namespace not in ("aten", "prims"):
        rounding.unseen.add(func._schema.name.replace("::", "."))
    elif torch.Tag.pointwise not in func.tags and not _writes(func):
        args = rounding.inputs(torch, tuple(args), rounding.backward)
    made = func(*args, **kwargs)
    # Polynomials keep an absolute error: erf near 0, lgamma near its roots.
    wide = _scaled(1 + made.abs(), UNITS * 2.0**-24) if name in APPROXIMATE else None
    return _written(torch, func, made, rounding, wide)


def _written(torch: Any, func: Any, made: Any, rounding: Rounding, wide: Any = None) -> Any:
    """The rounded results; where the operation writes into its argument, so does this."""
    moved = rounding.results(torch, made, wide)
    if not _writes(func):
        return moved
    whole = zip(
        made if isinstance(made, tuple | list) else (made,),
        moved if isinstance(moved, tuple | list) else (moved,),
        strict=True,
    )
    for target, value in whole:
        if _floating(torch, target):
            target.copy_(value)
    return made


def _apart(torch: Any, func: Any, name: str) -> Any:
    """A kernel of several steps as those steps, where torch knows them."""
    if name in KERNELS:
        from torch._decomp import decomposition_table

        return decomposition_table.get(func)
    return _steps(torch).get(func)


@cache
def _steps(torch: Any) -> Any:
    from torch._decomp import core_aten_decompositions

    return core_aten_decompositions()


@contextmanager
def _inside(rounding: Rounding, kernel: str) -> Iterator[None]:
    """A kernel computes in float32, and rounds what it returns; NumPy has no kernels."""
    before = rounding.kernels
    stepwise = kernel in STEPWISE or rounding.own_sums
    rounding.kernels = before if stepwise else [*before, kernel]
    try:
        yield
    finally:
        rounding.kernels = before


def _down_the_rows(name: str, args: Any) -> bool:
    """Whether a sum is over the first axis, among others perhaps."""
    axes = args[1] if name in ("sum", "mean") and len(args) > 1 else None
    return isinstance(axes, tuple | list) and 0 in axes


def _terms(name: str, args: Any, made: Any) -> float:
    """How many terms a sum has: the width of a product, or what the sizes say."""
    arrays = [a for a in args if hasattr(a, "numel")]
    if name.endswith(("mm", "mv", "dot")):
        return float(arrays[-1].shape[-2 if arrays[-1].ndim > 1 else -1])
    if name == "convolution":
        return float(arrays[1].numel() / max(1, len(arrays[1])))
    outputs = [m for m in (made if isinstance(made, tuple | list) else (made,)) if m is not None]
    least = min((max(1, m.numel()) for m in outputs), default=1)
    return float(max((a.numel() for a in arrays), default=1) / least)


def _is_view(func: Any) -> bool:
    infos = [r.alias_info for r in func._schema.returns]
    return any(info is not None and not info.is_write for info in infos)


def _writes(func: Any) -> bool:
    return any(r.alias_info is not None and r.alias_info.is_write for r in func._schema.returns)


def _narrows(args: Any, kwargs: Any) -> bool:
    """Whether a copy goes from one floating dtype to another (x.copy_(y))."""
    dtypes = {a.dtype for a in args if hasattr(a, "is_floating_point") and a.is_floating_point()}
    return len(dtypes) > 1


def _absolute(torch: Any, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _absolute(torch, v) for name, v in value.items()}
    if isinstance(value, tuple | list):
        return _like(value, (_absolute(torch, v) for v in value))
    return value.abs() if _floating(torch, value) else value


def _scaled(made: Any, size: float) -> Any:
    if isinstance(made, tuple | list):
        return _like(made, (_scaled(m, size) for m in made))
    return made * size if made is not None else None


def _like(whole: Any, parts: Iterable[Any]) -> Any:
    """A list for a list, a tuple for a tuple or one of torch's named ones."""
    return list(parts) if isinstance(whole, list) else tuple(parts)


def _floating(torch: Any, value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.is_floating_point()
