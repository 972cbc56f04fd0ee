"""Time for naming faults: so much a finding, and so much a report however many it has."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

# A name is worth so many seconds of the processor's time, and so many evaluations: what a report
# says must not hang on how busy the machine is.
SECONDS = 2.0
EVALUATIONS = 20_000
# All names of one report together: three that take their whole time, or many that do not.
REPORT_SECONDS = 6.0
# Nobody waits longer than this for names, on whatever machine.
PATIENCE = 30.0


@dataclass(frozen=True)
class Deadline:
    """A time on the processor's clock, and one on the wall's."""

    processor: float = float("inf")
    wall: float = float("inf")

    @property
    def passed(self) -> bool:
        return time.process_time() > self.processor or time.perf_counter() > self.wall


_REPORT: ContextVar[Deadline | None] = ContextVar("report", default=None)


@contextmanager
def of_report(seconds: float | None = None) -> Iterator[None]:
    """Names asked for inside share one budget; findings that it does not reach stay unnamed."""
    seconds = REPORT_SECONDS if seconds is None else seconds
    ends = Deadline(time.process_time() + seconds, time.perf_counter() + PATIENCE)
    token = _REPORT.set(ends)
    try:
        yield
    finally:
        _REPORT.reset(token)


def of_finding() -> Deadline:
    """When the finding that is explained now must be done."""
    report = _REPORT.get() or Deadline()
    own = Deadline(time.process_time() + SECONDS, time.perf_counter() + PATIENCE)
    return Deadline(min(own.processor, report.processor), min(own.wall, report.wall))


def spent() -> bool:
    """Whether the report's own budget is used up."""
    return (_REPORT.get() or Deadline()).passed
