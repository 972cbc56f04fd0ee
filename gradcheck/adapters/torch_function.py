"""torch.autograd.Function: the class itself; its backward is the claim."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from gradcheck.adapters.recipes import recipe_of
from gradcheck.adapters.signatures import Arguments, arguments, call
from gradcheck.adapters.torch_autograd import Autograd, loaded_torch, require_torch
from gradcheck.adapters.torch_tensors import subject_of
from gradcheck.subject import Subject

NAME = "a torch.autograd.Function class"
OPTIONS: frozenset[str] = frozenset()

# Relative difference allowed between gradients asked for alone and together: roundoff of another
# order of summation, far below any wrong gradient.
ALONE = 1e-9

# Calls at one set of shapes that are all compared; of later ones one in so many, till one differs.
OFTEN = 8


def knows(obj: Any) -> bool:
    torch = loaded_torch()
    return torch is not None and isinstance(obj, type) and issubclass(obj, torch.autograd.Function)


def adapt(obj: Any, inputs: Mapping[str, Any] | None = None) -> Subject:
    """A Subject of `obj.apply`. inputs: by the names of forward's arguments, or in their order.

    Gradients are asked for together and one at a time: a backward that reads
    ctx.needs_input_grad wrongly gives others then, and raises here. A jvp of its own is the
    Subject's.
    """
    takes = _takes(obj)
    return subject_of(
        lambda values: call(obj.apply, Arguments(takes.names, takes.required, more=True), values),
        takes,
        inputs,
        name=obj.__name__,
        kinks="subgradient",
        recipe=recipe_of(obj),
        claim=Alone,
        pushes=obj.jvp is not require_torch().autograd.Function.jvp,
    )


def _takes(obj: Any) -> Arguments:
    """The arguments of apply: forward's, less ctx where it takes one."""
    torch = require_torch()
    separate = obj.setup_context is not torch.autograd.Function.setup_context
    return arguments(obj.forward, skip=0 if separate else 1)


class Alone(Autograd):
    """Autograd whose gradients must be the same when only one input requires one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.calls: Counter[tuple[Any, ...]] = Counter()
        self.suspect = False

    def vjp(self, cotangent: Any, /, **inputs: Any) -> dict[str, Any]:
        together = super().vjp(cotangent, **inputs)
        if len(self.differentiable) > 1 and self._due(inputs):
            self.suspect, suspect = True, self.suspect  # every call from now on, if this one raises
            for name in self.differentiable:
                self._compare(name, together[name], cotangent, inputs)
            self.suspect = suspect
        return together

    def _due(self, inputs: Mapping[str, Any]) -> bool:
        """Whether to compare: what `needs_input_grad` does depends on numbers seldom."""
        arrays = [v for v in inputs.values() if hasattr(v, "shape")]
        shapes = tuple((array.shape, array.dtype) for array in arrays)
        self.calls[shapes] += 1
        return self.suspect or self.calls[shapes] <= OFTEN or self.calls[shapes] % OFTEN == 0

    def _compare(self, name: str, together: Any, cotangent: Any, inputs: Mapping[str, Any]) -> None:
        others = " and ".join(f"`{n}`" for n in self.differentiable if n != name)
        where = f"with needs_input_grad true for `{name}` but not for {others}, backward"
        try:
            alone = self.gradients(cotangent, inputs, [name])[name]
        except Exception as error:
            raise RuntimeError(f"{where} raised {type(error).__name__}: {error}") from error
        torch = require_torch()
        scale = float(torch.nan_to_num(together).abs().max()) if together.numel() else 0.0
        same = torch.allclose(alone, together, rtol=ALONE, atol=ALONE * scale, equal_nan=True)
        if not same and together.dtype in (torch.float64, torch.complex128):
            raise RuntimeError(f"{where} gives another gradient of `{name}`")


__all__: Sequence[str] = ["NAME", "OPTIONS", "adapt", "knows"]
