"""float32, float16 and bfloat16: the gradient is an honest rounding of the float64 one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gradcheck.backends import backend as backend_named
from gradcheck.case import Case
from gradcheck.checks.base import LAWS, Check, Notes
from gradcheck.evaluation import ClaimRaised, ForwardRaised, describe
from gradcheck.examples import arrays_of, reseeded
from gradcheck.findings import Finding
from gradcheck.oracles.replicas import BITS, promoted, replicas
from gradcheck.subject import Subject

# In units of what the replicas show: of one entry, of the root mean square over entries, and of a
# sum over all of them or over a row. A sum is nearly normal, and must be off at two points.
ENTRY, SPREAD, SUM = 8.0, 2.5, 4.0
# A dozen replicas for a pass; what fails must still fail by the spread of four dozen.
FEW, MANY = 12, 48
# A dozen evaluations, each several times as slow as the layer's own: at every third example.
APART = 3
# An honest spread as wide as this part of the gradient leaves nothing to compare.
VAGUE = 0.25


class Precision(Check):
    name = "precision"
    law = "in float32, float16 and bfloat16 the gradient is an honest rounding of float64's"
    stage = LAWS
    dtypes = tuple(BITS)

    def applies(self, subject: Subject) -> str:
        if "stochastic" in subject.traits:
            return "random numbers differ from one precision to another"
        if _replayed(subject) is None:
            return "no operations are seen in NumPy: a torch twin would show them"
        return ""

    def run(self, case: Case, notes: Notes) -> Iterator[Finding]:
        if case.dtype not in BITS or notes.number % APART:
            return
        if not _ready(case):
            return
        try:
            with np.errstate(all="ignore"):  # what is not finite is told apart below
                honest = Honest(case)
                found = [(name, honest.judged(name)) for name in case.subject.differentiable]
        except ClaimRaised:
            raise
        except Exception as error:  # noqa: BLE001 - a replay runs user code in a way of its own
            for name in case.subject.differentiable:
                why = f"its operations cannot be replayed: {describe(error)}"
                notes.unclear[name] = self._unclear(case, name, why)
            return
        for name, outcome in found:
            yield from self._told(case, honest, name, outcome, notes)

    def _told(
        self, case: Case, honest: Honest, name: str, outcome: Outcome | None, notes: Notes
    ) -> Iterator[Finding]:
        if honest.unseen:
            said = f"{', '.join(sorted(honest.unseen))} does not show its operations"
            notes.unclear[name] = self._unclear(case, name, said)
        elif outcome is None or outcome.whole > VAGUE:
            said = f"rounding in {case.dtype} hides it, or overflows"
            notes.unclear[name] = self._unclear(case, name, said)
        elif outcome.score > 1 and _again(case, name):
            yield self._finding(case, name, outcome)
        else:
            notes.score = max(notes.score, min(outcome.score, 1.0))
            notes.detectable[name] = {"whole": outcome.whole, "entry": outcome.entry}

    def _unclear(self, case: Case, name: str, why: str) -> Finding:
        said = f"the {case.dtype} gradient of `{name}` could not be judged: {why}"
        return case.finding(self.name, "inconclusive", said, input=name, cause=f"{name}: {why}")

    def _finding(self, case: Case, name: str, outcome: Outcome) -> Finding:
        index = outcome.index
        kind = "wrong" if np.isfinite(outcome.score) else "nonfinite"
        return case.finding(
            self.name,
            kind,
            f"the {case.dtype} gradient of `{name}` is not the float64 one rounded: {outcome.said}",
            input=name,
            index=index,
            expected=float(outcome.wide[index]),
            returned=float(outcome.narrow[index]),
            fault="precision lost",
            cause=f"{name}: {case.dtype}",
            hint="a constant, a sum or a cast in a precision below the arrays' own",
            evidence={"expected": outcome.wide, "returned": outcome.narrow},
            cotangent=case.numpy_cotangents(),
        )


@dataclass
class Outcome:
    """One gradient against its float64 counterpart and replicas of it, in float64 NumPy.

    spread: replicas less wide, stacked. score: above 1 is no honest rounding. whole, entry: the
    smallest relative error of the gradient, and of a median entry, that would have been seen.
    """

    narrow: np.ndarray
    wide: np.ndarray
    spread: np.ndarray

    @cached_property
    def off(self) -> np.ndarray:
        return np.asarray(self.narrow - self.wide)

    @cached_property
    def sigma(self) -> np.ndarray:
        return np.asarray(np.sqrt(np.mean(self.spread**2, axis=0)))

    @cached_property
    def ratios(self) -> np.ndarray:
        return np.asarray(np.abs(_over(self.off, self.sigma)))

    @property
    def index(self) -> tuple[int, ...]:
        worst = int(np.argmax(np.nan_to_num(self.ratios, nan=np.inf)))
        return tuple(int(i) for i in np.unravel_index(worst, self.ratios.shape))

    @cached_property
    def score(self) -> float:
        if not np.all(np.isfinite(self.narrow)):
            return float("inf")
        parts = [self.ratios.max() / ENTRY, np.sqrt(np.mean(self.ratios**2)) / SPREAD]
        return float(max(parts + [self.projected(w) / SUM for w in self.weights]))

    @property
    def weights(self) -> Iterator[np.ndarray]:
        """What errors are summed with: the gradient, its signs, its rows."""
        yield self.wide
        yield np.sign(self.wide)
        if self.wide.ndim > 1:
            for row in range(len(self.wide)):
                one = np.zeros_like(self.wide)
                one[row] = self.wide[row]
                yield one

    def projected(self, weight: np.ndarray) -> float:
        """The sum of errors with these weights, over that of the replicas."""
        return float(abs(_over(np.sum(self.off * weight), self._moved(weight))))

    def _moved(self, weight: np.ndarray) -> Any:
        sums = (self.spread * weight).reshape(len(self.spread), -1).sum(1)
        return np.sqrt(np.mean(sums**2))

    @property
    def whole(self) -> float:
        size = float(np.sum(self.wide**2))
        return float(SUM * self._moved(self.wide) / size) if size else 0.0

    @property
    def entry(self) -> float:
        alive = self.wide != 0
        if not alive.any():
            return self.whole
        return float(ENTRY * np.median(self.sigma[alive] / np.abs(self.wide[alive])))

    @property
    def said(self) -> str:
        at = self.index
        size = float(np.sum(self.wide**2)) or 1.0
        with np.errstate(all="ignore"):
            factor = float(np.sum(self.narrow * self.wide)) / size
        where = f"at {list(at)} " if at else ""
        return (
            f"{where}{self.narrow[at]:.8g} for {self.wide[at]:.8g}, {self.ratios[at]:.3g} times "
            f"what rounding explains; as a whole {factor:.8g} times it, where rounding explains "
            f"{self.whole / SUM:.1e}"
        )


class Honest:
    """A case in its own precision and in float64, with replicas in between."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.unseen: set[str] = set()
        backend, self.run = case.backend, _replayed(case.subject)
        self.narrow = {n: _float64(backend.to_numpy(g)) for n, g in case.claim.items()}
        wide = {n: _widened(case, a) for n, a in case.arrays.items()}
        us = tuple(_widened(case, u) for u in case.cotangents)
        with promoted(case.dtype):
            claim = case.vjp(us, wide)
        self.wide = {n: _float64(backend.to_numpy(g)) for n, g in claim.items()}
        self.arrays, self.us = wide, us
        if backend.name == "numpy":
            self.arrays = _tensors(case, wide)
            self.us = tuple(_tensors(case, dict(enumerate(us))).values())
        self.spread: dict[str, list[np.ndarray]] = {name: [] for name in self.wide}
        self.count = 0

    def more(self, count: int) -> None:
        """Replicas up to `count` of them."""
        assert self.run is not None
        start = 64 * self.case.example.seed
        seeds = range(start + self.count, start + count)
        own_sums = self.case.subject.backend == "numpy"
        packed = self.us if self.case.returns_tuple else self.us[0]
        run, call = self.run, self.case.evaluator.call
        with promoted(self.case.dtype):
            found = replicas(
                lambda arrays: call(run, packed, **arrays), self.arrays, self.case.dtype, seeds,
                own_sums,
            )  # fmt: skip
            for replica, unseen in found:
                self.unseen |= unseen
                for name, moved in self.spread.items():
                    moved.append(_float64(replica[name].detach().cpu().numpy()) - self.wide[name])
        self.count = count

    def judged(self, name: str) -> Outcome | None:
        """The outcome for one input; None where no comparison is possible."""
        if not np.all(np.isfinite(self.wide[name])):
            return None
        for count in (FEW, MANY):
            if self.count < count:
                self.more(count)
            outcome = Outcome(self.narrow[name], self.wide[name], np.stack(self.spread[name]))
            if not np.all(np.isfinite(outcome.spread)):
                return None
            if outcome.score <= 1:
                break
        return outcome


