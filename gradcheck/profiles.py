"""How much is tried: profiles by name, and the Hypothesis settings that go with them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from gradcheck.errors import UsageError


@dataclass(frozen=True)
class Profile:
    """examples: so many per subject (or per check, in pytest). shrink_seconds: spent on making
    each failing example small."""

    name: str
    examples: int
    shrink_seconds: float


PROFILES = {
    "quick": Profile("quick", 12, 2.0),
    "ci": Profile("ci", 30, 5.0),
    "thorough": Profile("thorough", 300, 30.0),
}
DEFAULT = "ci"


def profile(name: str | Profile) -> Profile:
    """A profile by name."""
    if isinstance(name, Profile):
        return name
    if name not in PROFILES:
        raise UsageError(f"profile: {name!r}, expected one of {', '.join(PROFILES)}")
    return PROFILES[name]


def hypothesis_settings(examples: int, *phases: Any) -> Any:
    """Ours, not a registered profile of the user's: quiet, no deadline, nothing on disk."""
    from hypothesis import HealthCheck, Phase, Verbosity, settings

    return settings(
        max_examples=max(1, examples),
        database=None,
        deadline=None,
        derandomize=False,
        phases=phases or (Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
        print_blob=False,
        report_multiple_bugs=True,
    )


@contextmanager
def the_same_draws() -> Iterator[None]:
    """Inside, what Hypothesis draws for a seed does not depend on which modules are loaded.

    Now and then it draws a number that it found in the source of one: a seed would then mean other
    examples in a whole run than for one layer alone. There is no setting for that.
    """
    from hypothesis.internal.conjecture import providers

    found = getattr(providers, "_get_local_constants", None)
    if found is None:  # before 6.131 there was no such thing
        yield
        return
    from hypothesis.internal.constants_ast import Constants

    none = Constants()
    providers.CONSTANTS_CACHE.cache.clear()
    providers._get_local_constants = lambda: none
    try:
        yield
    finally:
        providers._get_local_constants = found
        providers.CONSTANTS_CACHE.cache.clear()
