"""Anything a user brings -> Subject: add an adapter with one line in ADAPTERS.

An adapter is a module with NAME (what it takes, in words), OPTIONS (names of its own options),
knows(obj) -> bool (cheap; imports no framework) and adapt(obj, inputs, **options) -> Subject.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

from gradcheck.errors import UsageError
from gradcheck.subject import Subject

__all__ = ["ADAPTERS", "adapt", "adapters"]

# In the order they are asked: the special before the general.
ADAPTERS = (
    "keras",
    "torch_module",
    "torch_function",
    "torch_op",
    "pair",
    "jax",
    "numpy",
    "factory",
    "function",
)

SUBJECT_OPTIONS = frozenset(
    ("name", "kinks", "traits", "dims", "where", "twin", "source", "jvp", "second")
)  # fmt: skip


def adapt(obj: Any, inputs: Mapping[str, Any] | None = None, **options: Any) -> Subject:
    """A Subject from whatever an adapter knows; a Subject passes through.

    inputs: name to shape string or input declaration; parameters are found by the adapter, and
    where `inputs` is None it tries to find the shapes as well. options: those of Subject (name,
    kinks, traits, dims, where, twin, source, jvp, second) and the adapter's own.
    Raises UsageError for an object no adapter knows and for an unknown option, and MissingExtra
    where a framework is asked for that is not installed.
    """
    if inputs is not None and not isinstance(inputs, Mapping):
        raise UsageError(f"inputs={inputs!r}, expected a mapping of name to shape")
    if isinstance(obj, Subject):
        # The very object where nothing changes: a script can name it.
        subject = obj if inputs is None else obj.but(inputs={**obj.inputs, **inputs})
        return finish(subject, options, frozenset(), "a Subject")
    if "jac" in options:
        obj = (obj, options.pop("jac"))
    for module in adapters():
        if module.knows(obj):
            return _adapted(module, obj, inputs, options)
    what = "; ".join(module.NAME for module in adapters())
    raise UsageError(f"{_short(obj)} is nothing an adapter knows; known: a Subject; {what}")


@cache
def adapters() -> tuple[Any, ...]:
    """The adapter modules, in order; none of them imports a framework."""
    return tuple(import_module(f"gradcheck.adapters.{name}") for name in ADAPTERS)


def _adapted(
    module: Any, obj: Any, inputs: Mapping[str, Any] | None, options: dict[str, Any]
) -> Subject:
    if module.OPTIONS is None:  # passes them on to what it makes
        subject: Subject = module.adapt(obj, inputs, **options)
        return subject
    own = {name: value for name, value in options.items() if name in module.OPTIONS}
    _known_options(options, module.OPTIONS, module.NAME)
    return finish(module.adapt(obj, inputs, **own), options, module.OPTIONS, module.NAME)


def finish(subject: Subject, options: Mapping[str, Any], own: frozenset[str], what: str) -> Subject:
    """The subject with the user's fields; traits and dims come on top of the adapter's.

    own: options that `what`, the adapter, has used already. Raises UsageError for an unknown one.
    """
    _known_options(options, own, what)
    changes = {name: value for name, value in options.items() if name in SUBJECT_OPTIONS}
    if "traits" in changes:
        given = changes["traits"]
        changes["traits"] = {*subject.traits, *((given,) if isinstance(given, str) else given)}
    if changes.get("dims"):
        changes["dims"] = {**(subject.dims or {}), **changes["dims"]}
    subject = subject.but(**changes) if changes else subject
    if subject.twin == "auto":
        from gradcheck.adapters.twins import with_twin

        return with_twin(subject)
    return subject


def _known_options(options: Mapping[str, Any], own: frozenset[str], what: str) -> None:
    unknown = sorted(options.keys() - SUBJECT_OPTIONS - own)
    if unknown:
        known = ", ".join(sorted(SUBJECT_OPTIONS | own))
        raise UsageError(f"unknown option {unknown[0]!r} for {what}; known: {known}")


def _short(obj: Any) -> str:
    text = repr(obj)
    return text if len(text) <= 80 else f"{text[:77]}..."
