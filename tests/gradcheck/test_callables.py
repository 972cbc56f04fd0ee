"""Signatures, also where annotations have no value."""

from __future__ import annotations

import inspect
import sys
import types

from gradcheck.callables import signature_of


def test_an_annotation_that_has_no_value_yet(monkeypatch):
    """As from Python 3.14 on: evaluated when asked for, with a NameError."""
    plain = inspect.signature

    def evaluating(function, *, annotation_format="value"):
        if annotation_format == "value":
            raise NameError("name 'Array' is not defined")
        return plain(function)

    formats = types.SimpleNamespace(Format=types.SimpleNamespace(FORWARDREF="forward"))
    monkeypatch.setitem(sys.modules, "annotationlib", formats)
    monkeypatch.setattr(inspect, "signature", evaluating)
    assert list(signature_of(lambda x, y: x).parameters) == ["x", "y"]


def test_a_plain_signature():
    assert list(signature_of(lambda x, *, y: x).parameters) == ["x", "y"]
