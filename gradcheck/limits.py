"""How long one call of a layer may take: the limit, and the clock that interrupts where it can."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Seconds. Longer than a compiler takes in a first call; a verification needs thousands of calls.
LONGEST_CALL = 120.0
# However small a budget is, a call that takes no longer than this is not slow.
SHORTEST_LIMIT = 1.0
TICKS = 8  # looks at the clock within one limit


class TookTooLong(BaseException):
    """A call took longer than the limit.

    Not an Exception: a layer, an oracle or a check that catches those must not swallow it.
    """

    def __init__(self, role: str, seconds: float) -> None:
        super().__init__(f"`{role}` took longer than {seconds:g} s")


def limit_of(budget: float | None) -> float:
    """The longest that one call may take, given `check(seconds=)`: the budget, within bounds."""
    return LONGEST_CALL if budget is None else min(max(budget, SHORTEST_LIMIT), LONGEST_CALL)


class Limit:
    """The clock of one verification. Only the outermost of nested calls is timed."""

    def __init__(self, seconds: float = math.inf) -> None:
        self.seconds = seconds
        self._role = ""
        self._until: float | None = None
        self._depth = 0
        self._interrupted = False

    def begin(self, role: str) -> None:
        """A call begins."""
        self._depth += 1
        if self._depth == 1:
            self._role, self._interrupted = role, False
            self._until = time.perf_counter() + self.seconds

    def excuse(self) -> None:
        """The call under way may take its time: somebody looks into it with a debugger."""
        self._until = None

    def end(self) -> None:
        """A call ends. Raises TookTooLong where it was late, whatever became of an interruption."""
        self._depth = max(self._depth - 1, 0)
        if self._interrupted:
            # A framework may have made an error of its own of it.
            self._interrupted = False
            raise TookTooLong(self._role, self.seconds)
        if self._depth == 0:
            self._raise_if_late()
            self._until = None

    def _raise_if_late(self) -> None:
        if self._until is not None and time.perf_counter() > self._until:
            self._until, self._depth = None, 0  # said once
            raise TookTooLong(self._role, self.seconds)

    @contextmanager
    def guarding(self) -> Iterator[None]:
        """Inside, a late call is interrupted, on the main thread of a POSIX system.

        Not where somebody else, such as pytest-timeout, has a handler or a timer of their own:
        there, and in code that does not come back to Python, a call is timed when it ends.
        """
        if not _alarm_is_free() or math.isinf(self.seconds):
            yield
            return
        signal.signal(signal.SIGALRM, self._tick)
        signal.setitimer(signal.ITIMER_REAL, self.seconds / TICKS, self.seconds / TICKS)
        try:
            yield
        finally:
            # A handler that the layer has set meanwhile keeps its timer.
            if signal.getsignal(signal.SIGALRM) == self._tick:
                signal.setitimer(signal.ITIMER_REAL, 0.0)
                signal.signal(signal.SIGALRM, signal.SIG_DFL)

    def _tick(self, _signal: int, _frame: Any) -> None:
        try:
            self._raise_if_late()
        except TookTooLong:
            self._interrupted = True
            raise


def _alarm_is_free() -> bool:
    if not hasattr(signal, "setitimer"):
        return False
    if threading.current_thread() is not threading.main_thread():
        return False
    unused = signal.getsignal(signal.SIGALRM) == signal.SIG_DFL
    return unused and signal.getitimer(signal.ITIMER_REAL)[0] == 0.0
