"""What a fault family says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Explanation:
    """A fault's name (None: no family fits), one sentence, a grouping key, and what to look for.

    cause: the same for every finding that one mistake explains; empty: the fault's name.
    """

    message: str
    fault: str | None = None
    cause: str = ""
    hint: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What must come out again at a second example for a name to hold."""
        return self.cause or str(self.fault)
