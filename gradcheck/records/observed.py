"""Hypothesis's observability data -> the `status` and `origin` counts of a `Coverage`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from gradcheck.records.schema import Coverage

PLAIN = {"passed": "judged", "failed": "failed", "gave_up": "discarded"}


def observed(observations: Iterable[Mapping[str, Any] | Any], into: Coverage) -> Coverage:
    """Adds Hypothesis's test-case observations (mappings or its own objects) to `into`.

    status: how the examples ended; origin: where they came from ("during generate phase",
    "during shrinking", ...), as Hypothesis's `how_generated` says. Messages about the run as a
    whole are left out.
    """
    status: Counter[str] = Counter(into.status)
    origin: Counter[str] = Counter(into.origin)
    for observation in observations:
        if _get(observation, "type") != "test_case":
            continue
        name = str(_get(observation, "status"))
        status[PLAIN.get(name, name)] += 1
        origin[str(_get(observation, "how_generated"))] += 1
    into.status, into.origin = dict(status), dict(origin)
    return into


def _get(observation: Any, name: str) -> Any:
    if isinstance(observation, Mapping):
        return observation.get(name, "")
    return getattr(observation, name, "")
