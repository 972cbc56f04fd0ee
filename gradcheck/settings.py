"""Settings of NumPy and torch that all code of a process shares: noted and put back."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Setting = tuple[Callable[[], Any], Callable[[Any], Any]]

NUMPY: Mapping[str, Setting] = {
    "NumPy's error handling": (
        lambda: (np.geterr(), np.geterrcall()),
        lambda held: (np.seterr(**held[0]), np.seterrcall(held[1])),
    ),
}


def _of_torch(torch: Any) -> Mapping[str, Setting]:
    return {
        "torch's default dtype": (torch.get_default_dtype, torch.set_default_dtype),
        "torch's grad mode": (torch.is_grad_enabled, torch.set_grad_enabled),
        "torch's number of threads": (torch.get_num_threads, torch.set_num_threads),
        "torch's deterministic mode": (
            torch.are_deterministic_algorithms_enabled,
            torch.use_deterministic_algorithms,
        ),
        "torch's anomaly mode": (torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly),
    }


class Settings:
    """A context, to be entered many times: `left` says what calls inside have left changed."""

    def __init__(self) -> None:
        self.left: dict[str, None] = {}
        self._held: list[tuple[str, Setting, Any]] = []
        self._depth = 0

    def __enter__(self) -> None:
        self._depth += 1
        if self._depth == 1:
            self._held = [(n, setting, setting[0]()) for n, setting in _settings().items()]

    def __exit__(self, *raised: object) -> None:
        self._depth -= 1
        if self._depth:
            return
        for name, (read, write), held in self._held:
            if read() != held:
                self.left[name] = None
                write(held)


_known: dict[str, Setting] = dict(NUMPY)


def _settings() -> Mapping[str, Setting]:
    """Those of the libraries that are loaded."""
    if len(_known) == len(NUMPY) and "torch" in sys.modules:
        _known.update(_of_torch(sys.modules["torch"]))
    return _known


__all__ = ["Settings"]
