"""What a fault family may look at: true and claimed Jacobians of one input at one example."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from gradcheck.diagnosis import jacobian
from gradcheck.diagnosis.jacobian import flat, stacked, unflat, unstacked
from gradcheck.inputs import Array, Input, Integers, Mask
from gradcheck.judgement.problem import Domain

Outputs = tuple[np.ndarray, ...]
# Relative size of a difference that is one, beside the error of the numerical derivative.
EXACT = 1e-9
# A candidate fits where it misses by no more than this share of the largest entry.
FIT = 1e-7
# It explains a mistake where it leaves of it no more than this share beside the known errors, and
# no more than that share with them.
EXPLAINED, DROWNED = 1e-3, 0.1


class TooSmall(Exception):
    """An example too small for a family to say anything at it, for or against."""


@dataclass(frozen=True)
class Scene:
    """A subject at one example, in NumPy arrays, with the Jacobians of every input.

    outputs: those that have a cotangent; cotangents: one for each. sizes: by dimension name.
    forward, vjp: the subject at other arrays and cotangents. Jacobians are matrices (entries of
    all outputs, entries of the input), complex entries as real and imaginary parts. again(sizes):
    other numbers, of the same sizes but those given.
    """

    arrays: Mapping[str, Any]
    outputs: Outputs
    cotangents: Outputs
    names: tuple[str, ...]
    forward: jacobian.Forward
    vjp: jacobian.Pullback
    inputs: Mapping[str, Input] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    traits: frozenset[str] = frozenset()
    again: Callable[[Mapping[str, int]], Scene | None] | None = None

    @cached_property
    def claims(self) -> Mapping[str, np.ndarray]:
        return self.vjp(self.cotangents, self.arrays)

    @cached_property
    def _claimed(self) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        return jacobian.claimed(self.vjp, self.cotangents, self.arrays, self.names)

    @cached_property
    def _measured(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        return {}

    def numerical(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """The true Jacobian of an input, NaN where it could not be measured, and its errors."""
        if name not in self._measured:
            item = self.inputs.get(name)
            ends = Domain(item.low, item.high, item.open) if isinstance(item, Array) else None
            self._measured[name] = jacobian.numerical(self.forward, self.arrays, name, ends)
        return self._measured[name]

    def claimed(self, name: str) -> np.ndarray:
        """The Jacobian that vjp claims, from one call for each output entry."""
        return self._claimed[0][name]

    def at_zero(self, name: str) -> np.ndarray:
        """What vjp returns for a zero cotangent, as a vector: zeros unless something is wrong."""
        return self._claimed[1][name]

    @cached_property
    def rows(self) -> list[tuple[int, tuple[int, ...]]]:
        """The output and the index each row of a Jacobian belongs to."""
        return [
            (k, index)
            for k, output in enumerate(self.outputs)
            for _ in range(2 if np.iscomplexobj(output) else 1)
            for index in np.ndindex(np.shape(output))
        ]

    def wrong(self, name: str) -> bool:
        """Whether the claim differs from the true Jacobian, or from itself made linear."""
        true, error = self.numerical(name)
        off = np.abs(self.claimed(name) - true)
        known = np.isfinite(true)
        scale = float(np.max(np.abs(true[known]), initial=0.0))
        allowed = EXACT * scale + 10 * error
        if np.any(off[known] > allowed[known]) or not np.all(np.isfinite(self.claimed(name))):
            return True
        return not self.is_linear(name)

    def is_linear(self, name: str) -> bool:
        """Whether the claim at the example's cotangent is what its Jacobian says."""
        product = stacked(self.cotangents) @ self.claimed(name)
        claim = flat(self.claims[name])
        scale = float(np.max(np.abs(claim), initial=0.0)) + float(
            np.max(np.abs(product), initial=0.0)
        )
        constant = np.any(self.at_zero(name) != 0.0)
        return not constant and bool(np.all(np.abs(product - claim) <= 1e-6 * scale))

    def of(self, name: str) -> Evidence:
        return Evidence(self, name)


