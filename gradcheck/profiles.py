"""How much is tried: profiles by name, and the Hypothesis settings that go with them."""

from __future__ import annotations

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
