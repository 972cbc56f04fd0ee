"""float32, float16 and bfloat16: false alarms on torch's own layers, and scale faults caught.

    python -m benchmarks.precision [--seeds 20] [--alarms] [--only lstm gelu]

A false alarm is a layer of torch's called anything but correct or inconclusive; the share of
inconclusive is printed beside it. A fault multiplies the low-precision gradient alone, as a
constant rounded too far does; caught: a finding names that input.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from gradcheck import adapt, check
from gradcheck.subject import Subject

DTYPES = ("float32", "float16", "bfloat16")
FAULTS = {
    "float32": (3e-7, 1e-6),
    "float16": (1e-3, 3e-3),
    "bfloat16": (3e-3, 1e-2, 3e-2),
}
UNIT = {"float32": 2.0**-24, "float16": 2.0**-11, "bfloat16": 2.0**-8}


class SelfAttention(nn.Module):
    """Multi-head attention of a sequence to itself."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x: Any) -> Any:
        return self.attention(x, x, x)[0]


def cross_entropy(x: Any) -> Any:
    """Softmax with cross-entropy, one value a sample."""
    return functional.cross_entropy(x, torch.arange(len(x)) % x.shape[1], reduction="none")


def moments(x: Any) -> Any:
    """Mean and variance over the batch."""
    return x.mean(0), x.var(0)


@dataclass(frozen=True)
class Layer:
    """A layer of torch's and the shapes of its inputs."""

    name: str
    make: Callable[[], Any]
    shapes: dict[str, str]


LAYERS = (
    Layer("linear", lambda: nn.Linear(32, 24), {"input": "16 32"}),
    Layer("conv1d", lambda: nn.Conv1d(4, 6, 3), {"input": "4 4 24"}),
    Layer("conv2d", lambda: nn.Conv2d(3, 4, 3, padding=1), {"input": "2 3 8 8"}),
    Layer("layer norm", lambda: nn.LayerNorm(32), {"input": "16 32"}),
    Layer("batch norm", lambda: nn.BatchNorm1d(12), {"input": "24 12"}),
    Layer("batch norm, eval", lambda: nn.BatchNorm1d(12).eval(), {"input": "24 12"}),
    Layer("group norm", lambda: nn.GroupNorm(2, 6), {"input": "4 6 9"}),
    Layer("lstm", lambda: nn.LSTM(6, 8, batch_first=True), {"input": "4 9 6"}),
    Layer("gru", lambda: nn.GRU(6, 8, batch_first=True), {"input": "4 9 6"}),
    Layer("attention", SelfAttention, {"x": "3 7 8"}),
    Layer("softmax cross-entropy", lambda: cross_entropy, {"x": "16 12"}),
    Layer("gelu", nn.GELU, {"input": "16 16"}),
    Layer("silu", nn.SiLU, {"input": "16 16"}),
    Layer("mean and variance", lambda: moments, {"x": "20 12"}),
    Layer("max pool", lambda: nn.Sequential(nn.Linear(8, 12), nn.MaxPool1d(3)), {"input": "16 8"}),
)


def subject_of(layer: Layer, seed: int) -> Subject:
    """The layer with its own initial numbers."""
    torch.manual_seed(seed)
    made = layer.make()
    options = {"framework": "torch"} if not isinstance(made, nn.Module) else {}
    return adapt(made, layer.shapes, name=layer.name, **options)


def point(subject: Subject, seed: int) -> dict[str, Any]:
    """Standard normal numbers, weights as a layer of that width has them."""
    rng = np.random.default_rng([seed, 0x9E])
    made = {}
    for name, item in subject.inputs.items():
        shape = item.shape.sizes({}, ())
        width = np.sqrt(shape[-1]) if len(shape) > 1 and "weight" in name else 1.0
        made[name] = rng.standard_normal(shape) / width
    return made


def scaled(subject: Subject, size: float, name: str, dtype: str) -> Subject:
    """The subject with one low-precision gradient times 1 + size."""

    def vjp(cotangent: Any, /, **inputs: Any) -> Any:
        found = dict(subject.vjp(cotangent, **inputs))
        if found[name].dtype is getattr(torch, dtype):
            found[name] = (found[name].double() * (1 + size)).to(found[name].dtype)
        return found

    return subject.but(vjp=vjp)


def main() -> None:
    """Print verdicts by layer and dtype, then the share of faults caught by size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--alarms", action="store_true", help="plant no faults")
    parser.add_argument("--only", nargs="*", default=[])
    arguments = parser.parse_args()
    layers = [layer for layer in LAYERS if not arguments.only or layer.name in arguments.only]
    caught: Counter[tuple[str, float]] = Counter()
    planted: Counter[tuple[str, float]] = Counter()
    total: Counter[str] = Counter()
    started = time.perf_counter()
    for layer in layers:
        for dtype in DTYPES:
            said, worst, seen = Counter[str](), 0.0, Counter[float]()
            for seed in range(arguments.seeds):
                subject = subject_of(layer, seed)
                at = point(subject, seed)
                report = check(subject, at=at, seed=seed, dtype=dtype, checks=["precision"])
                said[report.verdict] += 1
                worst = max(worst, report.outcomes["precision"].score)
                name = subject.differentiable[seed % len(subject.differentiable)]
                for size in () if arguments.alarms else FAULTS[dtype]:
                    wrong = scaled(subject, size, name, dtype)
                    found = check(wrong, at=at, seed=seed, dtype=dtype, checks=["precision"])
                    planted[dtype, size] += 1
                    seen[size] += name in {f.input for f in found.findings if f.kind == "wrong"}
            total += said
            caught.update({(dtype, size): count for size, count in seen.items()})
            faults = ", ".join(f"{count} of 1 + {size:.0e}" for size, count in seen.items())
            print(f"{layer.name:24} {dtype:9} {dict(said)}, worst score {worst:.2f}", end="")
            print(f", caught {faults}" if faults else "", flush=True)
    print(f"\nverdicts: {dict(total)}, {time.perf_counter() - started:.0f} s")
    for dtype, size in planted:
        share = caught[dtype, size] / planted[dtype, size]
        unit = size / UNIT[dtype]
        print(f"{dtype:9} scale 1 + {size:.0e} ({unit:4.1f} unit roundoffs): {share:4.0%} caught")


if __name__ == "__main__":
    main()
