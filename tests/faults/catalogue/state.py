"""State, mutation, memory: what a VJP keeps, changes or assumes. Each subject is made afresh."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck import Subject
from tests.faults.catalogue.base import Fault, dense, plant, relu, tanh


class _Stale:
    """Keeps the output of the last forward, whatever it was called with."""

    def __init__(self) -> None:
        self.y: Any = None

    def forward(self, x: Any) -> Any:
        self.y = np.tanh(x)
        return self.y.copy()

    def vjp(self, u: Any, x: Any) -> dict[str, Any]:
        return {"x": u * (1 - self.y**2)}


class _Counting:
    def __init__(self) -> None:
        self.calls = 0

    def vjp(self, u: Any, x: Any) -> dict[str, Any]:
        self.calls += 1
        return {"x": u * (1 - np.tanh(x) ** 2) * (1 + 0.1 * (self.calls > 1))}


class _Buffer:
    def __init__(self) -> None:
        self.buffers: dict[Any, Any] = {}

    def vjp(self, u: Any, x: Any) -> dict[str, Any]:
        out = self.buffers.setdefault(np.shape(x), np.empty_like(x))
        np.multiply(u, 1 - np.tanh(x) ** 2, out=out)
        return {"x": out}


def _changes_cotangent(u: Any, x: Any) -> dict[str, Any]:
    u *= x > 0
    return {"x": u.copy()}


def _changes_input(u: Any, x: Any, W: Any, b: Any) -> dict[str, Any]:
    told = dense.vjp(u, x, W, b)
    W -= 0.1 * told["W"]
    return told


def _assumes_contiguous(u: Any, x: Any) -> dict[str, Any]:
    base = u if u.base is None else u.base
    flat = np.asarray(base).ravel()[: u.size] if np.size(base) >= u.size else u.ravel()
    return {"x": flat.reshape(x.shape) * (1 - np.tanh(x) ** 2)}


FAULTS: list[Fault] = [
    ("stale", tanh.but(name="tanh, stale", forward=(s := _Stale()).forward, vjp=s.vjp), tanh, "x",
     "stale cache"),
    ("hidden state", plant(tanh, "counts", _Counting().vjp), tanh, "x", "hidden state"),
    ("buffer", plant(tanh, "buffer", _Buffer().vjp), tanh, "x", "buffer reuse"),
    ("cotangent changed", plant(relu, "u *=", _changes_cotangent), relu, None, "mutation"),
    ("input changed", plant(dense, "W -=", _changes_input), dense, "W", "mutation"),
    ("layout", plant(tanh, "raw memory", _assumes_contiguous), tanh, "x",
     "contiguous assumption"),
    ("none", plant(dense, "forgets b", lambda u, x, W, b: {"x": u @ W.T, "W": x.T @ u}), dense, "b",
     "input without gradient"),
]  # fmt: skip

__all__ = ["FAULTS", "Subject"]
