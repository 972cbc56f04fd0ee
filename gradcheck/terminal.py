"""What a terminal gets and a file does not: a line of progress, and colours on the verdicts."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TextIO

from gradcheck.findings import VERDICTS
from gradcheck.progress import Progress, watching

PATIENCE = 2.0  # seconds before a line of progress is worth anyone's eyes
PACE = 0.1  # seconds from one line to the next
GREEN, YELLOW, RED, PLAIN = "\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[0m"
_COLOURS = {"correct": GREEN, "inconclusive": YELLOW, "timeout": YELLOW}
_WORD = "|".join(verdict.replace("_", " ") for verdict in sorted(VERDICTS, key=len, reverse=True))
# Where `describe_report` puts a verdict: after the subject's name, or at the start of a finding.
_HEAD = re.compile(rf"\A(.*: )({_WORD})(?= \()")
_FINDING = re.compile(rf"^( {{2}}| {{4}}same cause: )({_WORD})(?=:| \[)", re.MULTILINE)


def colours_wanted(stream: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """NO_COLOR forbids, FORCE_COLOR asks; otherwise a terminal that knows colours has them."""
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR"):
        return True
    knows = environment.get("TERM") != "dumb" and (os.name != "nt" or "WT_SESSION" in environment)
    return knows and stream.isatty()


def coloured(report: str) -> str:
    """The text of a report with its verdict words in colour."""

    def painted(found: re.Match[str]) -> str:
        before, word = found.groups()
        return f"{before}{_COLOURS.get(word, RED)}{word}{PLAIN}"

    return _FINDING.sub(painted, _HEAD.sub(painted, report))


class Line:
    """One line on a terminal, written over itself."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self._started = time.perf_counter()
        self._next = self._started + PATIENCE
        self._width = 0

    def __call__(self, progress: Progress) -> None:
        now = time.perf_counter()
        if now >= self._next:
            self._next = now + PACE
            self._write(_sentence(progress, now - self._started))

    def clear(self) -> None:
        """Leave nothing behind."""
        if self._width:
            self._write("")
            self.stream.write("\r")
            self.stream.flush()

    def _write(self, text: str) -> None:
        self.stream.write("\r" + text.ljust(self._width))
        self.stream.flush()
        self._width = len(text)


@contextmanager
def shown(stream: TextIO | None = None) -> Iterator[None]:
    """Show how far a verification is on standard error, where that is a terminal."""
    stream = sys.stderr if stream is None else stream
    if not stream.isatty() or os.environ.get("TERM") == "dumb":
        yield
        return
    line = Line(stream)
    try:
        with watching(line):
            yield
    finally:
        line.clear()


def _sentence(progress: Progress, seconds: float) -> str:
    of = f"{progress.examples} of {progress.of} examples"
    found = f"{progress.findings} finding{'s' * (progress.findings != 1)}"
    return f"{of}, {found}, {seconds:.0f} s: {progress.doing}"
