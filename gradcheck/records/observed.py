"""Hypothesis's observability data -> the `status` and `origin` counts of a `Coverage`.

The one place that touches its callbacks, which have changed between its versions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from gradcheck.records.case import Coverage

PLAIN = {"passed": "judged", "failed": "failed", "gave_up": "discarded"}
ILLEGAL = "sizes not legal"


@contextmanager
def observing(into: Coverage) -> Iterator[Coverage]:
    """Counts every test case that Hypothesis runs in this block, and thread, into `into`.

    Line coverage is not collected meanwhile: it would trace the user's code. A Hypothesis that
    knows none of the callbacks is left alone, and nothing is counted.
    """
    from hypothesis.internal import observability

    def count(observation: Any, *_: Any) -> None:
        observed([observation], into)

    name = "OBSERVABILITY_COLLECT_COVERAGE"
    before = getattr(observability, name, None)
    add, remove = _callbacks(observability)
    add(count)
    try:
        if before is not None:
            setattr(observability, name, False)
        yield into
    finally:
        if before is not None:
            setattr(observability, name, before)
        remove(count)


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
        status[_ending(observation)] += 1
        origin[str(_get(observation, "how_generated"))] += 1
    into.status, into.origin = dict(status), dict(origin)
    return into


def _ending(observation: Any) -> str:
    """How one test case ended; a filter that no draw satisfied is that of the legal sizes."""
    name = str(_get(observation, "status"))
    if name == "gave_up" and "unable to satisfy" in str(_get(observation, "status_reason")):
        return ILLEGAL
    return PLAIN.get(name, name)


def _callbacks(observability: Any) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """How this version adds a callback and removes it."""
    if hasattr(observability, "add_observability_callback"):
        return (
            observability.add_observability_callback,
            observability.remove_observability_callback,
        )
    known = getattr(observability, "TESTCASE_CALLBACKS", [])
    return known.append, known.remove


def _get(observation: Any, name: str) -> Any:
    if isinstance(observation, Mapping):
        return observation.get(name, "")
    return getattr(observation, name, "")
