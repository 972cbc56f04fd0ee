"""What sets two optimizers apart: experiments that each known difference answers in its own way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from gradcheck.findings import Finding
from gradcheck.training import memory_laws, update_laws
from gradcheck.training.drivers import Driver
from gradcheck.training.lab import Difference, Lab


def explain(theirs: Driver, like: Driver, lr: float, failed: Mapping[str, Finding]) -> Difference:
    """The first known difference that the experiments confirm."""
    lab = Lab(theirs, like, lr, failed)
    for law in _laws():
        try:
            found = law(lab)
        except Exception:  # noqa: BLE001 - a step that raises here confirms nothing
            continue
        if found is not None:
            return found
    return Difference(None, "the weights move otherwise than those of the optimizer it is held to")


def _laws() -> Iterator[Callable[[Lab], Difference | None]]:
    """Those that look at what alone fails first; then one update; then what is carried on."""
    yield memory_laws.several
    yield memory_laws.again
    yield memory_laws.late
    yield update_laws.still
    yield memory_laws.accumulates
    yield memory_laws.stale
    yield update_laws.weight_decay
    yield update_laws.epsilon
    yield update_laws.precision
    yield update_laws.negligible
    yield update_laws.rate_power
    yield update_laws.clipping
    yield memory_laws.nesterov
    yield update_laws.power
    yield memory_laws.shifted
    yield memory_laws.by_step
    yield memory_laws.factor
    yield memory_laws.rate_in_memory
    yield memory_laws.memory
