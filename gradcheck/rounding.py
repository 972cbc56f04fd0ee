"""How far two honest results of one dtype may lie apart."""

from __future__ import annotations

from typing import Any

from gradcheck.backends.base import Backend

ULP = {"float64": 2.0**-52, "float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}
ULP |= {"complex128": 2.0**-52, "complex64": 2.0**-23, "complex32": 2.0**-10}

# The same numbers summed in another order: what a reduction of a few thousand terms does.
REORDERED = 2.0**10
# The same VJP by another route (a split cotangent, other strides), whose inner cancellation of up
# to 2^22 is the layer's own business. Reading a wrong element or a missing factor is of order 1.
REROUTED = 2.0**32
# Of cotangent times outputs, per input moved by its whole size: less is lost among the terms that a
# backward pass of some depth works with.
INVISIBLE = 2.0**16
# The same for one entry moved by its own size, or by this share of the largest: an entry of 1e-3
# that drives a gate is not to be measured by a neighbour of 1e2 that does nothing.
OWN, SHARED = 2.0**10, 2.0**-20
# A result may be off by so many times what a cotangent or input off by an ulp does to it: the
# spread of a few replicas is itself random, and a longer way to the result rounds more often.
SPREADS = 64.0
# A result that an ulp in the inputs moves by more than this share jumps there.
MOVED = 2.0**-20


def ulp(backend: Backend, array: Any) -> float:
    """Spacing of the floats of `array`'s dtype at 1."""
    return ULP.get(backend.dtype_name(array), 2.0**-52)


def tolerance(backend: Backend, ulps: float, *arrays: Any) -> float:
    """So many ulps of the largest magnitude, at most 2^-6 of it in low precision."""
    relative = min(ulps * ulp(backend, arrays[0]), 2.0**-6)
    return relative * max(backend.max_abs(a) for a in arrays)


def difference(backend: Backend, a: Any, b: Any) -> float:
    """Largest magnitude of a - b."""
    return backend.max_abs(backend.combine([1.0, -1.0], [a, b]))
