"""What the adapter tests share: a verdict at one generic point, without shrinking."""

from __future__ import annotations

import os

import pytest

from gradcheck import Subject, adapt, check
from gradcheck.adapters import probing

# Keras reads this once, when it is first imported.
os.environ.setdefault("KERAS_BACKEND", "torch")


@pytest.fixture
def at_a_point():
    """Return verify(obj, inputs, **options) -> Report, at generic numbers of rectangular sizes."""

    def verify(obj, inputs=None, *, sizes=None, **options):
        subject = obj if isinstance(obj, Subject) else adapt(obj, inputs, **options)
        names = list(subject.dimension_names)
        chosen = {**probing.first_sizes(names, subject.dims or {}, 2), **(sizes or {})}
        point = probing.numbers(subject.inputs, chosen, seed=23)
        return check(subject, at=point, seed=1)

    return verify


@pytest.fixture
def blames(at_a_point):
    """A function that asserts: not correct, and a finding names that input."""

    def verify(obj, name, inputs=None, **options):
        report = at_a_point(obj, inputs, **options)
        assert not report.passed
        assert name in {finding.input for finding in report.findings}, str(report)
        return report

    return verify
