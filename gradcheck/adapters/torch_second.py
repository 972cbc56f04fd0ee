"""Second order of what autograd gives: a vjp differentiated again, where torch offers that."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from gradcheck.adapters import probing
from gradcheck.adapters.torch_autograd import (
    Autograd,
    dense,
    grad,
    random_state,
    require_torch,
    tensors,
)
from gradcheck.evaluation import describe
from gradcheck.inputs import Input

Second = Callable[..., tuple[dict[str, Any], Any]]


def second_of(
    autograd: Autograd, data: Mapping[str, Input], dims: Mapping[str, tuple[int, int]]
) -> Second | str:
    """The second order of a vjp, or why it has none: tried once, at a small size.

    A backward marked once_differentiable says so by raising, as do operators of torch without a
    second derivative.
    """
    twice = partial(second, autograd)
    sizes = probing.first_sizes(probing.names_of(data), dims)
    if not probing.fits(data, sizes):
        return twice
    values = tensors(probing.numbers(data, sizes, seed=3))
    made: list[Any] = []
    if not probing.succeeds(lambda: made.append(_cotangents(autograd, values))):
        return twice  # what forward or vjp raise is for the checks to say
    directions = {name: values[name] for name in autograd.differentiable}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            twice(directions, made[0], **values)
    except Exception as error:  # noqa: BLE001 - whatever torch raises is the reason
        return f"the vjp cannot be differentiated again: {describe(error)}"
    return twice


def second(
    autograd: Autograd, directions: Mapping[str, Any], cotangent: Any, /, **inputs: Any
) -> tuple[dict[str, Any], Any]:
    """Gradients of <directions, vjp(cotangent)>: by input name, and of the cotangent.

    The vjp is differentiated by autograd once more; zero where its graph does not reach. Raises
    what torch does where a backward cannot be differentiated.
    """
    torch = require_torch()
    leaves = autograd.leaves(inputs, autograd.differentiable)
    bare = not isinstance(cotangent, tuple)
    given = (cotangent,) if bare else cotangent
    us = tuple(None if u is None else u.detach().requires_grad_() for u in given)
    point = {**inputs, **leaves}

    def twice() -> list[Any]:
        values = list(leaves.values())
        found = autograd.first(torch, us, point, values, create_graph=True)
        pairs = [
            (gradient, directions[name])
            for name, (gradient, _) in zip(leaves, found, strict=True)
            if gradient is not None and gradient.requires_grad
        ]
        _refuse_once_differentiable(pairs)
        moving = [*values, *(u for u in us if u is not None)]
        return [dense(torch, g, x) for g, x in grad(torch, pairs, moving)]

    with random_state(inputs), torch.enable_grad(), autograd.hooks.holding(point):
        again = iter(autograd.within(point, twice))
    by_input = {name: next(again) for name in leaves}
    whole = tuple(None if u is None else next(again) for u in us)
    return by_input, whole[0] if bare else whole


def _cotangents(autograd: Autograd, values: Mapping[str, Any]) -> Any:
    """The outputs themselves, as cotangents that a vjp takes. Raises what forward or vjp do."""
    outputs = autograd.forward(**values)
    bare = not isinstance(outputs, tuple)
    us = tuple(u if _inexact(u) else None for u in ((outputs,) if bare else outputs))
    given = us[0] if bare else us
    autograd.vjp(given, **values)
    return given


def _inexact(output: Any) -> bool:
    torch = require_torch()
    return isinstance(output, torch.Tensor) and bool(
        output.is_floating_point() or output.is_complex()
    )


def _refuse_once_differentiable(pairs: list[Any]) -> None:
    """Raise where the graph holds torch's node for a backward marked once_differentiable.

    That node raises when it is reached; torch.autograd.grad never reaches it, and returns None.
    """
    pending = [gradient.grad_fn for gradient, _ in pairs]
    met: set[Any] = set()
    while pending:
        node = pending.pop()
        if node is None or node in met:
            continue
        met.add(node)
        if node.name().endswith("::Error"):
            raise RuntimeError("a backward is marked once_differentiable")
        pending += [following for following, _ in node.next_functions]
