"""The one place where a user's forward and vjp are called: counted, timed, exceptions named."""

from __future__ import annotations

import time
import traceback
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from gradcheck.backends.base import Array, Backend
from gradcheck.limits import Limit
from gradcheck.quiet import Quiet
from gradcheck.settings import Settings
from gradcheck.subject import Subject


class ForwardRaised(RuntimeError):
    """The subject's forward raised: an example is a discard, a step of a stencil is skipped."""


class ClaimRaised(RuntimeError):
    """The subject's vjp raised where its forward had not: a finding."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(describe(error))
        self.error = error
        self.traceback = "".join(traceback.format_exception(error))


def describe(error: BaseException) -> str:
    """Type and first line of an exception, cut where it is long."""
    text = str(error).strip()
    first = text.splitlines()[0].rstrip(".") if text else ""
    first = first if len(first) <= LONGEST_SAID else f"{first[: LONGEST_SAID - 3].rstrip()}..."
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


LONGEST_SAID = 160


class Evaluator:
    """Calls a subject's forward and vjp on native arrays of its backend.

    Counts evaluations and the seconds spent inside user code, restores state before each call
    where the subject asks for it, tells a forward that raises from a vjp that does, and keeps
    what either prints to itself. A call beyond `limit` raises TookTooLong.
    """

    def __init__(self, subject: Subject, backend: Backend, limit: Limit | None = None) -> None:
        self.subject = subject
        self.backend = backend
        self.forwards = 0
        self.backwards = 0
        self.seconds = 0.0
        self.limit = limit if limit is not None else Limit()
        self._quiet: dict[str, Quiet] = {}
        self._settings: dict[str, Settings] = {}

    @property
    def printed(self) -> list[str]:
        """Which of "forward", "vjp" and the others have printed."""
        return [name for name, quiet in self._quiet.items() if quiet.heard]

    @property
    def left(self) -> list[tuple[str, str]]:
        """(role, setting): which settings of the whole process which role has left changed."""
        return [(role, name) for role, kept in self._settings.items() for name in kept.left]

    def forward(self, arrays: Mapping[str, Any]) -> tuple[Array, ...]:
        """All outputs as a tuple, in order. Raises ForwardRaised."""
        return as_outputs(self.raw_forward(arrays))

    def raw_forward(self, arrays: Mapping[str, Any]) -> Any:
        self.forwards += 1
        try:
            return self._call("forward", self.subject.forward, **arrays)
        except (Exception, SystemExit) as error:
            raise ForwardRaised(describe(error)) from error

    def vjp(self, cotangent: Any, arrays: Mapping[str, Any]) -> Any:
        """What the subject's vjp returns, unchecked. Raises ClaimRaised."""
        self.backwards += 1
        try:
            return self._call("vjp", self.subject.vjp, cotangent, **arrays)
        except (Exception, SystemExit) as error:
            raise ClaimRaised(error) from error

    def call(self, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Any other callable of the subject (jvp, second), under the same conditions."""
        role = "jvp" if function is self.subject.jvp else getattr(function, "__name__", "a call")
        return self._call(role, function, *args, **kwargs)

    # Positional-only: an input may be called `self` or `function`.
    def _call(self, role: str, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        if self.subject.reset is not None:
            self.subject.reset()
        elif "stochastic" in self.subject.traits:
            reset_random_state()
        start = time.perf_counter()
        self.limit.begin(role)
        try:
            with self._quietly(role), np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with self._settings.setdefault(role, Settings()):
                    return function(*args, **kwargs)
        finally:
            self.seconds += time.perf_counter() - start
            self.limit.end()

    def _quietly(self, role: str) -> Quiet:
        if role not in self._quiet:
            self._quiet[role] = Quiet(self.limit.excuse)
        return self._quiet[role]


def as_outputs(returned: Any) -> tuple[Any, ...]:
    """What a forward returned, as a tuple; a Python number is a 0-d array."""
    parts = tuple(returned) if isinstance(returned, tuple | list) else (returned,)
    return tuple(np.asarray(p) if isinstance(p, bool | int | float | complex) else p for p in parts)


def reset_random_state(seed: int = 0) -> None:
    """Put the global generators of Python, NumPy and a loaded torch to `seed`."""
    import random
    import sys

    random.seed(seed)
    np.random.seed(seed)
    torch = sys.modules.get("torch")
    if torch is None:
        return
    devices = torch.cuda, torch.backends.mps, torch.xpu
    if any(device.is_available() for device in devices):
        torch.manual_seed(seed)
    else:  # a hundred times as fast: for devices that may come, the other keeps a traceback a call
        torch.default_generator.manual_seed(seed)