@dataclass(frozen=True)
class Evidence:
    """One wrong gradient at one example.

    returned, expected: the gradient claimed and the numerical one at the scene's cotangent.
    true, claimed, error: Jacobians as matrices (outputs, entries) and the error of `true`.
    more(): the same at other, fresh examples of other sizes. right(): examples where the claim
    for this input is right.
    """

    scene: Scene
    name: str
    more: Callable[[], tuple[Evidence, ...]] = tuple
    right: Callable[[], tuple[Evidence, ...]] = tuple

    @property
    def array(self) -> np.ndarray:
        return np.asarray(self.scene.arrays[self.name])

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.array.shape)

    @property
    def is_complex(self) -> bool:
        return bool(np.iscomplexobj(self.array))

    @property
    def sizes(self) -> Mapping[str, int]:
        return self.scene.sizes

    @property
    def true(self) -> np.ndarray:
        return self.scene.numerical(self.name)[0]

    @property
    def error(self) -> np.ndarray:
        return self.scene.numerical(self.name)[1]

    @property
    def claimed(self) -> np.ndarray:
        return self.scene.claimed(self.name)

    @property
    def returned(self) -> np.ndarray:
        return np.asarray(self.scene.claims[self.name])

    @cached_property
    def expected(self) -> np.ndarray:
        return unflat(stacked(self.scene.cotangents) @ self.true, self.array)

    @property
    def outputs(self) -> Outputs:
        return self.scene.outputs

    @property
    def one_output(self) -> bool:
        return len(self.scene.outputs) == 1

    @property
    def axes(self) -> tuple[str, ...]:
        """A name for every axis of the input, "" where it has none."""
        return axes_of(self.scene.inputs.get(self.name), len(self.shape))

    def gradient(self, name: str, cotangents: Outputs | None = None) -> np.ndarray:
        """The numerical gradient of any input at any cotangent."""
        u = stacked(self.scene.cotangents if cotangents is None else cotangents)
        return unflat(u @ self.scene.numerical(name)[0], np.asarray(self.scene.arrays[name]))

    def matches(self, candidate: np.ndarray, target: np.ndarray | None = None) -> bool:
        """Whether a Jacobian is the claimed one (or `target`): the mistake, not the truth again."""
        target = self.claimed if target is None else target
        if np.shape(candidate) != np.shape(target):
            return False
        known = np.isfinite(self.true) & np.isfinite(self.claimed)
        off = np.where(known, np.abs(self.true - self.claimed), 0.0)
        gap = float(np.max(off, initial=0.0))
        mistaken = off > EXPLAINED * gap
        if 2 * np.sum(np.isfinite(candidate[mistaken])) < np.sum(mistaken):
            return False  # what says nothing of most of a mistake does not explain it
        errors = self.error if np.shape(self.error) == np.shape(target) else np.zeros(())
        return equal(candidate, target, errors) and leaves_little(candidate, target, gap, errors)

    def matrices(self) -> dict[str, np.ndarray]:
        """The real inputs of two axes or more that are not this one."""
        found = {n: a for n, a in self.scene.arrays.items() if n != self.name}
        return {
            n: a
            for n, a in found.items()
            if isinstance(a, np.ndarray) and a.ndim >= 2 and a.dtype.kind == "f"
        }

    def integers(self) -> dict[str, np.ndarray]:
        return self._of(Integers, "iu")

    def masks(self) -> dict[str, np.ndarray]:
        return self._of(Mask, "b")

    def _of(self, kind: type, dtypes: str) -> dict[str, np.ndarray]:
        return {
            n: a
            for n, a in self.scene.arrays.items()
            if isinstance(a, np.ndarray)
            and (isinstance(self.scene.inputs.get(n), kind) or a.dtype.kind in dtypes)
        }

    def at(self, scene: Scene) -> Evidence:
        return replace(self, scene=scene)


def equal(a: np.ndarray, b: np.ndarray, errors: np.ndarray | float = 0.0) -> bool:
    """Equal where both are known, which must be somewhere, and finite somewhere nonzero."""
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape:
        return False
    known = np.isfinite(a) & np.isfinite(b)
    if not known.any() or np.any(~np.isfinite(b) & np.isfinite(a)):
        return False
    scale = max(float(np.max(np.abs(a[known]))), float(np.max(np.abs(b[known]))))
    if scale == 0.0:
        return True
    errors = np.broadcast_to(np.where(np.isfinite(errors), errors, 0.0), a.shape)
    return bool(np.all(np.abs(a - b)[known] <= FIT * scale + 30 * errors[known]))


def explains(
    candidate: np.ndarray,
    claim: np.ndarray,
    truth: np.ndarray,
    errors: np.ndarray | float = 0.0,
) -> bool:
    """Whether a candidate is the claim, and far nearer to it than the truth is."""
    if np.shape(candidate) != np.shape(claim) or not equal(candidate, claim, errors):
        return False
    off = np.abs(np.asarray(truth) - claim)
    return leaves_little(candidate, claim, float(np.nanmax(off, initial=0.0)), errors)


def leaves_little(
    candidate: np.ndarray, claim: np.ndarray, gap: float, errors: np.ndarray | float
) -> bool:
    """Whether of a mistake as large as `gap` next to nothing is left beside a candidate."""
    left = np.abs(np.asarray(candidate) - claim)
    known = np.isfinite(left)
    errors = np.broadcast_to(np.where(np.isfinite(errors), errors, 0.0), left.shape)
    if np.max(left[known], initial=0.0) > DROWNED * gap:
        return False
    return bool(np.all(left[known] <= EXPLAINED * gap + 30 * errors[known]))


def axes_of(item: Input | None, ndim: int) -> tuple[str, ...]:
    """Names of the axes as declared: `batch`, `4*units`; "" for a fixed or a leading axis."""
    if item is None:
        return ("",) * ndim
    own = tuple("" if d.text.isdigit() else d.text for d in item.shape.dimensions)
    return ("",) * (ndim - len(own)) + own[len(own) - min(ndim, len(own)) :]


__all__ = [
    "Evidence",
    "Outputs",
    "Scene",
    "axes_of",
    "equal",
    "explains",
    "flat",
    "leaves_little",
    "stacked",
    "unstacked",
]
