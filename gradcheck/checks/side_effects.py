"""vjp leaves its cotangent, its inputs and what all code shares alone; printing is noted."""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from gradcheck.case import Case
from gradcheck.checks.base import VALUES, Check, Notes
from gradcheck.findings import Finding

UNUSUAL = 0x6AD
# A pool of threads grows up to its size, which is at most 32 where nobody says more, and stays.
POOL = 40
# A thread that is about to end has so many seconds.
ENDING = 0.05


class SideEffects(Check):
    name = "side_effects"
    law = "cotangent, inputs, threads, settings and global random state are left as they were"
    stage = VALUES
    every = 2

    def run(self, case: Case, notes: Notes) -> Iterator[Finding]:
        is_array = case.backend.is_array
        arrays = case.fresh()
        cotangents = tuple(map(case.copied, case.cotangents))
        threads = set(threading.enumerate())
        with _watched_random_state() as end:
            start = _random_state()
            returned = case.evaluator.vjp(case.packed(cotangents), arrays)
            moved = end() != start
        if "stochastic" not in case.subject.traits:
            if moved:
                yield self._random(case, "vjp changed the global random state")
            elif _forward_draws(case):
                yield self._random(case, "forward changed the global random state")
        if _running(threads) and _pile_up(case):
            said = "vjp leaves a thread running at every call"
            yield case.finding(self.name, "broken", said, fault="hidden state", cause="threads")
        for role, setting in case.evaluator.left:
            said = f"{role} leaves {setting} changed, for all code that runs after it"
            yield case.finding(self.name, "broken", said, fault="hidden state", cause="settings")
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

    def _random(self, case: Case, said: str) -> Finding:
        return case.finding(
            self.name, "broken", said, fault="hidden state", cause="random state",
            hint="a generator of the layer's own, or the trait 'stochastic' where it is random",
        )  # fmt: skip

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


def _forward_draws(case: Case) -> bool:
    with _watched_random_state() as end:
        start = _random_state()
        case.evaluator.forward(case.fresh())
        return end() != start


def _running(before: set[threading.Thread]) -> bool:
    """Whether threads that were not there before go on running."""
    new = set(threading.enumerate()) - before
    until = time.perf_counter() + ENDING
    for thread in new:
        thread.join(max(until - time.perf_counter(), 0.0))
    return any(thread.is_alive() for thread in new)


def _pile_up(case: Case) -> bool:
    """Whether every call leaves one more, as no pool does."""
    count = threading.active_count()
    for _ in range(POOL):
        case.vjp(case.cotangents, case.arrays)
    return threading.active_count() >= count + POOL


@contextmanager
def _watched_random_state() -> Iterator[Callable[[], tuple[Any, ...]]]:
    """Unusual global random states, a function that says what they are now, then the old.

    A call that seeds has perhaps done so before: only from another state does it show.
    """
    torch = sys.modules.get("torch")
    held = random.getstate(), np.random.get_state(), torch and torch.get_rng_state()
    random.seed(UNUSUAL)
    np.random.seed(UNUSUAL)
    if torch is not None:
        torch.default_generator.manual_seed(UNUSUAL)
    try:
        yield _random_state
    finally:
        random.setstate(held[0])
        np.random.set_state(held[1])
        if torch is not None:
            torch.set_rng_state(held[2])


def _random_state() -> tuple[Any, ...]:
    """The states of the global generators, comparable."""
    numpy: Any = np.random.get_state()
    torch = sys.modules.get("torch")
    own = random.getstate(), (numpy[1].tobytes(), numpy[2])
    return own if torch is None else (*own, bytes(torch.get_rng_state().numpy()))


CHECK = SideEffects()
