"""Gradients of a batch are those of its samples: stacked where per sample, summed where shared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gradcheck.case import Case
from gradcheck.checks import points
from gradcheck.checks.base import LAWS, Check, Notes
from gradcheck.evaluation import ClaimRaised, ForwardRaised
from gradcheck.findings import Finding
from gradcheck.rounding import REROUTED, SPREADS, ULP
from gradcheck.subject import Subject

BATCH = "batch"


class Batch(Check):
    name = "batch"
    law = "gradients of a batch are the stack or the sum of its samples'"
    stage = LAWS
    every = 3

    def applies(self, subject: Subject) -> str:
        if "batched" not in subject.traits:
            return "the trait 'batched' is not declared"
        return "" if BATCH in subject.dimension_names else "no dimension is named `batch`"

    def run(self, case: Case, notes: Notes) -> Iterator[Finding]:
        size = dict(case.example.sizes).get(BATCH, 0)
        if size < 2:
            return
        for name, error in self._errors(case).items():
            notes.score = max(notes.score, error)
            if error > 1 and self._confirmed(case, name):
                yield self._finding(case, name, size)

    def _confirmed(self, case: Case, name: str) -> bool:
        """Whether it is so at generic numbers too: at a tie, rounding picks another branch."""
        there = points.generic(case)
        if there is None:
            return True
        try:
            return self._errors(there)[name] > 1
        except (ForwardRaised, ClaimRaised):
            return True

    def _finding(self, case: Case, name: str, size: int) -> Finding:
        whole, together, axis = self._compared(case)[name]
        how = "the sum" if axis is None else "the stack"
        return case.finding(
            self.name,
            "wrong",
            f"the gradient of `{name}` for a batch of {size} is not {how} of its samples'",
            input=name,
            fault="missing batch sum" if axis is None else None,
            cause=f"{name}: batch law",
            hint="a mean where a sum belongs, or statistics across the batch",
            evidence={"expected": together, "returned": whole},
        )

    def _errors(self, case: Case) -> dict[str, float]:
        """By input, how far the two lie apart, over what rounding allows."""
        size, found = dict(case.example.sizes)[BATCH], {}
        for name, (whole, together, _) in self._compared(case).items():
            found[name] = _distance(whole, together)
            if 1 < found[name] < np.inf:
                more = SPREADS * case.claim_noise[name] + size * case.stated_error(name)
                found[name] = _distance(whole, together, more)
        return found

    def _compared(self, case: Case) -> dict[str, tuple[np.ndarray, np.ndarray, int | None]]:
        """By input: the gradient of the batch, that of its samples together, and the axis."""
        axes = {name: _batch_axis(case.subject, name) for name in case.subject.inputs}
        numbers, cotangents = case.as_numpy(), case.numpy_cotangents()
        count = range(dict(case.example.sizes)[BATCH])
        parts = [self._sample(case, numbers, cotangents, axes, k) for k in count]
        found = {}
        for name, gradient in case.claim.items():
            samples = [part[name] for part in parts]
            axis = axes[name]
            together = sum(samples) if axis is None else np.concatenate(samples, axis)
            found[name] = case.backend.to_numpy(gradient), np.asarray(together), axis
        return found

    def _sample(
        self, case: Case, numbers: Any, cotangents: Any, axes: Any, k: int
    ) -> dict[str, np.ndarray]:
        backend = case.backend

        def cut(array: Any, axis: int | None) -> Any:
            if axis is None or not isinstance(array, np.ndarray):
                return array
            return np.take(array, [k], axis)

        arrays = {n: case.native(n, cut(a, axes[n])) for n, a in numbers.items()}
        # Outputs of a batched subject carry the batch on their first axis.
        own = tuple(None if u is None else backend.from_numpy(cut(u, 0)) for u in cotangents)
        claim = case.vjp(own, arrays)
        return {name: backend.to_numpy(gradient) for name, gradient in claim.items()}


def _batch_axis(subject: Subject, name: str) -> int | None:
    texts = [d.text for d in subject.inputs[name].shape.dimensions]
    return texts.index(BATCH) if BATCH in texts else None


def _distance(a: np.ndarray, b: np.ndarray, more: float = 0.0) -> float:
    """Largest difference over what another order of summation allows."""
    if a.shape != b.shape:
        return np.inf
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return 0.0
    allowed = REROUTED * ULP.get(str(a.dtype), 2.0**-52) * float(np.max(np.abs(b), initial=0.0))
    return float(np.max(np.abs(a - b), initial=0.0)) / (allowed + more + 1e-300)


CHECK = Batch()
