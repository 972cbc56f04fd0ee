"""What the verdict engine is given, and what it returns: plain data, no subject, no report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradcheck.backends.base import Array, Backend

Arrays = dict[str, Array]
Outputs = tuple[Array, ...]


@dataclass(frozen=True)
class Domain:
    """Where an input may lie: never stepped over.

    `None` is unbounded; `open` leaves the ends out.
    """

    low: float | None = None
    high: float | None = None
    open: bool = False


@dataclass(frozen=True)
class Problem:
    """A function and a claimed VJP at one point, in native arrays of one backend.

    forward(arrays) -> the differentiable outputs, a tuple of inexact arrays.
    vjp(cotangent, arrays) -> one array per name in `names`, of that input's shape. Called again
        on both sides of a kink. Either may raise: that is the caller's finding, and the engine
        lets it through, except that a step whose forward raises is skipped.
    point: every input by name, integers and masks too; only `names` are differentiated.
    kinks: "subgradient", "autodiff", "avoid", a number alpha, or a callable
        (cotangent, arrays) -> mapping of expected gradients at a kink.
    claim_error: absolute error of the claim itself by input name (an in-place update of rate lr
        carries about eps |W| / lr), a scalar or an array of the input's shape.
    elementwise: a kink at one entry concerns that entry alone.
    """

    forward: Callable[[Arrays], Outputs]
    vjp: Callable[[Outputs, Arrays], Arrays]
    point: Arrays
    names: tuple[str, ...]
    backend: Backend
    domains: Mapping[str, Domain] = field(default_factory=dict)
    kinks: str | float | Callable[..., Mapping[str, Array]] = "subgradient"
    claim_error: Mapping[str, float | np.ndarray] = field(default_factory=dict)
    elementwise: bool = False


@dataclass(frozen=True)
class Level:
    """One step size of a numerical derivative: what the step plot shows."""

    step: float
    estimate: float
    truncation: float
    noise: float
    chosen: bool = False


@dataclass(frozen=True)
class WrongEntry:
    """One entry of a gradient that is off. index is () for a scalar input."""

    index: tuple[int, ...]
    expected: complex
    returned: complex


@dataclass(frozen=True)
class Kink:
    """What was found where the function is not differentiable.

    left, right: derivatives of <cotangent, forward> on the two sides; alpha: where the claim lies
    between them, NaN where it lies outside; count: coordinates at a kink.
    """

    alpha: float
    left: float
    right: float
    claimed: float
    count: int
    index: tuple[int, ...] | None = None
    point_defect: bool = False


@dataclass(frozen=True)
class Judgement:
    """The verdict on the gradient of one input at one point.

    verdict: "correct", "wrong", "wrong_at_kink", "nonfinite" or "inconclusive".
    expected, returned: the numerical and the claimed directional derivative; error: its estimated
        error; tolerance: what the difference was held against; their ratio is `score`.
    detectable: smallest relative error of this gradient as a whole that would have been seen;
        detectable_entry: the same for a single entry of median size. NaN where nothing is said.
    entries: wrong entries, largest difference first, at most a few dozen.
    evaluations: forward evaluations spent on this input.
    """

    name: str
    verdict: str
    expected: float = float("nan")
    returned: float = float("nan")
    error: float = float("nan")
    tolerance: float = float("nan")
    detectable: float = float("nan")
    detectable_entry: float = float("nan")
    entries: tuple[WrongEntry, ...] = ()
    levels: tuple[Level, ...] = ()
    kink: Kink | None = None
    evaluations: int = 0
    reason: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def unsettled(self) -> bool:
        """Whether it is a kink that leaves the verdict open, and not noise."""
        return self.verdict == "inconclusive" and bool(self.details.get("at a kink"))

    @property
    def score(self) -> float:
        """Difference over tolerance: above 1 is a failure where the verdict is about values.

        What is correct all the same is so at a kink, by its sides: 0.0, for no line decided it.
        """
        if self.verdict == "correct" and abs(self.expected - self.returned) > self.tolerance:
            return 0.0
        return abs(self.expected - self.returned) / self.tolerance if self.tolerance else 0.0


def unsettled(name: str, reason: str) -> Judgement:
    """No verdict, because of a kink."""
    return Judgement(name, "inconclusive", reason=reason, details={"at a kink": True})
