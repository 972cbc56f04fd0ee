"""Along the sets that inputs lie on: P, a map onto the set, its derivative, in native arrays."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from gradcheck.backends import backend as backend_named
from gradcheck.backends.base import Backend
from gradcheck.domains import Domain
from gradcheck.errors import UsageError
from gradcheck.inputs import Array
from gradcheck.subject import Subject

# A point farther from its set than this share of itself does not lie on it.
OFF = 2.0**-26


def sets(subject: Subject) -> dict[str, Domain]:
    """The domains, by input, along which the derivative is wanted."""
    items = subject.inputs.items()
    return {n: i.domain for n, i in items if isinstance(i, Array) and i.along and i.domain}


def onto(subject: Subject, backend: Backend, arrays: Mapping[str, Any]) -> dict[str, Any]:
    """The arrays, those of the sets mapped onto them."""
    moved = dict(arrays)
    for name, domain in sets(subject).items():
        assert domain.near is not None
        near = domain.near(backend.to_numpy(arrays[name]))
        moved[name] = backend.cast(backend.from_numpy(near), backend.dtype_name(arrays[name]))
    return moved


def pulled(
    subject: Subject, backend: Backend, gradients: Mapping[str, Any], arrays: Mapping[str, Any]
) -> dict[str, Any]:
    """The gradients, those of the sets times the transposed derivative of P at `arrays`.

    One of another shape or dtype than its input's is left for the contract to judge.
    """
    moved = dict(gradients)
    for name, domain in sets(subject).items():
        gradient, x = moved.get(name), arrays[name]
        if backend.is_array(gradient) and _alike(backend, gradient, x):
            assert domain.pulled is not None
            found = domain.pulled(backend.to_numpy(x), backend.to_numpy(gradient))
            moved[name] = backend.from_numpy(found)
    return moved


def _alike(backend: Backend, gradient: Any, x: Any) -> bool:
    same = backend.dtype_name(gradient) == backend.dtype_name(x) == "float64"
    return same and backend.shape(gradient) == backend.shape(x) and backend.all_finite(gradient)


def require_on(subject: Subject, backend: Backend, arrays: Mapping[str, Any]) -> None:
    """Raise UsageError where a point given by the user does not lie on its set."""
    mapped = onto(subject, backend, arrays)
    for name in sets(subject):
        off = backend.max_abs(backend.subtract(mapped[name], arrays[name]))
        if not off <= OFF * (1 + backend.max_abs(arrays[name])):
            raise UsageError(f"at: `{name}` is {off:.2g} off the set that steps='along' are along")


def along(subject: Subject) -> Subject:
    """A subject with sets, its claim and what is compared to it taken along them.

    The gradients of vjp, and of the twin, times the transpose of P'; forward mode at tangents times
    P'. No second order: that would need the derivative of P' itself. Forward is as it was: only the
    verdict engine, which leaves the set, maps its points back.
    """
    return subject.but(
        vjp=partial(_reverse_mode, subject, subject.vjp),
        later=subject.later and partial(_reverse_mode, subject, subject.later),
        jvp=subject.jvp and partial(_forward_mode, subject),
        second=_no_second if callable(subject.second) else subject.second,
        twin=subject.twin and _twin(subject),
    )


def _reverse_mode(subject: Subject, vjp: Any, /, *cotangent: Any, **inputs: Any) -> Any:
    returned = vjp(*cotangent, **inputs)
    if not isinstance(returned, Mapping):
        return returned  # for the contract to judge
    return pulled(subject, backend_named(subject.backend), returned, inputs)


def _forward_mode(subject: Subject, tangents: Mapping[str, Any], /, **inputs: Any) -> Any:
    backend, moved = backend_named(subject.backend), dict(tangents)
    for name, domain in sets(subject).items():
        assert domain.pushed is not None
        x, v = backend.to_numpy(inputs[name]), backend.to_numpy(tangents[name])
        moved[name] = backend.from_numpy(domain.pushed(x, v))
    assert subject.jvp is not None
    return subject.jvp(moved, **inputs)


def _no_second(*_: Any, **__: Any) -> Any:
    raise NotImplementedError("second order is not judged along a set (steps='along')")


def _twin(subject: Subject) -> Any:
    """The twin, with its gradients pulled back: another subject's, or those of torch's autograd."""
    twin = subject.twin
    if not isinstance(twin, Subject):
        return lambda **tensors: twin(**_hooked(subject, tensors))
    backend = backend_named(twin.backend)

    def vjp(cotangent: Any, /, **inputs: Any) -> dict[str, Any]:
        return pulled(subject, backend, twin.vjp(cotangent, **inputs), inputs)

    return twin.but(vjp=vjp)


def _hooked(subject: Subject, tensors: Mapping[str, Any]) -> dict[str, Any]:
    """The same tensors; gradients on their way back to them are pulled back."""
    backend, passed = backend_named("torch"), dict(tensors)

    def hook(name: str, gradient: Any) -> Any:
        return pulled(subject, backend, {name: gradient}, tensors)[name]

    for name in sets(subject):
        if tensors[name].requires_grad:
            passed[name] = tensors[name].view_as(tensors[name])
            passed[name].register_hook(partial(hook, name))
    return passed
