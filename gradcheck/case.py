"""Case: one subject at one example, with everything the checks share computed once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from gradcheck import noise
from gradcheck.along import along, onto, pulled, require_on, sets
from gradcheck.backends.base import Array as NativeArray
from gradcheck.backends.base import Backend
from gradcheck.evaluation import ClaimRaised, Evaluator, as_outputs
from gradcheck.examples import Example
from gradcheck.findings import Finding
from gradcheck.inputs import Array
from gradcheck.judgement.problem import Domain, Problem
from gradcheck.subject import Subject


def _real(backend: Backend, array: Any) -> str:
    """The real dtype that goes with `array`'s."""
    name = backend.dtype_name(array)
    return {"complex128": "float64", "complex64": "float32"}.get(name, name)


def _wide(value: Any) -> Any:
    """Floating numbers in float64; anything else as it is."""
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "fc":
        return value
    return value.astype(np.complex128 if value.dtype.kind == "c" else np.float64)


@dataclass
class Case:
    """A subject at one example, in native arrays of its backend.

    arrays: what forward is called with. The attributes below are computed when first asked for
    and may raise ForwardRaised or ClaimRaised.
    """

    subject: Subject
    example: Example
    numbers: Mapping[str, Any]
    backend: Backend
    evaluator: Evaluator
    dtype: str = "float64"
    device: str = "cpu"
    given_cotangent: Any = None

    def __post_init__(self) -> None:
        # A low precision is compared with replicas of what the subject itself computes.
        if self.dtype == "float64" and sets(self.subject):
            self.subject = along(self.subject)
            self.evaluator = Evaluator(self.subject, self.backend, self.evaluator.limit)

    @cached_property
    def arrays(self) -> dict[str, Any]:
        return {name: self.native(name, value) for name, value in self.numbers.items()}

    def native(self, name: str, value: Any) -> Any:
        """A generated value as the subject is fed it: a fresh native array of the right dtype."""
        if not isinstance(value, np.ndarray | np.generic):
            return value
        array = self.backend.from_numpy(np.asarray(value))
        item = self.subject.inputs.get(name)
        if isinstance(item, Array) and self.dtype != "float64":
            array = self.backend.cast(array, self.dtype)
        return array

    def in_float64(self) -> Case:
        """This case at the very same numbers in float64, where a low precision was asked for."""
        if self.dtype in ("float64", "complex128"):
            return self
        numbers = {name: _wide(value) for name, value in self.as_numpy().items()}
        cotangents = tuple(None if u is None else _wide(u) for u in self.numpy_cotangents())
        return replace(self, numbers=numbers, dtype="float64", given_cotangent=cotangents)

    def fresh(self) -> dict[str, Any]:
        """Copies of the arrays that share no memory with them."""
        return {name: self.copied(value) for name, value in self.arrays.items()}

    def copied(self, value: Any) -> Any:
        """A copy of a native array; anything else as it is."""
        return self.backend.copy(value) if self.backend.is_array(value) else value

    @cached_property
    def raw_outputs(self) -> Any:
        return self.evaluator.raw_forward(self.fresh())

    @cached_property
    def outputs(self) -> tuple[Any, ...]:
        """All outputs, copied away from whatever memory the subject may use again."""
        return tuple(map(self.copied, as_outputs(self.raw_outputs)))

    @property
    def undefined(self) -> bool:
        """Whether an output is not finite: forward may then leave it to the vjp to raise."""
        return not all(map(self.backend.all_finite, (self.outputs[k] for k in self.judged)))

    @property
    def returns_tuple(self) -> bool:
        return isinstance(self.raw_outputs, tuple | list)

    @cached_property
    def cotangents(self) -> tuple[Any, ...]:
        """One cotangent per output: dense random numbers, None where an output has none."""
        if self.given_cotangent is not None:
            given = as_outputs(self.given_cotangent)
            return tuple(
                None if g is None else self._like_output(k, g) for k, g in enumerate(given)
            )
        return self.cotangents_from(self.example.seed)

    def _like_output(self, k: int, given: Any) -> Any:
        """A given cotangent in the dtype of its output."""
        array = self.native("", given)
        inexact = self.backend.is_array(array) and k in self.judged
        name = self.backend.dtype_name(self.outputs[k]) if inexact else ""
        return self.backend.cast(array, name) if inexact else array

    def cotangents_from(self, seed: int, sparse: bool = False) -> tuple[Any, ...]:
        """Other cotangents; `sparse`: about half of their entries are zero."""
        return tuple(
            self._cotangent(self.outputs[k], seed + 31 * k, sparse) if k in self.judged else None
            for k in range(len(self.outputs))
        )

    def _cotangent(self, output: Any, seed: int, sparse: bool) -> Any:
        dense = self.backend.random_signs(output, seed)
        if not sparse:
            return dense
        kept = np.random.default_rng(seed).random(self.backend.shape(output)) < 0.5
        ones = self.backend.from_numpy(kept.astype(np.float64))
        return self.backend.multiply(dense, self.backend.cast(ones, _real(self.backend, dense)))

    def packed(self, cotangents: tuple[Any, ...]) -> Any:
        """Cotangents as the subject's vjp takes them: bare where forward returns a bare array."""
        return cotangents if self.returns_tuple else cotangents[0]

    @cached_property
    def raw_claim(self) -> Any:
        """What vjp returned at this example, unchecked."""
        cotangents = tuple(map(self.copied, self.cotangents))
        return self.evaluator.vjp(self.packed(cotangents), self.fresh())

    @cached_property
    def claim(self) -> dict[str, NativeArray]:
        """The claimed gradients by input name. Only for a claim that keeps the contract."""
        return self.checked_claim(self.raw_claim)

    def checked_claim(self, returned: Any) -> dict[str, NativeArray]:
        """A vjp's mapping with native arrays of each differentiable input, copied."""
        backend, claim = self.backend, {}
        for name in self.subject.differentiable:
            try:
                value = returned[name]
            except (KeyError, TypeError, IndexError) as error:
                raise ClaimRaised(error) from error
            if not backend.is_array(value):
                value = backend.from_numpy(np.asarray(value))
            claim[name] = backend.copy(value)
        return claim

    def vjp(self, cotangents: tuple[Any, ...], arrays: Mapping[str, Any]) -> dict[str, NativeArray]:
        """The claim at other cotangents or another point, on fresh copies."""
        own = tuple(map(self.copied, cotangents))
        point = {name: self.copied(value) for name, value in arrays.items()}
        return self.checked_claim(self.evaluator.vjp(self.packed(own), point))

    @cached_property
    def claim_noise(self) -> dict[str, float]:
        return noise.of_claim(self)

    @cached_property
    def output_noise(self) -> float:
        return noise.of_outputs(self)

    def dust(self, name: str) -> float:
        """How far a gradient that is all rounding moves with inputs off by an ulp."""
        return noise.dust(self, name)

    def exponents(self, name: str) -> float:
        """What exponentials of numbers as large as the inputs may be off by in a gradient."""
        return noise.exponents(self, name)

    def invisible(self, name: str) -> float:
        return noise.invisible(self, name)

    def visible(self, name: str, off: Any) -> float:
        """The largest entry of an error that some forward in this dtype could show."""
        return noise.visible(self, name, off)

    @property
    def cancelled(self) -> float:
        return noise.cancelled(self)

    def off_by_ulps(self, array: Any, replica: int, ulps: float = 2.0) -> Any:
        return noise.off_by_ulps(self, array, replica, ulps)

    def stated_error(self, name: str) -> float:
        """The largest absolute error that the adapter states for a gradient of its own."""
        stated = self._claim_error().get(name)
        return 0.0 if stated is None else float(np.max(np.abs(np.asarray(stated)), initial=0.0))

    @property
    def judged(self) -> list[int]:
        """Positions of the outputs that have a cotangent."""
        is_array, is_inexact = self.backend.is_array, self.backend.is_inexact
        return [
            k
            for k, output in enumerate(self.outputs)
            if is_array(output) and is_inexact(output) and k not in self.subject.without_gradient
        ]

    def problem(self) -> Problem:
        """This case as the verdict engine takes it: only outputs with a cotangent."""
        kept = self.judged
        require_on(self.subject, self.backend, self.arrays)

        def forward(arrays: dict[str, Any]) -> tuple[Any, ...]:
            outputs = self.evaluator.forward(onto(self.subject, self.backend, arrays))
            return tuple(outputs[k] for k in kept)

        def vjp(cotangents: tuple[Any, ...], arrays: dict[str, Any]) -> dict[str, Any]:
            whole: list[Any] = [None] * len(self.outputs)
            for k, cotangent in zip(kept, cotangents, strict=True):
                whole[k] = cotangent
            on = onto(self.subject, self.backend, arrays)
            return pulled(self.subject, self.backend, self.vjp(tuple(whole), on), arrays)

        return Problem(
            forward=forward,
            vjp=vjp,
            point=self.fresh(),
            names=self.subject.differentiable,
            backend=self.backend,
            domains=self.domains(),
            kinks=self._kinks(),
            claim_error=self._claim_error(),
            elementwise="elementwise" in self.subject.traits,
        )

    def domains(self) -> dict[str, Domain]:
        return {
            name: Domain(item.low, item.high, item.open)
            for name, item in self.subject.inputs.items()
            if isinstance(item, Array) and (item.low is not None or item.high is not None)
        }

    def _kinks(self) -> Any:
        if self.subject.kinks != "twin":
            return self.subject.kinks
        return self.twin_gradients if self.subject.twin is not None else "subgradient"

    def twin_gradients(self, cotangents: tuple[Any, ...], arrays: Mapping[str, Any]) -> Any:
        """The twin's gradients at native arrays: what the claim must be at a kink."""
        from gradcheck.oracles.twin import twin_of

        is_array, to_numpy = self.backend.is_array, self.backend.to_numpy
        numbers = {n: to_numpy(a) if is_array(a) else a for n, a in arrays.items()}
        whole: list[Any] = [None] * len(self.outputs)
        for k, cotangent in zip(self.judged, cotangents, strict=True):
            whole[k] = to_numpy(cotangent)
        names = self.subject.differentiable
        found = twin_of(self.subject, self.device).gradients(tuple(whole), numbers, names)
        return {name: self.backend.from_numpy(gradient) for name, gradient in found.items()}

    def _claim_error(self) -> Mapping[str, Any]:
        stated = self.subject.claim_error
        return stated(**self.arrays) if stated is not None else {}

    def finding(self, check: str, kind: str, message: str, **details: Any) -> Finding:
        """A Finding at this example, with its arrays and cotangent as NumPy."""
        return Finding(kind, check, message, example=self.as_numpy(), **details)

    def as_numpy(self) -> dict[str, Any]:
        is_array, to_numpy = self.backend.is_array, self.backend.to_numpy
        return {n: to_numpy(a) if is_array(a) else a for n, a in self.arrays.items()}

    def numpy_cotangents(self) -> tuple[Any, ...]:
        return tuple(None if c is None else self.backend.to_numpy(c) for c in self.cotangents)
