"""How far a verification is: the runner tells, and whoever watches may show it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """examples: so many of `of` are done. doing: a check's name, or what is done at the end.
    findings: so many so far."""

    examples: int
    of: int
    doing: str
    findings: int


Watcher = Callable[[Progress], None]
_watcher: ContextVar[Watcher | None] = ContextVar("watcher", default=None)


@contextmanager
def watching(watcher: Watcher) -> Iterator[None]:
    """Inside, verifications of this thread tell `watcher` of every step."""
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)


def tell(examples: int, of: int, doing: str, findings: int) -> None:
    """Say how far this verification is, if anyone watches."""
    watcher = _watcher.get()
    if watcher is not None:
        watcher(Progress(examples, of, doing, findings))
