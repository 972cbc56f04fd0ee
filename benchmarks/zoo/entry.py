"""What a member of the zoo is: a correct function, its correct VJP, and what is hard about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Sample = Callable[[np.random.Generator], np.ndarray]
Bounds = tuple[float | None, float | None, bool]


@dataclass(frozen=True)
class Entry:
    """A function whose VJP is right.

    forward(**inputs) -> array or tuple; vjp(cotangent, **inputs) -> gradient by input name.
    limit: why float64 forward values cannot show a relative error of 1e-6 in some direction
        (empty: they can). Such an entry may be judged inconclusive, never wrong.
    truth: the forward that runs on high-precision numbers (None: there is none).
    rounding: relative error that honest float64 arithmetic leaves in this VJP.
    """

    name: str
    forward: Callable[..., Any]
    vjp: Callable[..., dict[str, np.ndarray]]
    make_inputs: Callable[[np.random.Generator], dict[str, np.ndarray]]
    nasty: bool = False
    limit: str = ""
    kinks: bool = False
    elementwise: bool = False
    domains: Mapping[str, Bounds] = field(default_factory=dict)
    fixed: tuple[str, ...] = ()
    rounding: float = 1e-9
    truth: Callable[..., Any] | None = None

    @property
    def resolved(self) -> bool:
        """Whether float64 forward values can show a relative error of 1e-6."""
        return not self.limit

    def names(self, inputs: Mapping[str, np.ndarray]) -> tuple[str, ...]:
        """The differentiable inputs."""
        return tuple(name for name in inputs if name not in self.fixed)


def member(name, forward, vjp, make_inputs, *, exact=True, **facts) -> Entry:
    """An entry whose forward also runs on high-precision numbers, unless `exact` says not."""
    facts.setdefault("truth", forward if exact else None)
    return Entry(name, forward, vjp, make_inputs, **facts)


def of(names: str, f: Callable[..., Any]) -> Callable[..., Any]:
    """`f` of positional arguments (a ufunc takes no others), called by name."""
    order = names.split()
    return lambda **inputs: f(*(inputs[name] for name in order))


def pointwise(name, f, slope, sample: Sample, *, low=None, high=None, open=False, **facts) -> Entry:
    """Y = f(x), entry by entry, with derivative `slope`."""
    if low is not None or high is not None:
        facts["domains"] = {"x": (low, high, open)}
    return member(
        name,
        of("x", f),
        lambda u, x: {"x": u * slope(x)},
        lambda rng: {"x": sample(rng)},
        elementwise=True,
        **facts,
    )


def normal(*shape: int, scale: float = 1.0, shift: float = 0.0) -> Sample:
    """Gaussian numbers."""
    return lambda rng: shift + scale * rng.standard_normal(shape)


def uniform(low: float, high: float, *shape: int) -> Sample:
    """Numbers between two bounds."""
    return lambda rng: rng.uniform(low, high, shape)


def decades(low: float, high: float, *shape: int, signed: bool = False) -> Sample:
    """Magnitudes 10^low .. 10^high, every decade alike."""

    def sample(rng):
        magnitude = 10.0 ** rng.uniform(low, high, shape)
        return magnitude * rng.choice([-1.0, 1.0], shape) if signed else magnitude

    return sample


def near(points, low: float, high: float, *shape: int) -> Sample:
    """Numbers at distances 10^low .. 10^high from the given points, on either side."""

    def sample(rng):
        distance = decades(low, high, *shape, signed=True)(rng)
        return rng.choice(np.asarray(points, float), shape) + distance

    return sample


def each(**samples: Sample) -> Callable[[np.random.Generator], dict[str, np.ndarray]]:
    """Several inputs, each from its own sample."""
    return lambda rng: {name: sample(rng) for name, sample in samples.items()}
