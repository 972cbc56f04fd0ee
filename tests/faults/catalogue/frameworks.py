"""Other windows, the wrong axis, a factor too many, contributions that forward has not."""

from __future__ import annotations

from tests.faults.catalogue.base import Fault
from tests.faults.frameworks import convolution, elementwise, indexing, norms

PLANTED = {
    fault.id: fault
    for family in (convolution, elementwise, indexing, norms)
    for fault in family.FAULTS
}


def named(id: str, name: str) -> Fault:
    fault = PLANTED[id]
    return id, fault.wrong, fault.right, fault.input, name


FAULTS: list[Fault] = [
    named("convolution: dilation ignored in dx", "wrong windows"),
    named("convolution: stride ignored in dx", "wrong windows"),
    named("layer norm: means over the batch", "wrong axis"),
    named("hypotenuse: squared length", "wrong factor"),
    named("prelu: slope's gradient from every entry", "path added"),
    named("softplus: threshold in backward", "wrong beyond a bound"),
]
