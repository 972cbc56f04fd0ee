"""vjp leaves its cotangent, its inputs, and the global random state alone."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gradcheck.case import Case
from gradcheck.checks.base import VALUES, Check, Notes
from gradcheck.findings import Finding


class SideEffects(Check):
    name = "side_effects"
    law = "cotangent, inputs and global random state are left as they were"
    stage = VALUES
    every = 2

    def run(self, case: Case, notes: Notes) -> Iterator[Finding]:
        is_array, copy = case.backend.is_array, case.backend.copy
        arrays = case.fresh()
        cotangents = tuple(copy(c) if is_array(c) else c for c in case.cotangents)
        random_state = _random_state()
        returned = case.evaluator.vjp(case.packed(cotangents), arrays)
        if "stochastic" not in case.subject.traits and not random_state():
            said = "vjp changed the global random state"
            yield case.finding(
                self.name, "broken", said, fault="hidden state", cause="random state"
            )
        for k, (before, after) in enumerate(zip(case.cotangents, cotangents, strict=True)):
            if is_array(before) and not case.backend.equal(before, after):
                which = "its cotangent" if len(cotangents) == 1 else f"cotangent {k}"
                yield self._mutation(case, f"vjp changed {which} in place", None)
        for name, before in case.arrays.items():
            if is_array(before) and not case.backend.equal(before, arrays[name]):
                yield self._mutation(case, f"vjp changed its input `{name}` in place", name)
        self._shared(case, returned, cotangents, arrays, notes)

    def _mutation(self, case: Case, said: str, name: str | None) -> Finding:
        return case.finding(
            self.name, "broken", said, input=name, fault="mutation", cause="mutation",
            hint="+=, *=, out= and masked assignment on an argument",
        )  # fmt: skip

    def _shared(
        self, case: Case, returned: Any, cotangents: Any, arrays: dict[str, Any], notes: Notes
    ) -> None:
        shares = case.backend.shares_memory
        owners = {"the cotangent": cotangents[0], **{f"input `{n}`": a for n, a in arrays.items()}}
        for name in case.subject.differentiable:
            gradient = returned.get(name)
            for owner, array in owners.items():
                both = case.backend.is_array(gradient) and case.backend.is_array(array)
                if both and case.backend.shape(gradient) and shares(gradient, array):
                    notes.remarks.append(f"the gradient of `{name}` shares memory with {owner}")


def _random_state() -> Callable[[], bool]:
    """A function that says whether the global generators are still where they were."""
    python, numpy = random.getstate(), _numpy_state()
    torch = sys.modules.get("torch")
    torch_state = torch.get_rng_state() if torch is not None else None

    def unchanged() -> bool:
        same = random.getstate() == python and _numpy_state() == numpy
        if torch is not None and torch_state is not None:
            same = same and bool(torch.equal(torch.get_rng_state(), torch_state))
        return same

    return unchanged


def _numpy_state() -> tuple[bytes, int]:
    state: Any = np.random.get_state()
    return state[1].tobytes(), state[2]


CHECK = SideEffects()
