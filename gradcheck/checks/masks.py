"""Masked entries get exactly zero, their values change nothing, and no row of them gives NaN."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gradcheck.case import Case
from gradcheck.checks.base import LAWS, Check, Notes
from gradcheck.findings import Finding
from gradcheck.inputs import Mask
from gradcheck.rounding import REORDERED, SPREADS, difference, tolerance
from gradcheck.subject import Subject


class Masks(Check):
    name = "masks"
    law = "masked entries get exactly zero gradient and their values change nothing"
    stage = LAWS

    def applies(self, subject: Subject) -> str:
        return "" if any(_masks(subject)) else "no mask declares `of=`"

    def run(self, case: Case, notes: Notes) -> Iterator[Finding]:
        for mask_name, item in _masks(case.subject):
            of = str(item.of)
            dropped = dropped_entries(case, mask_name, item)
            yield from self._finite(case, mask_name, of)
            if not dropped.any():
                continue
            if case.subject.inputs[of].differentiable:
                yield from self._zero(case, mask_name, of, dropped)
            yield from self._ignored(case, mask_name, of, dropped)

    def _finite(self, case: Case, mask: str, of: str) -> Iterator[Finding]:
        backend = case.backend
        inputs = [a for a in case.arrays.values() if backend.is_array(a)]
        if not all(backend.all_finite(a) for a in inputs if backend.is_inexact(a)):
            return
        keep = np.asarray(case.numbers[mask])
        if case.subject.inputs[mask].true == "drop":  # type: ignore[attr-defined]
            keep = ~keep
        empty_row = bool(keep.ndim and keep.size and (~keep.any(axis=-1)).any())
        outputs = [case.outputs[k] for k in case.judged]
        broken = "forward gives" if not all(map(backend.all_finite, outputs)) else ""
        if not broken and not all(map(backend.all_finite, case.claim.values())):
            broken = "the gradient has"
        if broken and empty_row:
            yield case.finding(
                self.name,
                "nonfinite",
                f"{broken} NaN or infinities when a whole row of `{mask}` is masked",
                input=of,
                fault="fully masked row",
                cause=f"fully masked row of {mask}",
                hint="a softmax or a mean over no entry at all divides zero by zero",
            )

    def _zero(self, case: Case, mask: str, of: str, dropped: np.ndarray) -> Iterator[Finding]:
        gradient = case.backend.to_numpy(case.claim[of])
        leaked = dropped & (gradient != 0)
        if not leaked.any():
            return
        kept = ~dropped
        inverted = bool(kept.any()) and not gradient[kept].any() and bool(leaked[dropped].all())
        index = tuple(int(i) for i in np.argwhere(leaked)[0])
        said = "is inverted: kept entries get none" if inverted else "leaks"
        yield case.finding(
            self.name,
            "wrong",
            f"`{mask}` {said}: the masked entry {of}{list(index)} gets gradient "
            f"{gradient[index]:.6g} where exactly 0 is expected",
            input=of,
            index=index,
            expected=0.0,
            returned=gradient[index].item(),
            fault="mask inverted" if inverted else "mask leak",
            cause=f"{mask} leaks into {of}",
            telling=bool(kept.any()),
            hint="multiply the gradient by the mask, after everything else",
            evidence={"returned": gradient, "expected": np.where(dropped, 0.0, np.nan)},
        )

    def _ignored(self, case: Case, mask: str, of: str, dropped: np.ndarray) -> Iterator[Finding]:
        """Put other numbers where the mask drops them: outputs and other gradients stay."""
        original = case.backend.to_numpy(case.arrays[of])
        changed = np.where(dropped, _others(original, case.example.seed), original)
        arrays = {**case.fresh(), of: case.backend.from_numpy(changed.astype(original.dtype))}
        outputs = case.evaluator.forward(arrays)
        for k in case.judged:
            if not _same(case, case.outputs[k], outputs[k], "output"):
                said = f"the values of `{of}` that `{mask}` masks change the output"
                yield self._leak(case, mask, of, said)
                return
        claim = case.vjp(case.cotangents, arrays)
        for name, gradient in case.claim.items():
            if not _same(case, gradient, claim[name], name):
                said = f"the values of `{of}` that `{mask}` masks change the gradient of `{name}`"
                yield self._leak(case, mask, name, said)

    def _leak(self, case: Case, mask: str, name: str, said: str) -> Finding:
        return case.finding(
            self.name, "wrong", said, input=name, fault="mask leak", cause=f"{mask} leaks"
        )


def dropped_entries(case: Case, mask_name: str, item: Mask) -> np.ndarray:
    """Which entries of `item.of` the mask drops: those dropped for every axis it lacks."""
    mask = np.asarray(case.numbers[mask_name])
    dropped: np.ndarray = mask if item.true == "drop" else np.logical_not(mask)
    axes = [d.text for d in item.shape.dimensions]
    target = case.subject.inputs[str(item.of)].shape
    wanted = [d.text for d in target.dimensions]
    leading = dropped.ndim - len(axes)
    lacking = tuple(leading + k for k, axis in enumerate(axes) if axis not in wanted)
    if lacking:
        dropped = np.asarray(dropped.all(axis=lacking))
    kept_axes = [axis for axis in axes if axis in wanted]
    order = sorted(range(len(kept_axes)), key=lambda k: wanted.index(kept_axes[k]))
    dropped = dropped.transpose(*range(leading), *(leading + k for k in order))
    shape = np.shape(case.numbers[str(item.of)])
    view = [1] * (len(shape) - len(wanted)) if leading == 0 else list(shape[:leading])
    sizes = dict(zip((kept_axes[k] for k in order), dropped.shape[leading:], strict=True))
    view += [sizes.get(axis, 1) for axis in wanted]
    return np.broadcast_to(dropped.reshape(view), shape)


def _masks(subject: Subject) -> list[tuple[str, Mask]]:
    return [(n, m) for n, m in subject.inputs.items() if isinstance(m, Mask) and m.of is not None]


def _others(original: np.ndarray, seed: int) -> np.ndarray:
    """Other values of the same array: shuffled, so that they stay in the domain."""
    if original.size < 2:
        return np.asarray(original / 2)
    rng = np.random.default_rng([seed, 0x3A])
    return np.asarray(rng.permutation(original.ravel()).reshape(original.shape) / 2)


def _same(case: Case, a: Any, b: Any, which: str) -> bool:
    if case.backend.equal(a, b) or not case.backend.all_finite(a):
        return True
    off = difference(case.backend, a, b)
    if off <= tolerance(case.backend, REORDERED, a, b):
        return True
    noise = case.output_noise if which == "output" else case.claim_noise[which]
    return off <= SPREADS * noise


CHECK = Masks()
