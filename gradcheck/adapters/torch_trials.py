"""Trials of a function on tensors: which shapes it takes, and what one run of it shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gradcheck.adapters import nested, probing
from gradcheck.adapters.torch_autograd import Run, random_state, require_torch, tensors
from gradcheck.adapters.torch_hooks import unasked
from gradcheck.inputs import Input


def accepts(run: Run, data: Mapping[str, Input], sizes: Mapping[str, int]) -> bool:
    """Whether `run` returns arrays at generic numbers of these declarations."""
    if not probing.fits(data, sizes):
        return False
    values = tensors(probing.numbers(data, sizes, seed=3))
    made: list[Any] = []
    with random_state({}):
        if not probing.succeeds(lambda: made.append(run(values))):
            return False
    torch = require_torch()
    return any(isinstance(leaf, torch.Tensor) for leaf in nested.leaves(made[0]))


@dataclass(frozen=True)
class Seen:
    """What one run of a function shows: whether it draws, and which outputs have no gradient.

    unasked: a remark on tensors that require a gradient and are no inputs.
    """

    draws: bool = False
    constant: frozenset[int] = frozenset()
    unasked: tuple[str, ...] = ()

    def fields(self, traits: Iterable[str], remarks: Iterable[str] = ()) -> dict[str, Any]:
        """The Subject fields that follow from it, after other remarks."""
        said = [*remarks, *self.unasked]
        said += [
            f"output {k} is not differentiable: no gradient is asked for" for k in self.constant
        ]
        return {
            "traits": {*traits, *(("stochastic",) if self.draws else ())},
            "without_gradient": self.constant,
            "remarks": tuple(said),
        }


def seen(run: Run, data: Mapping[str, Input], dims: Mapping[str, tuple[int, int]]) -> Seen:
    """Run once at small generic inputs, and look at torch's generator and at the outputs."""
    torch = require_torch()
    names = probing.names_of(data)
    for start in (3, 2, 4):
        sizes = probing.first_sizes(names, dims, start)
        if not probing.fits(data, sizes):
            continue
        values = tensors(probing.numbers(data, sizes, seed=3))
        for name, item in data.items():
            if item.differentiable:
                values[name].requires_grad_()
        made: list[Any] = []
        with random_state({}):
            before = torch.get_rng_state()
            if probing.succeeds(lambda v=values, m=made: m.append(run(v))):
                draws = not torch.equal(before, torch.get_rng_state())
                return Seen(draws, _constant(made[0]), unasked(made[0], values.values()))
    return Seen()


def _constant(returned: Any) -> frozenset[int]:
    """Positions of floating outputs that require no gradient where another one does."""
    outputs = nested.outputs(returned)
    whole = outputs if isinstance(outputs, tuple) else (outputs,)
    moving = [bool(getattr(output, "requires_grad", False)) for output in whole]
    if not any(moving):
        return frozenset()
    floating = [hasattr(o, "is_floating_point") and o.is_floating_point() for o in whole]
    return frozenset(k for k, m in enumerate(moving) if floating[k] and not m)


def find_declaration(run_with: Run, names: Sequence[str], sizes: Iterable[int]) -> Any:
    """Inputs of one shape for all `names` that `run_with` takes: {name: shape}, or None.

    Where no float shape fits, indices do: integers below the largest size that is in range.
    """
    from gradcheck.inputs import array, integers

    sizes = set(sizes)
    found = probing.find_shape(
        lambda shape: accepts(run_with, {name: array(shape) for name in names}, {}), sizes
    )
    if found is not None:
        return dict.fromkeys(names, found)

    def indexed(low: int, high: int) -> bool:
        shape = probing.FREE
        return accepts(run_with, {name: integers(shape, low, high) for name in names}, {})

    for size in sorted(sizes, reverse=True):
        if indexed(size - 1, size) and not indexed(size, size + 1):
            return {name: integers("batch time", 0, size) for name in names}
    return None
