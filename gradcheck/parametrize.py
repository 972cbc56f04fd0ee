"""`parametrize_with_checks`: one pytest item per subject, check, dtype and device."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gradcheck.callables import signature_of
from gradcheck.errors import UsageError

MARK = "gradcheck_subjects"


@dataclass(frozen=True)
class Family:
    """What one decorated test runs: its subjects, and known failures as {glob: reason}."""

    subjects: tuple[Any, ...]
    known_failures: Mapping[str, str] = field(default_factory=dict)
    dtypes: tuple[str, ...] = ("float64",)


def parametrize_with_checks(
    subjects: Sequence[Any],
    known_failures: Mapping[str, str] | None = None,
    *,
    dtypes: Sequence[str] = ("float64",),
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorate a test `def test_layers(subject, check): check(subject)`.

    Every subject (a Subject, or anything an adapter knows without being told its inputs) meets
    every check, in every dtype, on every device of `--gradcheck-device`, as an item of its own
    with the id subject::check::dtype::device. known_failures maps globs over those ids to reasons:
    such an item must fail; one that passes, or a glob that matches nothing, fails the run.

    Raises UsageError for an empty list, for two subjects of one name, and for a test that does
    not take two arguments.
    """
    from gradcheck.adapters import adapt

    family = Family(tuple(map(adapt, subjects)), dict(known_failures or {}), tuple(dtypes))
    names = [subject.name for subject in family.subjects]
    twice = sorted({name for name in names if names.count(name) > 1})
    if not names:
        raise UsageError("parametrize_with_checks: subjects is empty")
    if twice:
        raise UsageError(f"parametrize_with_checks: two subjects are named {twice[0]!r}")

    def decorate(test: Callable[..., Any]) -> Callable[..., Any]:
        import pytest

        if len(list(signature_of(test).parameters)) < 2:
            raise UsageError(f"{test.__name__}: expected a test of (subject, check)")
        marked: Callable[..., Any] = pytest.mark.gradcheck_subjects(family)(test)
        return marked

    return decorate
