"""The vjp returns one gradient for every differentiable input, of its shape and dtype."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from gradcheck.case import Case
from gradcheck.checks.base import CONTRACT, Check, Notes
from gradcheck.evaluation import ClaimRaised
from gradcheck.findings import Finding


class Contract(Check):
    name = "contract"
    law = "one gradient per differentiable input, of its shape and dtype"
    stage = CONTRACT

    def run(self, case: Case, notes: Notes) -> Iterator[Finding]:
        try:
            returned = case.raw_claim
        except ClaimRaised as raised:
            if case.undefined:
                raise
            yield self._raised(case, raised)
            return
        if not isinstance(returned, Mapping):
            said = (
                f"vjp returned {type(returned).__name__}; expected a mapping from input name to "
                f"gradient, for {_names(case.subject.differentiable)}"
            )
            yield case.finding(self.name, "broken", said, cause="vjp returns no mapping")
            return
        for name in case.subject.differentiable:
            yield from self._gradient(case, name, returned)
        extra = sorted(str(n) for n in returned if n not in case.subject.inputs)
        if extra:
            notes.remarks.append(f"vjp also returned {_names(extra)}, which are not inputs")

    def _raised(self, case: Case, raised: ClaimRaised) -> Finding:
        return case.finding(
            self.name,
            "broken",
            f"vjp raised {raised} where forward had not ({_shapes(case)})",
            cause=f"vjp raises {type(raised.error).__name__}",
            evidence={"traceback": raised.traceback, "error": type(raised.error).__name__},
        )

    def _gradient(self, case: Case, name: str, returned: Mapping[str, Any]) -> Iterator[Finding]:
        if name not in returned:
            said = f"vjp returned no gradient for the differentiable input `{name}`"
            yield self._broken(case, name, said, "missing gradient", "input without gradient")
            return
        gradient, wanted = returned[name], case.arrays[name]
        backend = case.backend
        if gradient is None:
            said = f"vjp returned None as the gradient of `{name}`"
            yield self._broken(case, name, said, "missing gradient", "input without gradient")
            return
        if not backend.is_array(gradient):
            gradient = np.asarray(gradient)
            if gradient.dtype.kind not in "fc" or backend.name != "numpy":
                kind = type(returned[name]).__name__
                said = f"the gradient of `{name}` is of type {kind}, not an array"
                yield self._broken(case, name, said, "no array", None)
                return
        shape, expected = backend.shape(gradient), backend.shape(wanted)
        if shape != expected:
            fault, why = _shape_fault(shape, expected)
            said = f"the gradient of `{name}` has shape {shape}, its input has {expected}{why}"
            yield self._broken(case, name, said, f"shape: {fault or 'other'}", fault)
            return
        got, asked = backend.dtype_name(gradient), backend.dtype_name(wanted)
        if got != asked:
            said = f"the gradient of `{name}` is {got}, its input is {asked}"
            fault = "precision lost" if got in ("float32", "float16", "bfloat16") else None
            yield self._broken(case, name, said, "dtype", fault)

    def _broken(self, case: Case, name: str, said: str, cause: str, fault: str | None) -> Finding:
        return case.finding(
            self.name,
            "broken",
            said,
            input=name,
            fault=fault,
            cause=f"{name}: {cause}",
            # At size 1 a transposed, a summed and a kept axis look alike.
            telling=1 not in dict(case.example.sizes).values(),
        )


def _shape_fault(got: tuple[int, ...], wanted: tuple[int, ...]) -> tuple[str | None, str]:
    """Name what a wrong shape most often is."""
    if got == wanted[::-1]:
        return "transposed", ": it is transposed"
    if len(got) > len(wanted) and got[len(got) - len(wanted) :] == wanted:
        return "missing batch sum", ": the sum over the leading axes is missing"
    if len(got) == len(wanted) and all(w in (1, g) for g, w in zip(got, wanted, strict=True)):
        return "missing broadcast sum", ": the sum over the broadcast axes is missing"
    return None, ""


def _names(names: Any) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _shapes(case: Case) -> str:
    is_array, shape = case.backend.is_array, case.backend.shape
    return ", ".join(f"{n}: {shape(a)}" for n, a in case.arrays.items() if is_array(a))


CHECK = Contract()
