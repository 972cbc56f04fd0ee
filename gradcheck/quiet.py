"""What a layer prints while it is verified is noted instead of shown thousands of times."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any

STREAMS = ("stdout", "stderr")
DEBUGGERS = {"pdb", "bdb", "cmd", "IPython", "ipdb"}


class Listener:
    """Stands in for a text stream during a call: what this thread writes is heard, not shown.

    A debugger that was started inside the layer gets through, and so do other threads.
    """

    def __init__(self, debugged: Callable[[], None]) -> None:
        self.debugged = debugged
        self.stream: Any = None
        self.through = True
        self.heard = False
        self._thread = threading.get_ident()

    def write(self, text: str) -> int:
        writer = str(sys._getframe(1).f_globals.get("__name__", ""))
        if not self.through and writer.split(".")[0] in DEBUGGERS:
            self.through = True
            self.debugged()
        if self.through or threading.get_ident() != self._thread:
            return int(self.stream.write(text)) if self.stream is not None else 0
        self.heard = self.heard or bool(text)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        if self.stream is not None:
            self.stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


class Quiet:
    """A context, to be entered many times, that keeps the standard streams of Python quiet.

    What C code writes to their file descriptors is shown as ever. debugged() is called when a
    debugger begins to write.
    """

    def __init__(self, debugged: Callable[[], None] = lambda: None) -> None:
        self._listeners = {name: Listener(debugged) for name in STREAMS}
        self._depth = 0

    @property
    def heard(self) -> bool:
        """Whether anything was written."""
        return any(listener.heard for listener in self._listeners.values())

    def __enter__(self) -> None:
        self._depth += 1
        if self._depth == 1:
            for name, listener in self._listeners.items():
                listener.stream, listener.through = getattr(sys, name), False
                setattr(sys, name, listener)

    def __exit__(self, *raised: object) -> None:
        self._depth -= 1
        if self._depth == 0:
            for name, listener in self._listeners.items():
                # A stream that somebody else put there meanwhile stays.
                if getattr(sys, name) is listener:
                    setattr(sys, name, listener.stream)
                # Whoever kept the listener, such as a logging handler, writes through it now.
                listener.through = True
