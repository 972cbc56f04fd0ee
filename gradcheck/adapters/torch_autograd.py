"""What the torch adapters share: a function on tensors, with the gradient its autograd gives."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

from gradcheck.adapters import nested, probing
from gradcheck.adapters.torch_hooks import Hooks
from gradcheck.errors import MissingExtra

Run = Callable[[Mapping[str, Any]], Any]
Within = Callable[[Mapping[str, Any], Callable[[], Any]], Any]

# The precision whose numbers buffers and frozen parameters hold, where it is not the inputs' own.
STATE_DTYPE: ContextVar[str | None] = ContextVar("STATE_DTYPE", default=None)


def require_torch() -> Any:
    """The torch module. Raises MissingExtra where it is not installed."""
    try:
        import torch
    except ImportError:
        raise MissingExtra("torch is not installed: pip install 'gradcheck[torch]'") from None
    return torch


def loaded_torch() -> Any:
    """The torch module if something has imported it, else None."""
    return sys.modules.get("torch")


def _plainly(values: Mapping[str, Any], call: Callable[[], Any]) -> Any:
    return call()


class Autograd:
    """forward and vjp of a Subject out of `run(tensors by input name)`.

    The gradient is what torch.autograd.grad gives; an input that the graph does not reach has the
    gradient zero, and sparse gradients and outputs are made dense. Random state is the same in
    every call and is left as it was. within(values, call): calls with whatever a backward may read
    beside its graph as it was when `run` had these values; a checkpoint runs its forward again.
    hooks: those of the user's parameters among the inputs.
    """

    def __init__(
        self,
        run: Run,
        differentiable: Sequence[str],
        within: Within = _plainly,
        hooks: Hooks | None = None,
    ) -> None:
        self.run = run
        self.differentiable = tuple(differentiable)
        self.within = within
        self.hooks = hooks or Hooks()
        self.accumulates = False

    def forward(self, /, **inputs: Any) -> Any:
        with random_state(inputs):
            returned = nested.outputs(self.run(inputs))
            if isinstance(returned, tuple):
                return tuple(_detached(plain(output)) for output in returned)
            return _detached(plain(returned))

    def vjp(self, cotangent: Any, /, **inputs: Any) -> dict[str, Any]:
        """Gradients by input name, of every differentiable input."""
        return self.gradients(cotangent, inputs, self.differentiable)

    def later(
        self, cotangent: Any, others: Sequence[Mapping[str, Any]], /, **inputs: Any
    ) -> dict[str, Any]:
        """Gradients by input name, of a graph that waits while `run` builds one at each of others.

        As where a layer is called twice before the backward: what it saved must be this call's.
        """
        return self.gradients(cotangent, inputs, self.differentiable, others)

    def jvp(self, tangents: Mapping[str, Any], /, **inputs: Any) -> Any:
        """Tangents of the outputs by torch's forward mode, zero where none arrives."""
        torch = require_torch()
        modes = torch.autograd.forward_ad
        with random_state(inputs), modes.dual_level():
            duals = {n: modes.make_dual(inputs[n].detach(), t) for n, t in tangents.items()}
            returned = nested.outputs(self.run({**inputs, **duals}))
            outputs = returned if isinstance(returned, tuple) else (returned,)
            found = tuple(_tangent(torch, plain(output)) for output in outputs)
        return found if isinstance(returned, tuple) else found[0]

    def gradients(
        self,
        cotangent: Any,
        inputs: Mapping[str, Any],
        names: Sequence[str],
        others: Sequence[Mapping[str, Any]] = (),
    ) -> dict[str, Any]:
        """Gradients of `names` alone: only they require one.

        Training calls backward(), and some graphs take nothing else (reentrant checkpoints): where
        grad() raises and backward() does not, the gradients are what that adds up in the inputs.
        """
        asked = partial(self._gradients, cotangent, inputs, names, others)
        if not self.accumulates:
            try:
                return asked(grad)
            except RuntimeError as error:
                if not probing.succeeds(partial(asked, added_up)):
                    raise error
        self.accumulates = True
        return asked(added_up)

    def _gradients(
        self,
        cotangent: Any,
        inputs: Mapping[str, Any],
        names: Sequence[str],
        others: Sequence[Mapping[str, Any]],
        way: Callable[..., list[tuple[Any, Any]]],
    ) -> dict[str, Any]:
        torch = require_torch()
        leaves = self.leaves(inputs, names)
        with random_state(inputs), torch.enable_grad():
            cotangents = cotangent if isinstance(cotangent, tuple) else (cotangent,)
            values = {**inputs, **leaves}
            returned = self.run(values)
            held = [self.run({**point, **_leaves(point, names)}) for point in others]
            pairs = _pairs(torch, returned, cotangents)
            way = _second if others and way is grad else way
            with self.hooks.holding(values):
                found = self.within(values, lambda: way(torch, pairs, list(leaves.values())))
                kept = [self.hooks.kept(n, g) for n, (g, _) in zip(leaves, found, strict=True)]
            del held  # graphs of the others live until here, as they do in training
        return {
            name: dense(torch, gradient, inputs[name])
            for name, gradient in zip(leaves, kept, strict=True)
        }

    def leaves(self, inputs: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
        """Tensors that require a gradient, with the hooks of the parameters they stand in for."""
        return self.hooks.attached(_leaves(inputs, names))

    def first(
        self,
        torch: Any,
        cotangents: tuple[Any, ...],
        values: Mapping[str, Any],
        leaves: list[Any],
        create_graph: bool = False,
    ) -> list[tuple[Any, Any]]:
        """(gradient, leaf) as autograd returns them, None where none arrives."""
        return grad(torch, _pairs(torch, self.run(values), cotangents), leaves, create_graph)


def _tangent(torch: Any, output: Any) -> Any:
    if not isinstance(output, torch.Tensor):
        return None
    tangent = torch.autograd.forward_ad.unpack_dual(output).tangent
    return dense(torch, tangent, output)


def _leaves(inputs: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: inputs[name].detach().requires_grad_() for name in names}


def _pairs(torch: Any, returned: Any, cotangents: tuple[Any, ...]) -> list[tuple[Any, Any]]:
    """(output, cotangent) of the outputs that have one and are in a graph."""
    found = nested.outputs(returned)
    outputs = found if isinstance(found, tuple) else (found,)
    return [
        (plain(output), u)
        for output, u in zip(outputs, cotangents, strict=True)
        if u is not None and isinstance(output, torch.Tensor) and output.requires_grad
    ]


def grad(
    torch: Any,
    pairs: list[Any],
    leaves: list[Any],
    create_graph: bool = False,
    retain_graph: bool = False,
) -> list[tuple[Any, Any]]:
    """(gradient or None, leaf) of each leaf, from pairs of an output and its cotangent."""
    if not pairs:
        return [(None, leaf) for leaf in leaves]
    found: Sequence[Any] = torch.autograd.grad(
        [output for output, _ in pairs],
        leaves,
        [u for _, u in pairs],
        allow_unused=True,
        create_graph=create_graph,
        retain_graph=retain_graph or create_graph,
    )
    return list(zip(found, leaves, strict=True))


def _second(torch: Any, pairs: list[Any], leaves: list[Any]) -> list[tuple[Any, Any]]:
    """(gradient or None, leaf) of a second backward through one graph, which changes no saved one.

    Of the first where the second raises: a layer may free what it has used.
    """
    copies = [(output, u.clone()) for output, u in pairs]
    found = grad(torch, copies, leaves, retain_graph=True)
    try:
        return grad(torch, pairs, leaves, retain_graph=True)
    except Exception:  # noqa: BLE001 - whatever a layer says once its tensors are freed
        return found


def added_up(torch: Any, pairs: list[Any], leaves: list[Any]) -> list[tuple[Any, Any]]:
    """The same from backward(), which adds to the `.grad` of every leaf of the graph."""
    if pairs:
        torch.autograd.backward([output for output, _ in pairs], [u for _, u in pairs])
    return [(leaf.grad, leaf) for leaf in leaves]


def plain(output: Any) -> Any:
    """An output with its zeros and padding written out, its graph kept; other values as they are.

    Floats of eight bits, with which torch computes nothing, become float32. Raises ValueError for a
    tensor that holds no numbers.
    """
    torch = require_torch()
    if not isinstance(output, torch.Tensor):
        return output
    if output.is_meta:
        raise ValueError("an output on the device 'meta' holds no numbers")
    if output.is_nested:
        output = torch.nested.to_padded_tensor(output, 0.0)
    elif output.layout is not torch.strided:
        output = output.to_dense()
    eight_bits = output.is_floating_point() and output.dtype.itemsize == 1
    return output.to(torch.float32) if eight_bits else output


def _detached(output: Any) -> Any:
    return output.detach() if hasattr(output, "detach") else output


def dense(torch: Any, gradient: Any, like: Any) -> Any:
    """A gradient as a tensor of its own, with every zero written out."""
    if gradient is None:
        return torch.zeros_like(like, requires_grad=False)
    found = gradient.detach()
    if found._is_zerotensor():  # a zero without memory, which NumPy cannot read
        return torch.zeros_like(like, requires_grad=False)
    return found.to_dense() if found.layout is not torch.strided else found


@contextmanager
def random_state(inputs: Mapping[str, Any]) -> Any:
    """Keep torch's generators at a fixed seed inside, and as they were afterwards."""
    torch = require_torch()
    devices = {value.device for value in inputs.values() if isinstance(value, torch.Tensor)}
    own = [device for device in devices if device.type == "cuda"]
    before = torch.get_rng_state()
    held = [torch.cuda.get_rng_state(device) for device in own]
    torch.default_generator.manual_seed(0)
    for device in own:
        with torch.cuda.device(device):
            torch.cuda.manual_seed(0)
    try:
        yield
    finally:
        torch.set_rng_state(before)
        for device, state in zip(own, held, strict=True):
            torch.cuda.set_rng_state(state, device)


def tensors(values: Mapping[str, Any]) -> dict[str, Any]:
    """NumPy arrays as tensors; other values as they are."""
    import numpy as np

    torch = require_torch()
    return {
        name: torch.tensor(value) if isinstance(value, np.ndarray) else value
        for name, value in values.items()
    }
