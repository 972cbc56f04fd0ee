"""What a callable of the user's takes, whatever its annotations are."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib import import_module
from typing import Any


def signature_of(function: Callable[..., Any]) -> inspect.Signature:
    """`inspect.signature`, also where an annotation names what exists for type checkers alone.

    From Python 3.14 on annotations are evaluated when they are asked for, and may raise NameError.
    Raises ValueError and TypeError as `inspect.signature` does.
    """
    try:
        return inspect.signature(function)
    except NameError:
        loose: Any = {"annotation_format": import_module("annotationlib").Format.FORWARDREF}
        return inspect.signature(function, **loose)
