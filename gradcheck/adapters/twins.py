"""A twin for free: a forward written against its inputs' array API namespace, called with others.

First with torch tensors; then, where it does not take those, with JAX arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gradcheck.adapters import nested, probing
from gradcheck.adapters.torch_autograd import random_state, require_torch
from gradcheck.errors import MissingExtra
from gradcheck.subject import Subject


def with_twin(subject: Subject) -> Subject:
    """The subject with the twin that can be had of its own forward; a remark says which.

    Raises MissingExtra where torch is not installed and JAX gives no twin either.
    """
    missing: MissingExtra | None = None
    twin: Any = None
    try:
        twin = torch_twin(subject)
    except MissingExtra as error:
        missing = error
    which = "torch tensors"
    if twin is None:
        which, twin = "JAX arrays", jax_twin(subject)
    if twin is None and missing is not None:
        raise missing
    said = f"runs on {which}" if twin is not None else "runs neither on torch tensors nor on JAX's"
    remarks = (*subject.remarks, f"twin='auto': its own forward {said}")
    return subject.but(twin=twin or "auto", remarks=remarks)


def torch_twin(subject: Subject) -> Callable[..., Any] | None:
    """The subject's own forward, where it takes torch tensors and is differentiable by autograd.

    Raises MissingExtra where torch is not installed.
    """
    torch = require_torch()
    if subject.backend != "numpy":
        return None
    works = any(_works(torch, subject, sizes) for sizes in _small(subject))
    return subject.forward if works else None


def jax_twin(subject: Subject) -> Subject | None:
    """A Subject of the same forward on JAX arrays, with jax.vjp; None where that does not run.

    None, too, where JAX is not installed, and of a stochastic subject: a random number of NumPy's
    would be compiled in as a constant.
    """
    from gradcheck.adapters import jax

    if subject.backend != "numpy" or "stochastic" in subject.traits:
        return None
    try:
        twin = jax.from_run(
            lambda values: subject.forward(**values),
            subject.inputs,
            name=f"{subject.name} on JAX arrays",
        )
    except MissingExtra:
        return None
    return twin if any(_pulls_back(twin, sizes) for sizes in _small(subject)) else None


def _small(subject: Subject) -> Iterator[dict[str, int]]:
    """A few small sizes at which the subject's inputs exist."""
    for start in (3, 2, 4):
        sizes = probing.first_sizes(probing.names_of(subject.inputs), subject.dims or {}, start)
        if probing.fits(subject.inputs, sizes):
            yield sizes


def _pulls_back(twin: Subject, sizes: dict[str, int]) -> bool:
    values = probing.numbers(twin.inputs, sizes)
    outputs: list[Any] = []
    # Forward alone says nothing: a NumPy function quietly turns JAX arrays into its own.
    if not probing.succeeds(lambda: outputs.append(twin.forward(**values))):
        return False
    parts = outputs[0] if isinstance(outputs[0], tuple) else (outputs[0],)
    ones = tuple(np.ones_like(p) if np.asarray(p).dtype.kind in "fc" else None for p in parts)
    cotangent = ones if isinstance(outputs[0], tuple) else ones[0]
    return probing.succeeds(lambda: twin.vjp(cotangent, **values))


def _works(torch: Any, subject: Subject, sizes: dict[str, int]) -> bool:
    values: dict[str, Any] = {}
    for name, value in probing.numbers(subject.inputs, sizes).items():
        tensor = torch.tensor(value) if hasattr(value, "dtype") else value
        # A forward that went through NumPy would raise on a tensor that requires a gradient.
        moving = name in subject.differentiable
        values[name] = tensor.requires_grad_() if moving else tensor
    made: list[Any] = []
    with random_state({}):
        if not probing.succeeds(lambda: made.append(subject.forward(**values))):
            return False
    leaves = [leaf for leaf in nested.leaves(made[0]) if leaf is not None]
    tensors = [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]
    return len(tensors) == len(leaves) and any(leaf.requires_grad for leaf in tensors)
