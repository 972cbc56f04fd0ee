"""vjp leaves its cotangent, its inputs, and the global random state alone; printing is noted."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from gradcheck.case import Case
from gradcheck.checks.base import VALUES, Check, Notes
from gradcheck.findings import Finding

UNUSUAL = 0x6AD


class SideEffects(Check):
    name = "side_effects"
    law = "cotangent, inputs and global random state are left as they were"
    stage = VALUES
    every = 2

    def run(self, case: Case, notes: Notes) -> Iterator[Finding]:
        is_array = case.backend.is_array
        arrays = case.fresh()
        cotangents = tuple(map(case.copied, case.cotangents))
        with _watched_random_state() as unchanged:
            returned = case.evaluator.vjp(case.packed(cotangents), arrays)
            moved = not unchanged()
        if "stochastic" not in case.subject.traits and moved:
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
        for name in case.evaluator.printed:
            notes.remarks.append(f"`{name}` prints: kept quiet while it is verified")

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


@contextmanager
def _watched_random_state() -> Iterator[Callable[[], bool]]:
    """Unusual global random states, a function that says whether they still are, then the old.

    A vjp that seeds has perhaps done so before: only from another state does it show.
    """
    torch = sys.modules.get("torch")
    held = random.getstate(), np.random.get_state(), torch and torch.get_rng_state()
    random.seed(UNUSUAL)
    np.random.seed(UNUSUAL)
    if torch is not None:
        torch.manual_seed(UNUSUAL)
    before = _random_state()
    try:
        yield lambda: _random_state() == before
    finally:
        random.setstate(held[0])
        np.random.set_state(held[1])
        if torch is not None:
            torch.set_rng_state(held[2])


def _random_state() -> tuple[Any, ...]:
    """The states of the global generators, comparable."""
    numpy: Any = np.random.get_state()
    torch = sys.modules.get("torch")
    tensor = bytes(torch.get_rng_state().numpy()) if torch is not None else b""
    return random.getstate(), numpy[1].tobytes(), numpy[2], tensor


CHECK = SideEffects()
