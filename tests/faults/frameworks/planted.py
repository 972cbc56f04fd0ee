"""Mistakes as the histories of frameworks are full of, each beside its correct twin."""

from collections.abc import Callable, Mapping
from typing import Any

from gradcheck import Subject
from tests.faults.users.planted import Fault


def plant(
    id: str,
    forward: Callable,
    right: Callable,
    wrong: Callable,
    inputs: Mapping[str, Any],
    input: str,
    *words: str,
    **options: Any,
) -> Fault:
    """A forward with the right vjp, and with one that has a mistake in the gradient of `input`.

    vjp(cotangent, **inputs) returns gradients by name; those that `wrong` leaves out are right.
    words: what the sentence or the fault's name must say.
    """

    def planted(cotangent, **arrays):
        return right(cotangent, **arrays) | wrong(cotangent, **arrays)

    correct = Subject(f"{id}: correct", forward, right, inputs, **options)
    return Fault(id, Subject(id, forward, planted, inputs, **options), correct, input, words)