def _again(case: Case, name: str) -> bool:
    """Whether other numbers fail too: a sum may be off by chance, a maximum change its place.

    Of the same shapes; at arrays that were given, another cotangent.
    """
    example, numbers = reseeded(case.example, 4801), case.numbers
    if example.fills:
        numbers = arrays_of(case.subject, example)
    other = Case(
        case.subject,
        example,
        numbers,
        case.backend,
        case.evaluator,
        case.dtype,
        case.device,
    )
    try:
        outcome = Honest(other).judged(name) if _ready(other) else None
    except ForwardRaised:
        return True
    return outcome is None or outcome.score > 1


def _ready(case: Case) -> bool:
    """Whether outputs are finite, real and not all empty."""
    outputs = [case.outputs[k] for k in case.judged]
    kinds = [*outputs, *(case.arrays[n] for n in case.subject.differentiable)]
    if any(case.backend.is_complex(a) for a in kinds):
        return False
    sizes = [np.prod(case.backend.shape(a)) for a in kinds]
    return all(sizes) and all(map(case.backend.all_finite, outputs))


def _replayed(subject: Subject) -> Any:
    """A vjp on torch tensors that does what the subject's does, or None."""
    if subject.backend == "torch":
        return subject.vjp
    twin = subject.twin
    if isinstance(twin, Subject):
        return twin.vjp if twin.backend == "torch" else None
    if twin is None or not callable(twin):
        return None
    from gradcheck.adapters.torch_autograd import Autograd

    return Autograd(lambda values: twin(**values), subject.differentiable).vjp


def _widened(case: Case, value: Any) -> Any:
    """An array of the case's precision in float64; anything else as it is."""
    if not case.backend.is_array(value) or case.backend.dtype_name(value) != case.dtype:
        return case.copied(value)
    return case.backend.cast(value, "float64")


def _tensors(case: Case, values: Mapping[Any, Any]) -> dict[Any, Any]:
    """The same values as torch tensors on the CPU, where they are arrays."""
    host = backend_named("torch")
    is_array, to_numpy = case.backend.is_array, case.backend.to_numpy
    return {n: host.from_numpy(to_numpy(a)) if is_array(a) else a for n, a in values.items()}


def _float64(array: np.ndarray) -> np.ndarray:
    return np.asarray(array, dtype=np.float64)


def _over(a: Any, b: Any) -> Any:
    """The quotient, with 0 / 0 as 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(a == 0, 0.0, np.divide(a, b))


CHECK = Precision()
