"""What the checks would catch: faults planted in a correct subject's own vjp, one at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.backends import backend as backend_named
from gradcheck.backends.base import Backend
from gradcheck.errors import UsageError
from gradcheck.subject import Subject

# Enough to meet each canonical example and a few drawn ones.
EXAMPLES = 16
SHRINK_SECONDS = 0.3
# A planted claim that differs by less at every example is no fault of this subject.
SAME = 1e-12

Bend = Callable[[np.ndarray, "Call"], "np.ndarray | None"]


@dataclass(frozen=True)
class Call:
    """One call of vjp, in NumPy arrays. right(cotangents): the right gradients at others."""

    name: str
    cotangents: tuple[np.ndarray, ...]
    inputs: Mapping[str, Any]
    right: Callable[[tuple[np.ndarray, ...]], Mapping[str, np.ndarray]]

    @property
    def x(self) -> np.ndarray:
        return np.asarray(self.inputs[self.name])


@dataclass(frozen=True)
class Planted:
    """One fault planted in the gradient of one input: which checks caught it, and its name."""

    fault: str
    input: str
    caught: bool
    checks: tuple[str, ...] = ()
    named: str | None = None
    message: str = ""
    seconds: float = 0.0


def power(
    subject: Subject,
    *,
    seed: int | None = None,
    examples: int = EXAMPLES,
    every_input: bool = False,
    faults: Sequence[str] | None = None,
) -> list[Planted]:
    """Plant every fault of the table in a correct subject, and say which checks caught it.

    every_input: each fault in each input's gradient; else the inputs take turns. A fault that
    changes nothing here (a transposed vector) is left out. faults: only those of these names.

    Raises UsageError where the subject does not pass as it is, or a name is unknown.
    """
    seed = 0 if seed is None else seed
    report = _verified(subject, examples, seed)
    if not report.passed:
        raise UsageError(
            f"power: subject {subject.name!r} does not pass as it is ({report.verdict}): "
            "faults can be planted in a correct one only"
        )
    known = _table()
    unknown = [name for name in faults or () if name not in known]
    if unknown:
        raise UsageError(f"power: unknown fault {unknown[0]!r}; known: {', '.join(known)}")
    found = []
    for number, (fault, make) in enumerate(known.items()):
        if faults is not None and fault not in faults:
            continue
        names = subject.differentiable
        turns = (
            names if every_input else names[number % len(names) :] + names[: number % len(names)]
        )
        for name in turns:
            planted = make(subject, name)
            if not _differs(subject, planted, seed, make):
                continue
            found.append(_tried(planted, make(subject, name), fault, name, examples, seed))
            if not every_input:
                break
    return found


def describe_power(results: Sequence[Planted]) -> str:
    """A table: fault, input, the checks that caught it, the name it was given."""
    lines = []
    for result in results:
        verdict = f"caught by {', '.join(result.checks)}" if result.caught else "NOT CAUGHT"
        named = f", named '{result.named}'" if result.named else ""
        lines.append(f"  {result.fault:34s} {result.input:10s} {verdict}{named}")
    caught = sum(result.caught for result in results)
    lines.append(f"{caught} of {len(results)} planted faults caught")
    return "\n".join(lines)


def _verified(subject: Subject, examples: int, seed: int) -> Any:
    from gradcheck.checks import select
    from gradcheck.runner import Plan, verify

    plan = Plan(examples=examples, seed=seed, shrink_seconds=SHRINK_SECONDS)
    return verify(subject, select(None), plan)


def _tried(
    planted: Subject, fresh: Subject, fault: str, name: str, examples: int, seed: int
) -> Planted:
    start = time.perf_counter()
    report = _verified(fresh, examples, seed)
    findings = [f for f in report.findings if f.kind != "inconclusive"]
    checks = tuple(dict.fromkeys(f.check for f in findings))
    told = [f for f in findings if f.fault and f.input in (name, None)]
    return Planted(
        fault,
        name,
        bool(findings),
        checks,
        told[0].fault if told else None,
        (told or findings)[0].message if findings else "",
        time.perf_counter() - start,
    )


def _differs(subject: Subject, planted: Subject, seed: int, make: Any) -> bool:
    """Whether the planted claim is another at some example; what only state shows counts too."""
    if getattr(make, "state", False):
        return True
    from gradcheck.case import Case
    from gradcheck.evaluation import ClaimRaised, Evaluator, ForwardRaised
    from gradcheck.examples import arrays_of, canonical

    backend = backend_named(subject.backend)
    for example in canonical(subject, seed):
        arrays = arrays_of(subject, example)
        right = Case(subject, example, arrays, backend, Evaluator(subject, backend))
        wrong = Case(planted, example, arrays, backend, Evaluator(planted, backend))
        try:
            ours, theirs = right.claim, wrong.claim
        except ForwardRaised:
            continue
        except ClaimRaised:
            return True
        if any(_apart(backend, ours[name], theirs[name]) for name in ours):
            return True
    return False


def _apart(backend: Backend, a: Any, b: Any) -> bool:
    a, b = backend.to_numpy(a), backend.to_numpy(b)
    if a.shape != b.shape:
        return True
    scale = np.max(np.abs(a[np.isfinite(a)]), initial=0.0)
    with np.errstate(invalid="ignore"):
        return bool(np.any(~(np.abs(a - b) <= SAME * scale) & ~(np.isnan(a) & np.isnan(b))))


# -- the faults ------------------------------------------------------------------------------------


def _bent(subject: Subject, name: str, bend: Bend) -> Subject:
    """The subject with one gradient bent, in whatever library it speaks."""
    backend = backend_named(subject.backend)

    def vjp(cotangent: Any, **inputs: Any) -> dict[str, Any]:
        bare = not isinstance(cotangent, tuple | list)
        given = (cotangent,) if bare else tuple(cotangent)

        def number(value: Any) -> Any:
            return backend.to_numpy(value) if backend.is_array(value) else value

        def right(changed: tuple[np.ndarray, ...]) -> dict[str, np.ndarray]:
            native = tuple(
                backend.from_numpy(np.asarray(u)) if backend.is_array(old) else old
                for u, old in zip(changed, given, strict=True)
            )
            told = subject.vjp(native[0] if bare else native, **inputs)
            return {n: number(told[n]) for n in subject.differentiable}

        returned = dict(subject.vjp(cotangent, **inputs))
        numbers = {n: number(value) for n, value in inputs.items()}
        call = Call(name, tuple(number(u) for u in given), numbers, right)
        bent = bend(number(returned[name]).copy(), call)
        if bent is None:
            del returned[name]
        else:
            returned[name] = backend.from_numpy(np.ascontiguousarray(bent).reshape(np.shape(bent)))
        return returned

    return subject.but(name=f"{subject.name}, planted", vjp=vjp, recipe=None)


def _zeroed(where: Callable[[tuple[int, ...]], Any]) -> Bend:
    def bend(g: np.ndarray, call: Call) -> np.ndarray:
        if g.ndim and g.shape[0] > 1:
            g[where(g.shape)] = 0.0
        return g

    return bend


def _transposed(g: np.ndarray, call: Call) -> np.ndarray:
    return np.swapaxes(g, 0, -1).reshape(g.shape) if g.ndim > 1 else g


def _entry(g: np.ndarray, call: Call) -> np.ndarray:
    if g.size > 1:
        g.reshape(-1)[g.size // 2] *= 2.0
    return g


def _mean_for_sum(g: np.ndarray, call: Call) -> np.ndarray:
    return g / max(np.size(call.cotangents[0]) // max(g.size, 1), 1)


def _changed(change: Callable[[np.ndarray], np.ndarray]) -> Bend:
    def bend(g: np.ndarray, call: Call) -> np.ndarray:
        bent = tuple(u if u is None else np.asarray(change(u)) for u in call.cotangents)
        return np.asarray(call.right(bent)[call.name])

    return bend


def _at_zero(value: Callable[[np.ndarray], Any]) -> Bend:
    def bend(g: np.ndarray, call: Call) -> np.ndarray:
        return np.where(call.x == 0, value(g), g).astype(g.dtype)

    return bend


def _tail(g: np.ndarray, call: Call) -> np.ndarray:
    if g.ndim and g.shape[-1] % 4 and g.shape[-1] > 4:
        g[..., g.shape[-1] - g.shape[-1] % 4 :] = 0.0
    return g


def _where_size(rule: Callable[[int], bool]) -> Bend:
    return lambda g, call: 1.5 * g if g.ndim and rule(g.shape[0]) else g


def _float32(g: np.ndarray, call: Call) -> np.ndarray:
    narrow = np.complex64 if np.iscomplexobj(g) else np.float32
    return g.astype(narrow).astype(g.dtype)


BENDS: dict[str, Bend] = {
    "scaled by 2": lambda g, call: 2.0 * g,
    "scaled by 1.0001": lambda g, call: 1.0001 * g,
    "sign flipped": lambda g, call: -g,
    "always zero": lambda g, call: 0.0 * g,
    "transposed": _transposed,
    "rolled": lambda g, call: np.roll(g, 1, -1) if g.ndim else g,
    "flipped": lambda g, call: np.flip(g) if g.ndim else g,
    "mean instead of sum": _mean_for_sum,
    "first index zeroed": _zeroed(lambda shape: 0),
    "last index zeroed": _zeroed(lambda shape: -1),
    "one entry doubled": _entry,
    "tail zeroed": _tail,
    "wrong for odd sizes": _where_size(lambda n: n % 2 == 1 and n > 1),
    "wrong for size one": _where_size(lambda n: n == 1),
    "cotangent ignored": _changed(np.ones_like),
    "absolute cotangent": _changed(np.abs),
    "squared cotangent": _changed(np.square),
    "term without cotangent": lambda g, call: g + 0.01 * call.x,
    "path missing (cotangent averaged)": _changed(lambda u: u - np.mean(u) if u.size else u),
    "gradient clipped": lambda g, call: np.clip(g, -0.5, 0.5) if not np.iscomplexobj(g) else g / 2,
    "precision lost": _float32,
    "kink without cotangent": _at_zero(lambda g: 0.5),
    "kink doubled": _at_zero(lambda g: 3.0 * g + 1.0),
    "NaN at zero": _at_zero(lambda g: np.nan),
    "input without gradient": lambda g, call: None,
    "wrong shape": lambda g, call: g[None],
}


def _table() -> dict[str, Callable[[Subject, str], Subject]]:
    """Every fault: makes a subject with it planted in the gradient of one input."""

    def bent(bend: Bend) -> Callable[[Subject, str], Subject]:
        return lambda subject, name: _bent(subject, name, bend)

    return {fault: bent(bend) for fault, bend in BENDS.items()} | dict(STATEFUL)


def _stateful(make: Callable[[Subject, str, Backend], Any]) -> Callable[[Subject, str], Subject]:
    def planted(subject: Subject, name: str) -> Subject:
        vjp = make(subject, name, backend_named(subject.backend))
        return subject.but(name=f"{subject.name}, planted", vjp=vjp, recipe=None)

    planted.state = True  # type: ignore[attr-defined]
    return planted


def _remembers(subject: Subject, name: str, backend: Backend) -> Any:
    """The inputs of the first call of these shapes, used again at every later one."""
    held: dict[Any, dict[str, Any]] = {}

    def vjp(cotangent: Any, **inputs: Any) -> Any:
        arrays = {n: a for n, a in inputs.items() if backend.is_array(a)}
        key = tuple((n, backend.shape(a)) for n, a in arrays.items())
        first = held.setdefault(key, {n: backend.copy(a) for n, a in arrays.items()})
        return subject.vjp(cotangent, **{**inputs, **first})

    return vjp


def _counts(subject: Subject, name: str, backend: Backend) -> Any:
    calls = [0]

    def vjp(cotangent: Any, **inputs: Any) -> Any:
        calls[0] += 1
        told = dict(subject.vjp(cotangent, **inputs))
        told[name] = backend.combine([1.0 + 0.01 * calls[0]], [told[name]])
        return told

    return vjp


def _mutates(subject: Subject, name: str, backend: Backend) -> Any:
    def vjp(cotangent: Any, **inputs: Any) -> Any:
        told = subject.vjp(cotangent, **inputs)
        given = inputs[name]
        given *= 2.0  # in place, in NumPy and torch alike
        return {n: backend.copy(g) for n, g in told.items() if backend.is_array(g)}

    return vjp


def _reuses(subject: Subject, name: str, backend: Backend) -> Any:
    held: dict[Any, Any] = {}

    def vjp(cotangent: Any, **inputs: Any) -> Any:
        told = dict(subject.vjp(cotangent, **inputs))
        buffer: Any = held.setdefault(backend.shape(told[name]), backend.copy(told[name]))
        buffer[...] = told[name]
        told[name] = buffer
        return told

    return vjp


def _assumes(subject: Subject, name: str, backend: Backend) -> Any:
    """A cotangent that is not contiguous is read as if it were."""

    def contiguous(array: Any) -> bool:
        flags = getattr(array, "flags", None)
        return bool(flags.c_contiguous if flags is not None else array.is_contiguous())

    def vjp(cotangent: Any, **inputs: Any) -> Any:
        bare = not isinstance(cotangent, tuple | list)
        given = [
            u
            if not backend.is_array(u) or contiguous(u)
            else backend.from_numpy(np.roll(backend.to_numpy(u), 1))
            for u in ((cotangent,) if bare else cotangent)
        ]
        return subject.vjp(given[0] if bare else tuple(given), **inputs)

    return vjp


STATEFUL: dict[str, Callable[[Subject, str], Subject]] = {
    "stale cache": _stateful(_remembers),
    "hidden state": _stateful(_counts),
    "mutation": _stateful(_mutates),
    "buffer reuse": _stateful(_reuses),
    "contiguous assumption": _stateful(_assumes),
}
