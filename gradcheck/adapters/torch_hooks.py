"""Hooks on a user's parameters: what they make of a gradient is what an optimizer sees."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from gradcheck.adapters import nested

Change = Callable[[Any], Any]  # a gradient -> another, or None where it stays


KINDS = ("_backward_hooks", "_post_accumulate_grad_hooks")


class Hooks:
    """The gradient hooks of parameters, run on the tensors that stand in for them.

    owners: the user's own parameters, by input name. Neither a copy nor a tensor that is put in
    the place of a parameter has its hooks: those of `register_hook` are registered on each leaf
    again, those of `register_post_accumulate_grad_hook` are called with the user's parameter.
    Meanwhile the user's parameters hold the leaves' numbers, and no optimizer steps.
    """

    def __init__(self, owners: Mapping[str, Any] | None = None) -> None:
        # One that waits for its first input holds no numbers, and takes no hooks.
        self.owners = {n: owner for n, owner in (owners or {}).items() if not _waits(owner)}
        self.own = {name: owner.dtype for name, owner in self.owners.items()}
        self.before, self.after = (_held(self.owners, kind) for kind in KINDS)
        self.users: set[Any] = set()

    def __bool__(self) -> bool:
        return bool(self.before or self.after)

    def attached(self, leaves: dict[str, Any]) -> dict[str, Any]:
        """The leaves, those of parameters with the hooks that see a gradient before it is kept."""
        for name, leaf in leaves.items():
            for hook in self.before.get(name, ()):
                leaf.register_hook(partial(_changed, hook, self.own[name]))
        return leaves

    def kept(self, name: str, gradient: Any) -> Any:
        """What is in `.grad` of a parameter after the hooks that see it there."""
        if gradient is None:
            return None
        for hook in self.after.get(name, ()):
            there = partial(self._in_grad, hook, self.owners[name])
            gradient = _changed(there, self.own[name], gradient.detach())
        return gradient

    @contextmanager
    def holding(self, values: Mapping[str, Any]) -> Iterator[None]:
        """The user's parameters hold these values inside, and what they held afterwards."""
        if not self:
            yield
            return
        held = [(owner, owner.data, owner.grad) for owner in self.owners.values()]
        try:
            for name, owner in self.owners.items():
                owner.grad = None
                if name in values:
                    owner.data = values[name].detach().clone()
            yield
        finally:
            for owner, data, gradient in held:
                owner.grad = None  # torch takes no numbers of another dtype than a gradient's
                owner.data, owner.grad = data, gradient

    def _in_grad(self, hook: Callable[[Any], None], owner: Any, gradient: Any) -> Any:
        """What a hook leaves in `.grad`; the gradient as it came where it uses that up."""
        owner.grad = None
        owner.data = owner.data.to(gradient.dtype)
        owner.grad = gradient.clone()
        held = owner.data.clone()
        try:
            hook(owner)
        except _Stepped:
            return owner.grad
        if owner.grad is None or not (owner.grad.any() or held.equal(owner.data)):
            self.users.add(hook)  # a step of small numbers moves nothing: ever after
        owner.data = held
        return gradient if hook in self.users else owner.grad

    @property
    def remarks(self) -> tuple[str, ...]:
        names = ", ".join(f"`{n}`" for n in self.owners if n in self.before or n in self.after)
        return (f"hooks on {names} were run: their results were judged",) if names else ()


def unasked(returned: Any, values: Iterable[Any]) -> tuple[str, ...]:
    """A remark on the leaves in the graph of what was returned that are not among these values.

    As those that a function closes over: their gradients are not asked for.
    """
    known = {id(value) for value in values}
    others = [leaf for leaf in _leaves_of(returned) if id(leaf) not in known]
    if not others:
        return ()
    shapes = ", ".join(dict.fromkeys(str(tuple(leaf.shape)) for leaf in others))
    return (
        f"forward reaches tensors that require a gradient and are no inputs, of shape {shapes}: "
        "neither their gradients nor hooks on them are verified",
    )


def _leaves_of(returned: Any) -> list[Any]:
    """Leaves that the graph of the outputs adds gradients up in, each once."""
    pending = [getattr(output, "grad_fn", None) for output in nested.leaves(returned)]
    met: set[Any] = set()
    found: dict[int, Any] = {}
    while pending:
        node = pending.pop()
        if node is None or node in met:
            continue
        met.add(node)
        leaf = getattr(node, "variable", None)
        if leaf is not None:
            found[id(leaf)] = leaf
        pending += [following for following, _ in node.next_functions]
    return list(found.values())


def _held(owners: Mapping[str, Any], kind: str) -> dict[str, tuple[Any, ...]]:
    found = {name: getattr(owner, kind, None) for name, owner in owners.items()}
    return {name: tuple(hooks.values()) for name, hooks in found.items() if hooks}


def _waits(owner: Any) -> bool:
    import torch

    return bool(torch.nn.parameter.is_lazy(owner))


def _changed(hook: Change, own: Any, gradient: Any) -> Any:
    """What a hook makes of a gradient, None where it only looks.

    A hook that cannot keep the precision, as one that multiplies a matrix of the user's, is run in
    its parameter's own; what it changes there is what it changes.
    """
    with _without_steps():
        try:
            made = hook(gradient)
            if made is None or made.dtype == gradient.dtype:
                return made
        except _Stepped:
            return None
        except Exception:
            if gradient.dtype == own:
                raise
        narrow = gradient.to(own)
        before = narrow.clone()
        made = hook(narrow)
    return gradient + ((narrow if made is None else made) - before).to(gradient.dtype)


class _Stepped(Exception):
    """An optimizer was about to step, in the hook that calls it: it has seen its gradient."""


@contextmanager
def _without_steps() -> Iterator[None]:
    from torch.optim.optimizer import register_optimizer_step_pre_hook

    def stop(*_: Any) -> None:
        raise _Stepped

    handle = register_optimizer_step_pre_hook(stop)
    try:
        yield
    finally:
        handle.remove()
