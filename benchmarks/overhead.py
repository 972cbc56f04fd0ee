"""How much of a verification is the user's own code: `check` on a small layer, and on a slow one.

    python -m benchmarks.overhead

The share outside the user's forward and backward should fall under one half once a forward takes
a millisecond; a small layer with all its checks and 50 examples should take under 2 seconds.
"""

from __future__ import annotations

import time
from typing import Any

from gradcheck import Subject, check
from gradcheck.evaluation import Evaluator


def dense(delay: float = 0.0) -> Subject:
    """A dense layer whose forward and backward take at least `delay` seconds."""

    def forward(x: Any, W: Any, b: Any) -> Any:
        _spend(delay)
        return x @ W + b

    def vjp(cotangent: Any, x: Any, W: Any, b: Any) -> Any:
        _spend(delay)
        return {"x": cotangent @ W.T, "W": x.T @ cotangent, "b": cotangent.sum(0)}

    inputs = {"x": "batch features", "W": "features units", "b": "units"}
    return Subject("dense", forward, vjp, inputs, twin=None)


def _spend(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def measured(subject: Subject, examples: int) -> tuple[float, float]:
    """Wall seconds of a verification, and those inside the user's own code."""
    spent = 0.0
    original = Evaluator._call

    def timed(self: Any, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        nonlocal spent
        before = self.seconds
        try:
            return original(self, function, *args, **kwargs)
        finally:
            spent += self.seconds - before

    Evaluator._call = timed  # type: ignore[method-assign]
    try:
        started = time.perf_counter()
        report = check(subject, examples=examples, seed=1)
        wall = time.perf_counter() - started
    finally:
        Evaluator._call = original  # type: ignore[method-assign]
    assert report.passed, report
    return wall, spent


def main() -> None:
    """Print wall time and the share of it that is not the user's."""
    measured(dense(), 5)  # imports and first use of Hypothesis are not the layer's
    print(f"{'forward and backward':24} {'wall':>8} {'user':>8} {'share outside':>14}")
    for name, delay in (("as they are", 0.0), ("0.1 ms", 1e-4), ("1 ms", 1e-3), ("5 ms", 5e-3)):
        wall, user = measured(dense(delay), 50)
        print(f"{name:24} {wall:7.2f}s {user:7.2f}s {1 - user / wall:13.0%}", flush=True)


if __name__ == "__main__":
    main()
