"""float32, float16 and bfloat16: the gradient is an honest rounding of the float64 one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck.backends import backend as backend_named
from gradcheck.case import Case
from gradcheck.checks.base import LAWS, Check, Notes
from gradcheck.evaluation import ClaimRaised, ForwardRaised, describe
from gradcheck.examples import arrays_of, reseeded
from gradcheck.findings import Finding
from gradcheck.inputs import Array
from gradcheck.oracles.replicas import BITS, promoted, replicas
from gradcheck.oracles.spread import Outcome, Pooled, pooled
from gradcheck.subject import Subject

# A dozen replicas for a pass; what fails must still fail by the spread of four dozen.
FEW, MANY = 12, 48
# A dozen evaluations, each several times as slow as the layer's own: at every sixth example.
APART = 6
# A factor too small for one gradient to show is added up over so many of them at the first example:
# other cotangents, and numbers within this share of its own. What is SUSPECT there, as one correct
# input in a hundred, is asked for again at twice as many others, with twice the replicas.
ADDED, NEAR, SUSPECT, POOLED = 8, 0.125, 2.5, 4.0
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
        if notes.number == 0:
            yield from self._scaled(honest, dict(found), notes)

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
            yield self._finding(case, name, outcome, outcome.index, outcome.said)
        else:
            notes.score = max(notes.score, min(outcome.score, 1.0))
            notes.detectable[name] = {"whole": outcome.whole, "entry": outcome.entry}

    def _scaled(
        self, honest: Honest, outcomes: Mapping[str, Outcome | None], notes: Notes
    ) -> Iterator[Finding]:
        """Findings on gradients that passed one by one, of a factor common to many."""
        names = tuple(notes.detectable)
        found = _factors(honest, names)
        for name, scale in found.items():
            outcome, figures = outcomes[name], notes.detectable[name]
            if scale.score > POOLED and outcome is not None:
                largest = int(np.argmax(np.abs(outcome.wide)))
                at = tuple(int(i) for i in np.unravel_index(largest, outcome.wide.shape))
                said = (
                    f"over {2 * ADDED} points it is off by {scale.error:+.2g} of itself, "
                    f"where rounding explains {scale.spread:.1e}"
                )
                yield self._finding(honest.case, name, outcome, at, said)
            else:
                notes.score = max(notes.score, scale.score / POOLED)
                seen = POOLED * scale.spread or figures["whole"]
                figures["whole"] = min(figures["whole"], seen)

    def _unclear(self, case: Case, name: str, why: str) -> Finding:
        said = f"the {case.dtype} gradient of `{name}` could not be judged: {why}"
        return case.finding(self.name, "inconclusive", said, input=name, cause=f"{name}: {why}")

    def _finding(
        self, case: Case, name: str, outcome: Outcome, index: tuple[int, ...], said: str
    ) -> Finding:
        kind = "wrong" if np.isfinite(outcome.score) else "nonfinite"
        return case.finding(
            self.name,
            kind,
            f"the {case.dtype} gradient of `{name}` is not the float64 one rounded: {said}",
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


class Honest:
    """A case in its own precision and in float64, with replicas in between; `seed`: theirs."""

    def __init__(self, case: Case, seed: int | None = None) -> None:
        self.case = case
        self.seed = 64 * (case.example.seed if seed is None else seed)
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
        seeds = range(self.seed + self.count, self.seed + count)
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
        for count in (FEW, MANY):
            outcome = self.outcome(name, count)
            if outcome is None or outcome.score <= 1:
                break
        return outcome

    def outcome(self, name: str, count: int) -> Outcome | None:
        """The outcome by so many replicas; None where no comparison is possible."""
        if self.count < count:
            self.more(count)
        outcome = Outcome(self.narrow[name], self.wide[name], np.stack(self.spread[name][:count]))
        finite = np.all(np.isfinite(outcome.wide)) and np.all(np.isfinite(outcome.spread))
        return outcome if finite else None


def _again(case: Case, name: str) -> bool:
    """Whether other numbers fail too: a sum may be off by chance, a maximum change its place."""
    try:
        other = _elsewhere(case)
        outcome = Honest(other).judged(name) if _ready(other) else None
    except ForwardRaised:
        return True
    return outcome is None or outcome.score > 1


def _elsewhere(case: Case) -> Case:
    """The case at other numbers of the same shapes; at given arrays, with another cotangent."""
    example, numbers = reseeded(case.example, 4801), case.numbers
    if example.fills:
        numbers = arrays_of(case.subject, example)
    return replace(case, example=example, numbers=numbers, given_cotangent=None)


def _near(case: Case, offset: int) -> Case:
    """Another cotangent, and numbers so near that only their rounding is another.

    Zeros and signs stay; so do numbers that must lie on some set.
    """
    example = replace(case.example, seed=case.example.seed + offset)
    rng, numbers = np.random.default_rng(example.seed), dict(case.as_numpy())
    for name in case.subject.differentiable:
        item = case.subject.inputs[name]
        free = isinstance(item, Array) and (item.low, item.high, item.values) == (None, None, None)
        if free and item.domain is None:
            numbers[name] = numbers[name] * (1 + rng.uniform(-NEAR, NEAR, numbers[name].shape))
    return replace(case, example=example, numbers=numbers, given_cotangent=None)


def _factors(honest: Honest, names: Sequence[str]) -> dict[str, Pooled]:
    """By input, the factor that its gradients have in common over points near by."""
    found = _scales(honest, names, range(ADDED), FEW)
    suspect = [name for name, scale in found.items() if scale.score > SUSPECT]
    again = _scales(honest, suspect, range(ADDED, 3 * ADDED), 2 * FEW)
    for name, scale in again.items():
        same = scale.error * found[name].error > 0
        found[name] = scale if same else replace(scale, error=0.0)
    return found


def _scales(first: Honest, names: Sequence[str], points: range, count: int) -> dict[str, Pooled]:
    """The factors over these points, 0 being the first one itself.

    Along the gradient or along its signs, whichever is farther from what `count` replicas show.
    """
    told: dict[str, list[Any]] = {name: [] for name in names}
    for k in points if names else ():
        for name, outcome in _outcomes(first, names, k, count).items():
            if outcome is not None and np.all(np.isfinite(outcome.narrow)):
                told[name].append(outcome.alongs)
    found = {n: [pooled(p) for p in zip(*alongs, strict=True)] for n, alongs in told.items()}
    return {n: max(p, key=lambda scale: scale.score) for n, p in found.items() if p}


def _outcomes(first: Honest, names: Sequence[str], k: int, count: int) -> dict[str, Outcome | None]:
    """Those of the k-th point; none where its numbers lie outside what the subject takes."""
    try:
        near = _near(first.case, 6007 * k)
        honest = Honest(near, first.case.example.seed) if k else first
        with np.errstate(all="ignore"):
            return {name: honest.outcome(name, count) for name in names}
    except Exception:  # noqa: BLE001 - user code at numbers of ours: the other points tell
        return {}


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


CHECK = Precision()
