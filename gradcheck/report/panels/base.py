"""What a panel is: an id, a title, and what its template `<id>.html` is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gradcheck.report.summary import Summary

Context = Mapping[str, Any]


@dataclass(frozen=True)
class Panel:
    """build(summary) -> the variables of `templates/<id>.html`; None where it has no place here.

    A panel whose run recorded nothing for it still says so, and how to have it.
    """

    id: str
    title: str
    build: Callable[[Summary], Context | None]
